"""Live progress: a table that redraws itself in a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Self

from rich.console import Console, Group
from rich.text import Text

from runs.show import drawing
from runs.show.activity import heartbeat
from runs.show.frame import Frame, ResizableLive
from runs.show.lines import MEDIUM, line
from runs.show.notes import Notes
from runs.show.progress import FEW, InstanceProgress
from runs.show.sample_table import legend
from runs.show.spending import Totals, spent
from runs.store.registry import Status

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from rich.console import RenderableType

BEAT_S = 60.0
"""If lines are printed, there is one at least this often, whatever happens."""
COUNT_DOWN_S = 10.0
"""If lines are printed, what a stop waits for is printed this often."""
_LOOK_S = 1.0


class LiveDisplay:
    """Shows a run. In a terminal it redraws; elsewhere it prints a line for each event.

    `clock` gives seconds from any start.
    """

    def __init__(
        self,
        console: Console,
        *,
        title: str = "",
        quiet: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.totals = Totals()
        self.title = title
        self.trouble = ""
        """Why a call is being tried again; "" once one has succeeded."""
        self.now = clock
        self._console = console
        self._quiet = quiet
        self._instances: dict[str, InstanceProgress] = {}
        self._notes = Notes()
        self._began = self._spoke = clock()
        self._retries: dict[str, float] = {}
        """When each reason to try again was last printed."""
        self._waits_for = ""
        self._waited = 0.0
        self._live: ResizableLive | None = None
        self._over = threading.Event()
        self._pulse: threading.Thread | None = None

    def __enter__(self) -> Self:
        if self._quiet:
            return self
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            self._live = ResizableLive(Frame(self.render), self._console)
            self._live.start()
        else:
            self._pulse = threading.Thread(target=self._beat_on, daemon=True)
            self._pulse.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._pulse is not None:
            self._pulse.join()
        for note in self._notes.take_counts():
            self._say(note)
        if self._live is not None:
            self._live.stop()

    def enter(self, instance_id: str, status: Status) -> None:
        """The run has this instance, which an earlier command may have ended."""
        self._of(instance_id).status = status if status.final else Status.WAITING
        if status.final:
            self.tell(f"{instance_id}: {status.words} already; nothing to do", detail=True)

    def opening(self, instance_id: str, waits_for: str) -> None:
        """What an instance waits for before work begins; "": nothing more."""
        progress = self._of(instance_id)
        subject = waits_for.partition(": ")[0]  # the rest is its progress
        if subject and subject != progress.opening.partition(": ")[0]:
            self.tell(f"{instance_id}: {subject}")
        progress.status, progress.opening = Status.RUNNING, waits_for

    def observer(self, instance_id: str, samples: int) -> InstanceProgress:
        """See `runs.run.display.Display`."""
        progress = self._of(instance_id)
        progress.begin(samples)
        return progress

    def ended(self, instance_id: str, status: Status, error: str) -> None:
        """An instance has ended."""
        progress = self._of(instance_id)
        progress.status, progress.error, progress.ended = status, error, self.now()
        progress.effects.clear()
        self.tell(f"{instance_id}: {status.words}" + (f": {error}" if error else ""))

    def note(self, message: str) -> None:
        """Something a person should know, in every kind of display; repeats are counted."""
        if self._notes.is_first(message, list(self._instances)):
            self._say(message)

    def retrying(self, reason: str, wait_s: float) -> None:
        """The model server did not answer; the call is tried again after `wait_s` seconds."""
        self.trouble = f"retrying in {wait_s:.0f} s: {reason}"
        if self.now() - self._retries.get(reason, -BEAT_S) >= BEAT_S:  # many calls may fail alike
            self._retries[reason] = self.now()
            self.tell(self.trouble)

    def stopping(self, waits_for: str) -> None:
        """A stop was asked for, and waits for this; "": for nothing more."""
        begins = not self._waits_for
        self._waits_for = waits_for
        if waits_for and (begins or self.now() - self._waited >= COUNT_DOWN_S):
            self._waited = self.now()
            self.tell(waits_for)

    def tell(self, line: str, *, detail: bool = False) -> None:
        """An event, printed if there is no table to show it.

        `detail`: not with many instances, where it would be a flood.
        """
        if self._live is None and not self._quiet and not (detail and len(self._instances) > FEW):
            self._spoke = self.now()
            seconds = self._spoke - self._began
            self._console.print(Text(f"{seconds:7.1f}s  {line}"), soft_wrap=True)

    def beat(self) -> None:
        """Say what is under way if nothing was printed for `BEAT_S` seconds."""
        if self.now() - self._spoke >= BEAT_S:
            for said in heartbeat(list(self._instances.values()), self.now()):
                self.tell(said)

    def render(self, width: int, height: int) -> RenderableType:
        """The whole display as it is now, in so many columns and lines."""
        instances, now = list(self._instances.values()), self.now()
        top: list[RenderableType] = [
            drawing.heading(self.title, instances, now - self._began, width),
            *(line(said, "yellow") for said in (self._waits_for, self.trouble) if said),
        ]
        bottom: list[RenderableType] = []
        if len(instances) > 1:
            top.insert(1, drawing.overview(instances, now))
            if height >= 10 and width >= MEDIUM:  # noqa: PLR2004 - there is room
                bottom.append(legend(instances))
        if height >= 6:  # noqa: PLR2004 - there is room
            bottom.append(line(spent(self.totals), "dim"))
        rows = height - len(top) - len(bottom)
        if rows < 1:
            return Group(*top[:height])
        if len(instances) == 1:
            return Group(*top, drawing.one(instances[0], now, width, rows), *bottom)
        return Group(*top, drawing.many(instances, now, width, rows), *bottom)

    def _say(self, note: str) -> None:
        self._console.print(Text(note, style="yellow"), soft_wrap=self._live is None)

    def _of(self, instance_id: str) -> InstanceProgress:
        return self._instances.setdefault(instance_id, InstanceProgress(self, instance_id))

    def _beat_on(self) -> None:
        while not self._over.wait(_LOOK_S):
            self.beat()
