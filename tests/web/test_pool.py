"""A few threads, a bounded queue."""

import asyncio
import threading

import pytest

from inkdigits.web.pool import Pool
from inkdigits.web.problems import Problem


def test_no_more_at_once_than_workers():
    """The rest waits its turn, and all is done."""
    running, most, lock = 0, 0, threading.Lock()

    def work() -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.01)
        with lock:
            running -= 1
        return 1

    async def main() -> list[int]:
        pool = Pool(workers=2, queue=20)
        return await asyncio.gather(*(pool.run(work) for _ in range(20)))

    assert sum(asyncio.run(main())) == 20
    assert most == 2


def test_full_queue_refuses():
    """Problem 503 at once; who was in before is served."""
    go_on = threading.Event()

    async def main() -> None:
        pool = Pool(workers=1, queue=1)
        tasks = [asyncio.create_task(pool.run(go_on.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Problem, match="1 wait") as refused:
            await pool.run(go_on.wait)
        assert refused.value.status == 503
        go_on.set()
        assert await asyncio.gather(*tasks) == [True, True]
        assert (pool.busy, pool.waiting) == (0, 0)

    asyncio.run(main())


def test_who_gives_up_waiting_leaves_the_queue():
    """Its work is never begun."""
    go_on, begun = threading.Event(), []

    async def main() -> None:
        pool = Pool(workers=1, queue=1)
        first = asyncio.create_task(pool.run(go_on.wait))
        second = asyncio.create_task(pool.run(lambda: begun.append(2)))
        await asyncio.sleep(0)
        second.cancel()
        go_on.set()
        await first
        await pool.run(lambda: begun.append(3))

    asyncio.run(main())
    assert begun == [3]


def test_work_given_up_keeps_its_worker():
    """A thread can't be stopped, so it counts until it is done."""
    go_on = threading.Event()

    async def main() -> None:
        pool = Pool(workers=1, queue=0)
        task = asyncio.create_task(pool.run(go_on.wait))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.sleep(0)
        assert pool.is_full
        go_on.set()
        while pool.busy:
            await asyncio.sleep(0.001)
        assert not pool.is_full

    asyncio.run(main())


def test_errors_reach_who_asked():
    """And the worker is free again."""

    async def main() -> None:
        pool = Pool(workers=1, queue=0)
        with pytest.raises(ZeroDivisionError):
            await pool.run(lambda: 1 // 0)
        assert await pool.run(lambda: 1) == 1

    asyncio.run(main())
