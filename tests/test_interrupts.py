"""Ctrl-C while threads are given work."""

import signal
import subprocess
import sys
import threading

import pytest

from inkdigits.interrupts import ctrl_c_later

# Ctrl-C just after the main thread has taken a lock of the pool: the first time, the second time, ...
SCRIPT = """
import signal, threading
from inkdigits.reading.reader import _in_order

enter, main = threading.Condition.__enter__, threading.get_ident()

def enter_and_stop(condition):
    global left
    entered = enter(condition)
    if threading.get_ident() == main:
        left -= 1
        if not left:
            signal.raise_signal(signal.SIGINT)
    return entered

threading.Condition.__enter__ = enter_and_stop
for first in range(1, 60):
    left = first
    try:
        done = list(_in_order(str, range(12), 2))
    except KeyboardInterrupt:
        continue
    assert left > 0, "Ctrl-C was lost"
    print("whole after", first)
    break
"""


def test_ctrl_c_waits():
    """It comes once what it must not interrupt is done."""
    done = []

    def hand_over():
        with ctrl_c_later():
            signal.raise_signal(signal.SIGINT)
            done.append("handed over")

    with pytest.raises(KeyboardInterrupt):
        hand_over()
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_threads_have_no_ctrl_c_to_wait_for():
    """Python lets the main thread alone handle signals, and work may be handed over in any."""
    done = []

    def hand_over():
        with ctrl_c_later():
            done.append("handed over")

    thread = threading.Thread(target=hand_over)
    thread.start()
    thread.join()
    assert done


def test_ctrl_c_never_leaves_two_threads_waiting():
    """Whenever it comes while pages are handed to threads and back, the program ends."""
    said = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=True
    )
    assert said.stdout.startswith("whole after")
