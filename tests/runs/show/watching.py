"""What tests of the live display begin with: a display on a clock of their own."""

from __future__ import annotations

import io

from rich.console import Console

from agent.journal import Kind, TrajectoryId
from agent.observer import Stage
from runs.show.frame import Frame
from runs.show.live import LiveDisplay
from runs.store.registry import Status


class Watched:
    """A display, what it printed, and a clock that only tests move."""

    def __init__(self, *ids: str, samples: int = 0) -> None:
        self.seconds = 0.0
        self.output = io.StringIO()
        console = Console(file=self.output, width=120)
        self.display = LiveDisplay(console, title="first (mock)", clock=lambda: self.seconds)
        for name in ids:
            self.display.enter(name, Status.WAITING)
        self.observers = {name: self.display.observer(name, samples) for name in ids}
        if samples:
            for observer in self.observers.values():
                observer.stage(Stage.SAMPLES, samples)

    @property
    def printed(self) -> list[str]:
        return [line.split("s  ", 1)[-1] for line in self.output.getvalue().splitlines()]

    def screen(self, width: int = 120, height: int = 24) -> list[str]:
        console = Console(file=io.StringIO(), width=width, height=height)
        console.print(Frame(self.display.render))
        return console.file.getvalue().splitlines()

    def row(self, name: str) -> str:
        """The line of the screen that has this in it."""
        (line,) = [line for line in self.screen() if name in line]
        return line


def of_sample(number: int, kind: Kind) -> TrajectoryId:
    return TrajectoryId(f"sample-{number}/{kind}", kind, number)
