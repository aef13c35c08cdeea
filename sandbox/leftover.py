"""What Troop left behind, of whatever kind: what may go, and what is looked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something that may go."""

    what: str
    """"container", "folder", "half-made" or "image"."""
    name: str
    size: int
    """In bytes; of an image, what only it has, so removing two may free more than both."""
    since: float
    """When it was made or, of an image, last used."""
    why: str
    remove: Callable[[], bool]
    """Removes it unless it has come into use; whether it is gone. Raises SandboxError."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is looked for."""

    images: bool = False
    """Images too."""
    unused_for_s: float = 0.0
    """Images only that nobody has used for so long."""
    others: bool = False
    """Images too that another Troop made in this engine, or an older one, which kept no name."""
