"""What a diff changes, whatever tool wrote it: for telling that two diffs are the same edit."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

Change = tuple[str, tuple[str, ...]]
"""A path, and its removed and added lines in order."""
NetChange = tuple[str, str, int]
"""A path, a line, and how often more it stands there afterwards; less than 0: less often."""

_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")

_SIGNATURE = "-- "
"""Ends a mailed patch."""


def changed_lines(diff: str) -> tuple[Change, ...]:
    """The edit without its context, its line numbers and its object names, by path.

    Two diffs against near commits, with more or less context, or where one says
    `/dev/null` for what is not there and the other does not, come out alike.
    So do, rarely, two edits that do the same at different places. Empty when
    nothing can be compared so, as for binary files and bare renames.
    """
    return tuple(sorted(_files(diff.replace("\r\n", "\n").split("\n"))))


def net_lines(diff: str) -> tuple[NetChange, ...]:
    """What lines each path gains and loses in all, whatever stands beside what in the diff.

    Differ programs may align the same two files in several ways: a blank line
    is then kept in one diff, and removed and added in the other. What both
    come to is the same. So do, rarely, two edits that order lines differently.
    Empty when no line is gained or lost.
    """
    net: Counter[tuple[str, str]] = Counter()
    for path, lines in changed_lines(diff):
        for line in lines:
            net[path, line[1:]] += 1 if line[0] == "+" else -1
    return tuple(sorted((*where, count) for where, count in net.items() if count))


def _files(lines: list[str]) -> Iterator[Change]:
    path = ""
    changed: list[str] = []
    removed = added = 0
    for line in lines:
        if removed > 0 or added > 0:
            removed -= line[:1] != "+" and line[:1] != "\\"
            added -= line[:1] != "-" and line[:1] != "\\"
            if line[:1] in {"-", "+"}:
                changed.append(line)
        elif found := _HUNK.match(line):
            removed, added = (int(count) if count else 1 for count in found.groups())
        elif line.startswith(("--- ", "diff --git ")):
            if changed:
                yield path, tuple(changed)
                changed = []
            path = _name(line[4:])
        elif line.startswith("+++ ") and not line.startswith("+++ /dev/null"):
            path = _name(line[4:])
        elif changed and line[:1] in {"-", "+"} and line != _SIGNATURE:
            changed.append(line)  # the hunk's header counts too few
    if changed:
        yield path, tuple(changed)


def _name(header: str) -> str:
    """A path without its prefix; a time may follow after a tab."""
    return re.sub("^[ab]/", "", header.partition("\t")[0].strip())
