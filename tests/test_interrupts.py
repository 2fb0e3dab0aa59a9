"""Ctrl-C while threads are given work."""

import signal
import threading

import pytest

from inkdigits.interrupts import ctrl_c_later


def test_ctrl_c_waits_while_work_is_handed_to_a_thread():
    """In between it could leave a lock locked that the thread waits for, and both would wait forever."""
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
    """Python lets the main thread alone handle signals, and training may run in any."""
    done = []

    def hand_over():
        with ctrl_c_later():
            done.append("handed over")

    thread = threading.Thread(target=hand_over)
    thread.start()
    thread.join()
    assert done
