"""Repairs of the names in a diff's headers: times, checkouts, prefixes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from data.patches.parts import NOTHING, parts_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.patches.parts import Section

GIT_PREFIXES = {"a", "b", "c", "i", "o", "w", "1", "2"}
"""What git writes before the first slash, including mnemonic prefixes and --no-index."""

_TIME = re.compile(
    r" +\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?(?:\.\d{1,9})?(?: ?[+-]\d\d:?\d\d)?\r?$"
)
_TIME_LENGTH = 60
_CHECKOUTS = ("/testbed/", "/app/", "/repo/")
"""Where the images of the SWE-bench family have the repository."""
_MARKS = {"--- ": "a/", "+++ ": "b/"}


def spaced_times(text: str) -> tuple[str, str]:
    """Drop times after a space, because git reads a name up to a tab."""

    def without(label: str, names: str, _: Section) -> str:
        if label not in _MARKS or "\t" in names:
            return names
        tail = names[-_TIME_LENGTH:]
        return names[: len(names) - len(tail)] + _TIME.sub("", tail)

    return _renamed(text, without, "took out the times after file names")


def checkout_names(text: str) -> tuple[str, str]:
    """Make names relative that begin with an image's folder of the repository."""

    def relative(label: str, names: str, _: Section) -> str:
        if label in _MARKS:
            return _from_checkout(names, _MARKS[label])
        first, space, second = names.partition(" ")
        return f"{_from_checkout(first, 'a/')}{space}{_from_checkout(second, 'b/')}"

    return _renamed(text, relative, "took its absolute paths as paths in the repository")


def bare_names(text: str) -> tuple[str, str]:
    """Add a/ and b/ if a file's names have no prefixes."""

    def prefixed(label: str, names: str, part: Section) -> str:
        if not _is_bare(part):
            return names
        if label in _MARKS:
            return _prefixed(names, _MARKS[label])
        pair = _bare_pair(part)
        return f"{_prefixed(pair[0], 'a/')} {_prefixed(pair[1], 'b/')}" if pair else names

    return _renamed(text, prefixed, "added a/ and b/ to its paths")


def seems_prefixed(name: str) -> bool:
    """Whether a name begins with one of git's prefixes."""
    first, slash, _ = name.partition("/")
    return bool(slash) and first in GIT_PREFIXES


def _is_bare(part: Section) -> bool:
    """Whether the names lack prefixes, in which the two would differ."""
    old, new = part.old, part.new
    if old is None or new is None:
        return _bare_pair(part) is not None
    if NOTHING in {old, new}:
        named = new if old == NOTHING else old
        return named != NOTHING and not seems_prefixed(named) and not named.startswith("/")
    moved = part.value("rename from "), part.value("rename to ")
    if moved == (old, new):
        return True
    return old == new and not seems_prefixed(old) and not old.startswith("/")


def _bare_pair(part: Section) -> tuple[str, str] | None:
    """Return both names of a `diff --git` line without prefixes, as they are written."""
    value = part.value("diff --git ")
    if value is None:
        return None
    for kind in ("rename", "copy"):
        first, second = part.value(f"{kind} from "), part.value(f"{kind} to ")
        if first and second:
            return (first, second) if value == f"{first} {second}" else None
    half = len(value) // 2
    first, second = value[:half], value[half + 1 :]
    if first != second or value[half : half + 1] != " ":
        return None
    return None if seems_prefixed(first.removeprefix('"')) else (first, second)


def _prefixed(name: str, mark: str) -> str:
    if name.partition("\t")[0].rstrip("\r") == NOTHING:
        return name
    return f'"{mark}{name[1:]}' if name.startswith('"') else mark + name


def _from_checkout(name: str, mark: str) -> str:
    for checkout in (*_CHECKOUTS, *(mark + each for each in _CHECKOUTS), f"{mark}testbed/"):
        if name.startswith(checkout):
            return mark + name.removeprefix(checkout)
    return name


def _renamed(text: str, change: Callable[[str, str, Section], str], note: str) -> tuple[str, str]:
    """Rewrite the names in the headers of every section; the note is "" if nothing changes."""
    parts = parts_of(text)
    lines = list(parts.lines)
    for part in parts.sections:
        for number, line in enumerate(part.headers, part.start):
            label = next((each for each in (*_MARKS, "diff --git ") if line.startswith(each)), "")
            if label:
                lines[number] = label + change(label, line.removeprefix(label), part)
    return ("\n".join(lines) + "\n", note) if lines != list(parts.lines) else (text, "")
