"""Whatever the reader is given, it gives a reading or a clear error."""

import subprocess
import sys
from pathlib import Path

SOAK = Path(__file__).parents[1] / "benchmarks" / "soak.py"


def test_two_hundred_bad_pictures_are_survived():
    """Mutated, extreme, impossible and malicious ones, in bounded memory; `make soak` takes 5,000."""
    command = [sys.executable, str(SOAK), "--cases", "200"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "cases: 200" in done.stdout
