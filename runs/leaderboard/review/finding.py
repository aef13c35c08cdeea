"""What was found in a submission."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class ReviewFinding:
    """Something that is wrong, or that a person should look at."""

    where: str
    """A file or folder of the submission."""
    what: str
    hint: str = ""
    instances: tuple[str, ...] = ()
    """The instances that it is about, if it is about some of them."""
    grave: bool = True
    """Whether a reviewer would reject it; if not, a person should look at it."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """What all checks need of a submission."""

    folder: Path
    patches: dict[str, str]
    """The patches by instance id; of several for one instance, the last."""
    known: frozenset[str] | None
    """The ids of the dataset; None: they could not be read."""
