"""The consoles: results go to standard output, progress to standard error.

Nothing that is printed is cut. In a terminal, prose is broken between words; names and patches
stay whole, and may run past the edge, where the terminal wraps them. In a file or a pipe, lines
are not broken.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.measure import Measurement
from rich.segment import Segment

from runs.cli.shared.streams import harmless, styled
from runs.show.layout import WIDEST

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import ConsoleOptions, RenderableType

PAPER = 120
"""Columns where there is no terminal, COLUMNS is not set, and nothing is wider."""


def results() -> Console:
    """The console for results."""
    return _Whole(**_settings(stderr=False))


def progress() -> Console:
    """The console for progress and notes."""
    return _Careful(**_settings(stderr=True))


def write_patch(patch: str) -> None:
    """Write a patch to standard output, byte by byte as git needs it, but not to a terminal."""
    if sys.stdout.isatty():
        sys.stdout.write(patch)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(patch.encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()


def _settings(*, stderr: bool) -> dict[str, Any]:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PAPER
    off = dict.fromkeys(("highlight", "markup", "emoji"), False)
    return {"file": styled(stream), "stderr": stderr, "width": width, **off}


class _Careful(Console):
    """A console for texts of anybody: they cannot act on the terminal."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """As rich does. Control codes of its own are segments of another kind."""
        for text, style, control in super().render(renderable, options):
            known = control is not None or not self.is_terminal
            yield Segment(text if known else harmless(text), style, control)


class _Whole(_Careful):
    """A console that cuts nothing."""

    def print(self, *objects: Any, **how: Any) -> None:
        """Print as rich does, past the edge of a terminal if need be."""
        if not self.is_terminal:
            wide = self.options.update(width=WIDEST)
            widths = (Measurement.get(self, wide, each).maximum for each in objects)
            self.width = max(self.width, *widths)
        super().print(*objects, **{"crop": False} | how)
