"""Work for threads, given so that Ctrl-C can't leave two of them waiting for each other."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, TypeVar

Result = TypeVar("Result")


def hand_over(
    pool: ThreadPoolExecutor, work: Callable[..., Result], *arguments: Any
) -> SimpleQueue[Future[Result]]:
    """Give a thread work.

    Ctrl-C between the moment a future's lock is taken and the moment Python knows so would leave it locked,
    and the thread that is to note its result there would wait forever. So it waits while work is handed over,
    and a future is looked at only after its thread is done with it.

    Returns:
        Where the future lies as soon as it is finished. Waiting there can be interrupted.

    Example:
        >>> with ThreadPoolExecutor(1) as pool:
        ...     hand_over(pool, len, "1234").get().result()
        4
    """
    finished: SimpleQueue[Future[Result]] = SimpleQueue()
    with ctrl_c_later():
        pool.submit(work, *arguments).add_done_callback(finished.put)
    return finished


@contextlib.contextmanager
def ctrl_c_later() -> Iterator[None]:
    """Let Ctrl-C wait for what is done meanwhile.

    After "Signals and threads" in the documentation of Python's `signal`, only the main thread has handlers.

    Example:
        >>> with ctrl_c_later():
        ...     print("done")
        done
    """
    before = signal.getsignal(signal.SIGINT)
    # None: a handler that is not Python's, which could not be put back.
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
