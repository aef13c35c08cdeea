"""Repairs of the names in a diff's headers: times, checkouts, prefixes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from data.patches.parts import NOTHING, parts_of
from data.patches.text import GIT_PREFIXES

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.patches.parts import Section

_TIME = re.compile(
    r" +\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?(?:\.\d{1,9})?(?: ?[+-]\d\d:?\d\d)?\r?$"
)
_TIME_LENGTH = 60
_CHECKOUTS = ("/testbed/", "/app/", "/repo/")
"""Where the images of the SWE-bench family have the repository."""
_LABELS = ("--- ", "+++ ", "diff --git ")


def spaced_times(text: str) -> tuple[str, str]:
    """Drop times that stand after a space: git reads a name up to a tab."""

    def without(line: str, _: Section) -> str:
        if not line.startswith(("--- ", "+++ ")) or "\t" in line:
            return line
        tail = line[-_TIME_LENGTH:]
        return line[: len(line) - len(tail)] + _TIME.sub("", tail)

    return _headers(text, without, "took out the times after file names")


def checkout_names(text: str) -> tuple[str, str]:
    """Make names relative that begin with where an image has the repository."""

    def relative(line: str, _: Section) -> str:
        label = _label(line)
        if not label:
            return line
        mark = {"--- ": "a/", "+++ ": "b/"}
        if label in mark:
            return label + _from_checkout(line.removeprefix(label), mark[label])
        first, space, second = line.removeprefix(label).partition(" ")
        return f"{label}{_from_checkout(first, 'a/')}{space}{_from_checkout(second, 'b/')}"

    return _headers(text, relative, "took its absolute paths for paths in the repository")


def bare_names(text: str) -> tuple[str, str]:
    """Add a/ and b/ where a file's names have no prefixes."""
    bare = {part.start for part in parts_of(text).sections if _is_bare(part)}
    if not bare:
        return text, ""

    def prefixed(line: str, part: Section) -> str:
        label = _label(line)
        if not label or part.start not in bare:
            return line
        names = line.removeprefix(label)
        if label != "diff --git ":
            mark = "a/" if label == "--- " else "b/"
            return label + _prefixed(names, mark)
        pair = _bare_pair(part)
        if pair:
            return f"{label}{_prefixed(pair[0], 'a/')} {_prefixed(pair[1], 'b/')}"
        return line

    return _headers(text, prefixed, "added a/ and b/ to its paths")


def _is_bare(part: Section) -> bool:
    """Whether the names lack prefixes: with them, the two differ in them."""
    old, new = part.old, part.new
    if old is None or new is None:
        return _bare_pair(part) is not None
    if NOTHING in {old, new}:
        named = new if old == NOTHING else old
        return named != NOTHING and not _seems_prefixed(named) and not named.startswith("/")
    moved = part.value("rename from "), part.value("rename to ")
    if moved == (old, new):
        return True
    return old == new and not _seems_prefixed(old) and not old.startswith("/")


def _bare_pair(part: Section) -> tuple[str, str] | None:
    """Return both names of a `diff --git` line without prefixes, as they stand there."""
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
    return None if _seems_prefixed(first.removeprefix('"')) else (first, second)


def _seems_prefixed(name: str) -> bool:
    first, slash, _ = name.partition("/")
    return bool(slash) and first in GIT_PREFIXES


def _prefixed(name: str, mark: str) -> str:
    if name.partition("\t")[0].rstrip("\r") == NOTHING:
        return name
    return f'"{mark}{name[1:]}' if name.startswith('"') else mark + name


def _from_checkout(name: str, mark: str) -> str:
    for checkout in _CHECKOUTS:
        for written in (checkout, mark + checkout):
            if name.startswith(written):
                return mark + name.removeprefix(written)
    return (
        mark + name.removeprefix(mark + "testbed/") if name.startswith(mark + "testbed/") else name
    )


def _label(line: str) -> str:
    return next((label for label in _LABELS if line.startswith(label)), "")


def _headers(text: str, change: Callable[[str, Section], str], note: str) -> tuple[str, str]:
    """Rewrite the headers of every section; the note where that changes something."""
    parts = parts_of(text)
    new: dict[int, str] = {}
    for part in parts.sections:
        for offset, line in enumerate(part.headers):
            changed = change(line, part)
            if changed != line:
                new[part.start + offset] = changed
    if not new:
        return text, ""
    lines = [new.get(number, line) for number, line in enumerate(parts.lines)]
    return "\n".join(lines) + "\n", note
