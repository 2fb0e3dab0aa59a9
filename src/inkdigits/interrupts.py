"""Ctrl-C while threads are given work."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def ctrl_c_later() -> Iterator[None]:
    """Let Ctrl-C wait while work is handed to a thread: it could leave a lock of both locked forever.

    After "Signals and threads" in the documentation of Python's `signal`, only the main thread has handlers.

    Example:
        >>> with ctrl_c_later():
        ...     print("handed over")
        handed over
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is None:
        yield
        return
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            signal.raise_signal(signal.SIGINT)
