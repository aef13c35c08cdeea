"""Blocking work under asyncio, in threads that can be stopped."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from data.errors import SandboxError
from sandbox.supervise import Stop, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Workers:
    """Threads for executions: each spends its time waiting, so there may be many."""

    def __init__(self, count: int) -> None:
        """`count`: how many jobs may run at once; the others wait."""
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="sandbox")
        self._stops: set[Stop] = set()

    async def run(self, job: Callable[[Stop], T]) -> T:
        """Run `job` in a thread.

        If the caller is cancelled, the job is stopped, and the cancellation continues only
        after the job has ended and cleaned up.

        Raises:
            SandboxError: the workers were closed in the meantime. Also what `job` raises.
        """
        stop = Stop()
        self._stops.add(stop)
        try:
            waiter = asyncio.wrap_future(self._pool.submit(job, stop))
            return await asyncio.shield(waiter)
        except asyncio.CancelledError:
            stop.give()
            await _settle(waiter)
            raise
        except Stopped as error:
            raise SandboxError("The sandbox was closed while it was working.") from error
        finally:
            self._stops.discard(stop)

    def close(self) -> None:
        """Stop all jobs, and end the threads. Blocks until everything is cleaned up."""
        for stop in list(self._stops):
            stop.give()
        self._pool.shutdown(wait=True)


async def _settle(waiter: asyncio.Future[T]) -> None:
    """Wait for the end of `waiter`, however often the caller is cancelled in between."""
    while not waiter.done():
        try:
            await asyncio.wait([waiter])
        except asyncio.CancelledError:
            continue
    if not waiter.cancelled():
        waiter.exception()
