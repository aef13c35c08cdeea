"""Threads under asyncio."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from data.errors import SandboxError
from sandbox.workers import Workers
from tests.support.waiting import HANG_S

if TYPE_CHECKING:
    from sandbox.supervise import Stop


async def test_results_and_errors_come_through() -> None:
    workers = Workers(2)
    assert await workers.run(lambda _: 5) == 5
    with pytest.raises(ZeroDivisionError):
        await workers.run(lambda _: 1 // 0)
    workers.close()


async def test_a_cancelled_job_has_cleaned_up_before_the_call_returns() -> None:
    workers, begun, cleaned = Workers(1), threading.Event(), threading.Event()

    def job(stop: Stop) -> None:
        begun.set()
        try:
            stop.sleep(HANG_S)
        finally:
            threading.Event().wait(0.2)
            cleaned.set()

    task = asyncio.ensure_future(workers.run(job))
    await asyncio.to_thread(begun.wait)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleaned.is_set()
    workers.close()


async def test_a_job_that_never_began_is_told_to_stop() -> None:
    workers, free, ran = Workers(1), threading.Event(), []

    def second(stop: Stop) -> None:
        stop.check()
        ran.append(1)

    first = asyncio.ensure_future(workers.run(lambda _: free.wait(HANG_S)))
    waiting = asyncio.ensure_future(workers.run(second))
    await asyncio.sleep(0.05)
    waiting.cancel()
    await asyncio.sleep(0.05)
    free.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await first
    assert not ran
    workers.close()


async def test_closing_stops_what_is_under_way() -> None:
    workers = Workers(1)
    task = asyncio.ensure_future(workers.run(lambda stop: stop.sleep(HANG_S)))
    await asyncio.sleep(0.05)
    await asyncio.to_thread(workers.close)
    with pytest.raises(SandboxError, match="closed"):
        await task
