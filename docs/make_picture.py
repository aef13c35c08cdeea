"""Makes docs/live.svg: the live display in the middle of a real run of the demo.

.venv/bin/python docs/make_picture.py
"""

from __future__ import annotations

import asyncio
import io
import tempfile
from pathlib import Path

from rich.console import Console

from agent.journal import Kind
from agent.observer import Doing
from runs.cli.demo import PACE_S, provider_and_image
from runs.demo.subject import demo_instance, recording, settings
from runs.run import session
from runs.run.config import load_config
from runs.show.live import LiveDisplay
from runs.store.database import sqlite_url

WIDTH = 100
PICTURE = Path(__file__).parent / "live.svg"
BUSY = 5
"""The picture is taken once so many samples edit or have ended, and one of them runs a script."""


class Camera(LiveDisplay):
    """A display that saves itself once."""

    taken = False

    def render(self, width, height):
        """Draw, and keep the drawing when the moment has come."""
        drawing = super().render(width, height)
        samples = [s for p in self._instances.values() for s in p.samples.values()]
        under_way = [doing for p in self._instances.values() for doing, _ in p.effects.values()]
        busy = sum(sample.kind is Kind.EDITING for sample in samples)
        if busy >= BUSY and {Doing.MODEL, Doing.SCRIPT} <= set(under_way) and not self.taken:
            self.taken = True
            paper = Console(record=True, width=WIDTH, file=io.StringIO())
            paper.print(drawing)
            PICTURE.write_text(paper.export_svg(title="troop demo"))
        return drawing


def main() -> None:
    """Run the demo and take the picture."""
    with tempfile.TemporaryDirectory() as folder:
        provider, image = asyncio.run(provider_and_image("auto"))
        job = session.Job(
            dataset="demo",
            instances=[demo_instance(Path(folder), image=image)],
            config=load_config(settings(), {}),
            database=sqlite_url(Path(folder) / "troop.db"),
            replay=recording(),
            pace=PACE_S,
        )
        console = Console(force_terminal=True, width=WIDTH)
        asyncio.run(session.carry_out(job, Camera(console), provider))


if __name__ == "__main__":
    main()
