"""Work in a thread that can be left behind: nobody waits for it, not even the end of the program."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Result = TypeVar("Result")


def begin(work: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs) -> Future[Result]:
    """Begin work in a thread of its own.

    Unlike the threads of a pool, which the interpreter waits for at its end, it does not delay Ctrl-C.

    Returns:
        What will hold the result, or what the work raised.

    Example:
        >>> begin(sum, [1, 2, 3]).result()
        6
    """
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - not hidden, handed to whoever waits
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future
