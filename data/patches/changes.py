"""What a diff changes, whichever tool wrote it, to find out whether two diffs are the same edit."""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

from data.patches.parts import NOTHING, parts_of

if TYPE_CHECKING:
    from data.patches.parts import Section

Change = tuple[str, tuple[str, ...]]
"""A path, and its removed and added lines in order."""
NetChange = tuple[str, str, int]
"""A path, a line, and how many more of it there are afterwards; below 0: fewer."""


def changed_lines(diff: str) -> tuple[Change, ...]:
    """The edit without its context, its line numbers and its object names, by path.

    The result is the same for diffs against nearby commits, with more or less
    context, or with and without `/dev/null` for a missing file. Rarely, it is also
    the same for edits that make the same change in different places. Empty if
    nothing can be compared, as for binary files and plain renames.
    """
    sections = parts_of(diff.replace("\r\n", "\n")).sections
    found = (
        (_path(part), tuple(chain(*(hunk.changed for hunk in part.hunks)))) for part in sections
    )
    return tuple(sorted((path, lines) for path, lines in found if lines))


def net_lines(diff: str) -> tuple[NetChange, ...]:
    """The lines that each path gains and loses in all, in whatever order the diff has them.

    Diff programs may align the same two files in several ways: one diff keeps a
    blank line that another removes and adds again. The net result is the same.
    Rarely, it is also the same for edits that only differ in the order of lines.
    Empty if no line is gained or lost.
    """
    net: Counter[tuple[str, str]] = Counter()
    for path, lines in changed_lines(diff):
        for line in lines:
            net[path, line[1:]] += 1 if line[0] == "+" else -1
    return tuple(sorted((*where, count) for where, count in net.items() if count))


def _path(part: Section) -> str:
    """The path in the headers, with quotes but without its prefix."""
    new = part.value("+++ ")
    named = part.value("--- ") if new is None or new.startswith(NOTHING) else new
    return re.sub("^[ab]/", "", (named or "").partition("\t")[0].strip())
