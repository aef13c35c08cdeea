"""Ctrl-C and SIGTERM, answered for as long as a command runs.

A signal goes to the current listener. If there is none, the first is raised as KeyboardInterrupt
in the running command, and unwinds it. Later ones end the process at once: what is stored is whole
even after a kill, and a person who presses Ctrl-C again wants no traceback.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine, Iterator
    from types import FrameType

T = TypeVar("T")
ANSWERED = (signal.SIGINT, signal.SIGTERM)
BEAT_S = 0.5
"""Seconds after which a signal that came just before the event loop went to sleep is seen."""
_SHOW_CURSOR = "\x1b[?25h"


class _Heard:
    """The signals of this process: one object, because there is one handler."""

    def __init__(self) -> None:
        self.first = 0
        """The first signal; 0: there was none."""
        self.listeners: list[Callable[[int], None]] = []
        self.may_raise = False


_heard = _Heard()


def answer_signals() -> None:
    """Answer signals from now on. Called outside the main thread, this does nothing."""
    if threading.current_thread() is threading.main_thread():
        for number in ANSWERED:
            signal.signal(number, _handle)


@contextmanager
def answered() -> Iterator[None]:
    """While inside, a first signal that nobody listens to is raised as KeyboardInterrupt."""
    before = [signal.getsignal(number) for number in ANSWERED]
    answer_signals()
    may_raise, _heard.may_raise = _heard.may_raise, True
    _heard.first = 0
    try:
        yield
    finally:
        _heard.may_raise = may_raise and not _heard.first
        if threading.current_thread() is threading.main_thread():
            for number, handler in zip(ANSWERED, before, strict=True):
                signal.signal(number, handler)


@contextmanager
def listening(listener: Callable[[int], None]) -> Iterator[None]:
    """While inside, signals go to `listener`, which is called in the main thread and must return.

    Outside `answered`, the caller handles signals, and the listener is not called.
    """
    _heard.listeners.append(listener)
    try:
        yield
    finally:
        _heard.listeners.remove(listener)


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` in an event loop of its own; the first signal cancels it.

    Raises:
        KeyboardInterrupt: it was cancelled by a signal.
    """
    import asyncio  # here, so that --help answers at once

    running = _Running()
    with listening(running.heard):
        return asyncio.run(running.carry(work))


class _Running:
    """Work in an event loop. The first signal cancels it; the second ends the process."""

    def __init__(self) -> None:
        self._task: asyncio.Task[Any] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked = self._over = False

    def heard(self, _number: int) -> None:
        if self._asked or self._over:
            leave()
        self._asked = True
        if self._loop is not None and self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)

    async def carry(self, work: Coroutine[Any, Any, T]) -> T:
        import asyncio

        task = asyncio.current_task()
        self._loop, self._task = asyncio.get_running_loop(), task
        beat = asyncio.ensure_future(_beat())
        if self._asked and task is not None:  # before there was a loop
            task.cancel()
        try:
            return await work
        except asyncio.CancelledError:
            if _heard.first:
                raise KeyboardInterrupt from None
            raise
        finally:
            self._over = True
            beat.cancel()


async def _beat() -> None:
    import asyncio

    while True:  # noqa: ASYNC110 - nothing is waited for
        await asyncio.sleep(BEAT_S)


def exit_code() -> int:
    """As in shells: 130 after Ctrl-C, 143 after SIGTERM."""
    return 128 + (_heard.first or signal.SIGINT)


def leave() -> NoReturn:
    """End this process at once, with a message. Nothing is waited for."""
    shown = _SHOW_CURSOR if sys.stderr.isatty() else ""
    told = f"{shown}troop: Stopped at once.\n  The same command continues where it stopped.\n"
    os.write(2, told.encode())
    os._exit(exit_code())


def _handle(number: int, _frame: FrameType | None) -> None:
    later, _heard.first = bool(_heard.first), _heard.first or number
    if _heard.listeners:
        _heard.listeners[-1](number)
    elif _heard.may_raise and not later:  # a listener may have had the first, and be gone
        _heard.may_raise = False
        raise KeyboardInterrupt
    else:
        leave()
