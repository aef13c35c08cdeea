"""What a hostile patch is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Hostile:
    """A patch that does not fix the issue and breaks a repository test, but wants votes."""

    name: str
    tries: str
    """What it tries, as a sentence."""
    files: Mapping[str, str]
    """What it adds or changes. What it leaves out is as in the honest wrong patch."""
    seen: str = "execution"
    """What denies it the votes: its "execution", or only its "diff"."""
