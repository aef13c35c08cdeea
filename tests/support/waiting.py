"""Waiting in tests: for what must come to pass, however slow the machine is.

A limit here only ends a test that hangs; none is near what a test takes. So no test asserts on a
clock: what came first, or how often something was done, is counted instead.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

HANG_S = 300.0
"""After this many seconds a test is taken to hang."""


def eventually(condition: Callable[[], object]) -> None:
    """Wait until `condition` holds."""
    for _ in _until_hang():
        if condition():
            return
        time.sleep(0.02)


async def eventually_async(condition: Callable[[], object]) -> None:
    """The same in an event loop."""
    for _ in _until_hang():
        if condition():
            return
        await asyncio.sleep(0.02)


def _until_hang() -> Iterator[None]:
    began = time.monotonic()
    while time.monotonic() - began < HANG_S:
        yield
    raise TimeoutError(f"It did not come to pass within {HANG_S:.0f} s.")


@contextlib.contextmanager
def processor_time(seconds: float) -> Iterator[None]:
    """Stop what takes more than so many seconds of this process's own time on a processor.

    Other programs' load does not count. The limit should be far above what the work takes, and far
    below what it took if it were no longer linear, say.
    """

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"It took more than {seconds} s of processor time.")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
