"""What a diff changes, whatever tool wrote it: for telling that two diffs are the same edit."""

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
"""A path, a line, and how often more it stands there afterwards; less than 0: less often."""


def changed_lines(diff: str) -> tuple[Change, ...]:
    """The edit without its context, its line numbers and its object names, by path.

    Two diffs against near commits, with more or less context, or where one says
    `/dev/null` for what is not there and the other does not, come out alike.
    So do, rarely, two edits that do the same at different places. Empty when
    nothing can be compared so, as for binary files and bare renames.
    """
    sections = parts_of(diff.replace("\r\n", "\n")).sections
    found = (
        (_path(part), tuple(chain(*(hunk.changed for hunk in part.hunks)))) for part in sections
    )
    return tuple(sorted((path, lines) for path, lines in found if lines))


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


def _path(part: Section) -> str:
    """The path as the headers have it, quotes and all, without its prefix."""
    new = part.value("+++ ")
    named = part.value("--- ") if new is None or new.startswith(NOTHING) else new
    return re.sub("^[ab]/", "", (named or "").partition("\t")[0].strip())
