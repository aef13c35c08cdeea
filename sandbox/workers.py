"""Blocking work under asyncio, in threads that can be told to stop."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from sandbox.supervise import Stop

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Workers:
    """Threads for executions: each spends its time waiting, so there may be many."""

    def __init__(self, count: int) -> None:
        """`count`: how much may be under way at once; what is more waits."""
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="sandbox")

    async def run(self, job: Callable[[Stop], T]) -> T:
        """Run `job` in a thread.

        Where the caller is cancelled, the job is told to stop, and the
        cancellation goes on only after the job has ended and cleaned up.
        """
        stop = Stop()
        task = self._pool.submit(job, stop)
        waiter = asyncio.wrap_future(task)
        try:
            return await asyncio.shield(waiter)
        except asyncio.CancelledError:
            stop.give()
            task.cancel()
            await _settle(waiter)
            raise

    def close(self) -> None:
        """End the threads; what is still queued never starts. Blocks until all are idle."""
        self._pool.shutdown(wait=True, cancel_futures=True)


async def _settle(waiter: asyncio.Future[T]) -> None:
    """Wait for the end of `waiter` however often the caller is cancelled meanwhile."""
    while not waiter.done():
        try:
            await asyncio.wait([waiter])
        except asyncio.CancelledError:
            continue
    if not waiter.cancelled():
        waiter.exception()
