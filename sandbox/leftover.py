"""Things of any kind that Troop left behind, and which of them are looked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something that may be removed."""

    what: str
    """"container", "network", "folder", "half-made" or "image"."""
    name: str
    size: int
    """In bytes. For an image, what only it has, so removing two may free more than both."""
    since: float
    """When it was made or, for an image, last used."""
    why: str
    remove: Callable[[], bool]
    """Removes it unless it is used now. Returns whether it is gone. Raises SandboxError."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is looked for."""

    images: bool = False
    """Images too."""
    unused_for_s: float = 0.0
    """Only images that nobody has used for so many seconds."""
    others: bool = False
    """Also images that another Troop made in this engine, or an older one that kept no id."""
