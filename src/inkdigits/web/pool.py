"""A few threads that read pictures, and a queue that does not grow without end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from inkdigits.web.problems import busy

T = TypeVar("T")


class Pool:
    """Runs work in threads, so that the event loop is free to talk.

    Args:
        workers: how much runs at the same time. ONNX Runtime and OpenCV let go of the interpreter while they
            compute, so as many as there are processor cores.
        queue: how many may wait for a worker.

    Attributes:
        busy: how many workers have something to do.
        waiting: how many requests have none yet.
    """

    def __init__(self, *, workers: int, queue: int) -> None:
        self.busy = 0
        self.waiting = 0
        self.workers = workers
        self.queue = queue
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="inkdigits")
        self._free = asyncio.Semaphore(workers)

    @property
    def is_full(self) -> bool:
        """Whether the next request is refused."""
        return self._free.locked() and self.waiting >= self.queue

    async def run(self, work: Callable[[], T]) -> T:
        """Wait for a free worker and return what the work returns.

        Who is cancelled while waiting leaves the queue. Work that has begun can't be stopped: it keeps its
        worker until it is done, whether or not anybody waits for it.

        Raises:
            Problem: the queue is full (503).
        """
        if self.is_full:
            raise busy(f"{self.busy} pictures are being read and {self.waiting} wait, the most accepted.")
        self.waiting += 1
        try:
            await self._free.acquire()
        finally:
            self.waiting -= 1
        self.busy += 1
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        future.add_done_callback(self._done)
        return await asyncio.shield(future)

    def _done(self, future: asyncio.Future[T]) -> None:
        self.busy -= 1
        self._free.release()
        if not future.cancelled():
            future.exception()  # looked at, also where nobody waits for it any more

    def close(self) -> None:
        """Wait for what was begun and end the threads."""
        self._threads.shutdown()
