"""What is begun goes on without anybody waiting for it."""

import subprocess
import sys

import pytest

from inkdigits.learning.background import begin


def test_error_reaches_whoever_waits():
    """As if the work had been done there."""
    with pytest.raises(ZeroDivisionError):
        begin(divmod, 1, 0).result()


def test_end_of_the_program_waits_for_nothing():
    """Though the work would take a minute."""
    program = "import time; from inkdigits.learning.background import begin; begin(time.sleep, 60)"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)
