"""How the work of a run is stopped: asked to end first, then cut off."""

from __future__ import annotations

import asyncio
import math
import signal
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from agent.slots import Interrupted
from runs.run.signals import leave, listening
from runs.words import counted

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from agent.slots import Slots
    from runs.run.config import Config
    from runs.run.display import Display

T = TypeVar("T")
CLOSING_S = 10.0
"""Seconds for removing sandboxes and closing connections. Then the process ends in any case."""
_TICK_S = 0.25


class Stopping:
    """Answers the signals of a command that runs something, from its first await to its last.

    Before work begins there is nothing to wait for, and a signal cancels. During work the first
    lets what is in flight end, within a limit, because it is paid for; the next cuts it off. A
    third, or cutting off that takes too long, ends the process.
    """

    def __init__(self, config: Config, display: Display, *, signals: bool = True) -> None:
        """Create this in the task that is to be cancelled.

        `signals`: whether to answer this process's Ctrl-C and SIGTERM.
        """
        self.event = asyncio.Event()
        """Set when nothing new may begin."""
        self._config = config
        self._display = display
        self._signals = signals
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._work: dict[str, Slots] = {}
        self._heard = 0
        self._over = False
        self._waiting: asyncio.Task[None] | None = None
        self._last: threading.Timer | None = None

    @contextmanager
    def answering(self) -> Iterator[None]:
        """While inside, signals are answered here."""
        with ExitStack() as stack:
            if self._signals:
                stack.enter_context(listening(self._hear))
            try:
                yield
            finally:
                if self._last is not None:
                    self._last.cancel()

    @contextmanager
    def working(self, **slots: Slots) -> Iterator[None]:
        """While inside, calls and scripts that hold one of these `slots` may end first."""
        self._work = slots
        try:
            yield
        finally:
            self._work, self._over = {}, True
            if self._waiting is not None:
                self._waiting.cancel()
                self._display.stopping("")

    async def unless_asked(self, work: Coroutine[Any, Any, T]) -> T:
        """Do `work` that was not paid for, such as pulling an image; leave it when asked to stop.

        Raises:
            Interrupted: a person asked to stop.
        """
        doing, asked = asyncio.ensure_future(work), asyncio.ensure_future(self.event.wait())
        try:
            await asyncio.wait((doing, asked), return_when=asyncio.FIRST_COMPLETED)
            if not doing.done():
                raise Interrupted
            return doing.result()
        finally:
            asked.cancel()
            doing.cancel()
            await asyncio.gather(doing, return_exceptions=True)

    def _hear(self, number: int) -> None:
        """Runs in a signal handler, between any two steps of the main thread."""
        self._heard += 1
        if self._heard > 2:  # noqa: PLR2004 - asked, cut off, and still here
            leave()
        self._loop.call_soon_threadsafe(self._answer, number, self._heard)

    def _answer(self, number: int, count: int) -> None:
        if self._over:
            return  # closing already
        if not self._work or count > 1:
            self._cut()
            return
        self.event.set()
        for slots in self._work.values():
            slots.stop()
        self._waiting = asyncio.ensure_future(self._let_end(number))

    async def _let_end(self, number: int) -> None:
        """Show and wait for what is in flight; cut off what takes too long."""
        limit = self._longest()
        if number == signal.SIGTERM:
            limit = min(limit, self._config.batch.stop_s)
        end = self._loop.time() + limit
        while (held := self._in_flight()) and (left := end - self._loop.time()) > 0:
            self._display.stopping(
                f"Stopping: waiting for {held}, at most {math.ceil(left)} s, because what is in"
                " flight is paid for. Ctrl-C again stops at once."
            )
            await asyncio.sleep(min(_TICK_S, left))
        if not held:
            await asyncio.sleep(CLOSING_S)  # the rest ends by itself
        self._cut()

    def _longest(self) -> float:
        """Seconds after which everything that is in flight now has ended."""
        calls, scripts = (self._work[name].held for name in ("calls", "scripts"))
        return max(
            self._config.model.timeout_s if calls else 0.0,
            self._config.limits.timeout_s + CLOSING_S if scripts else 0.0,
        )

    def _in_flight(self) -> str:
        """For example "2 calls and 1 script"; "" for nothing."""
        calls, scripts = (self._work[name].held for name in ("calls", "scripts"))
        parts = [counted(calls, "call") if calls else "", counted(scripts, "script")]
        return " and ".join(part for part in (parts[0], parts[1] if scripts else "") if part)

    def _cut(self) -> None:
        """Stop at once, and say what is lost."""
        lost = self._in_flight() if self._work else ""
        paid = " The server may charge for calls whose replies are lost." if "call" in lost else ""
        self._display.note(f"Stopping at once: {lost} lost.{paid}" if lost else "Stopping at once.")
        if self._last is None:
            self._last = threading.Timer(CLOSING_S, leave)
            self._last.daemon = True
            self._last.start()
        if self._task is not None:
            self._task.cancel()
