"""Notes for people, before the live display begins."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def tell(notes: Sequence[str]) -> None:
    """Print notes on standard error, a line each."""
    from runs.words import visible

    sys.stderr.write("".join(f"{visible(note)}\n" for note in notes))
