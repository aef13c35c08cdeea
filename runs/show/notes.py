"""Notes for people: the first of a kind is shown; those that differ only in names are counted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_DIGEST = re.compile(r"\b[0-9a-f]{12,64}\b")


class Notes:
    """The notes so far."""

    def __init__(self) -> None:
        self._firsts: dict[str, str] = {}
        """The first note of each kind."""
        self._more: dict[str, int] = {}
        """How many of the same kind followed."""

    def is_first(self, note: str, instances: Iterable[str]) -> bool:
        """Take a note; whether it is the first of its kind: others differ in instance or digest."""
        kind = _kind(note, instances)
        if kind not in self._firsts:
            self._firsts[kind] = note
            return True
        self._more[kind] = self._more.get(kind, 0) + 1
        return False

    def take_counts(self) -> list[str]:
        """A line for each kind that came again after the last call of this."""
        more, self._more = self._more, {}
        return [f"{count} more like this: {self._firsts[kind]}" for kind, count in more.items()]


def _kind(note: str, instances: Iterable[str]) -> str:
    """The note without the names of instances, which image names spell in their own way."""
    spellings = {s for one in instances for s in (one, one.lower().replace("__", "_1776_"))}
    here = sorted((name for name in spellings if name in note), key=len, reverse=True)
    if here:
        names = "|".join(map(re.escape, here))
        note = re.sub(rf"(?<![A-Za-z0-9])({names})(?![A-Za-z0-9])", "…", note)
    return _DIGEST.sub("…", note)
