"""What was found in a submission."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class ReviewFinding:
    """Something that is wrong, or to be looked at."""

    where: str
    """A file or folder of the submission."""
    what: str
    hint: str = ""
    instances: tuple[str, ...] = ()
    """Those that it is about, where it is about some of them."""
    grave: bool = True
    """Whether a reviewer would reject it; else a person should look."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A submission as far as all checks need it."""

    folder: Path
    patches: dict[str, str]
    """By instance id; of several for one instance, the last."""
    known: frozenset[str] | None
    """The ids of the dataset; None: they could not be had."""
