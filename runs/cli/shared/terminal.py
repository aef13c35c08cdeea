"""The consoles: results go to standard output, progress to standard error."""

from __future__ import annotations

import os
import sys

from rich.console import Console

PAPER = 120
"""Columns where there is no terminal and COLUMNS is not set."""


def results() -> Console:
    """For what was asked for."""
    return _console(stderr=False)


def progress() -> Console:
    """For what happens meanwhile."""
    return _console(stderr=True)


def write_patch(patch: str) -> None:
    """A patch on standard output, byte by byte as git wants it."""
    sys.stdout.flush()
    sys.stdout.buffer.write(patch.encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PAPER
    return Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)
