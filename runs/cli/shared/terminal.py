"""The consoles: results go to standard output, progress to standard error.

Nothing that is printed is cut. In a terminal, prose is broken between words; names and patches
stay whole, and may run past the edge, where the terminal wraps them. In a file or a pipe, lines
are not broken.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from rich.console import Console
from rich.measure import Measurement

from runs.show.layout import WIDEST

PAPER = 120
"""Columns where there is no terminal, COLUMNS is not set, and nothing is wider."""


def results() -> Console:
    """The console for results."""
    return _Whole(**_settings(stderr=False))


def progress() -> Console:
    """The console for progress and notes."""
    return Console(**_settings(stderr=True))


def write_patch(patch: str) -> None:
    """Write a patch to standard output, byte by byte as git needs it."""
    sys.stdout.flush()
    sys.stdout.buffer.write(patch.encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()


def _settings(*, stderr: bool) -> dict[str, Any]:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PAPER
    off = dict.fromkeys(("highlight", "markup", "emoji"), False)
    return {"stderr": stderr, "width": width, **off}


class _Whole(Console):
    """A console that cuts nothing."""

    def print(self, *objects: Any, **how: Any) -> None:
        """Print as rich does, past the edge of a terminal if need be."""
        if not self.is_terminal:
            wide = self.options.update(width=WIDEST)
            widths = (Measurement.get(self, wide, each).maximum for each in objects)
            self.width = max(self.width, *widths)
        super().print(*objects, **{"crop": False} | how)
