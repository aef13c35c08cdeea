"""Notes for people before there is a display."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def tell(notes: Sequence[str]) -> None:
    """Notes on standard error, each on a line."""
    from runs.words import visible

    sys.stderr.write("".join(f"{visible(note)}\n" for note in notes))
