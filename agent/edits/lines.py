"""Text as lines and their endings, and back. Endings follow those around them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_LINES = 400
_MOST_PAIRS = 10_000
"""Up to this many equal pairs of lines, difflib is quick whatever their order."""


@dataclass(frozen=True, slots=True)
class FileLines:
    """A file's lines without their endings, and the endings; only the last may be ""."""

    lines: list[str]
    ends: list[str]
    mark: str = ""
    """A byte order mark that the text itself begins with."""

    @property
    def usual_end(self) -> str:
        """The ending that most lines have."""
        counted = Counter(end for end in self.ends if end)
        return counted.most_common(1)[0][0] if counted else "\n"

    def end_near(self, at: int) -> str:
        """The ending of line `at`, or of the one nearest to it that has one."""
        at = min(max(at, 0), len(self.ends) - 1)
        if self.ends and self.ends[at]:
            return self.ends[at]
        return self.ends[at - 1] if at > 0 else "\n"


def split_lines(text: str) -> FileLines:
    r"""The lines of `text`, ended by "\n", "\r\n", or, in a file without "\n", by "\r"."""
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    end = "\r" if "\r" in text and "\n" not in text else "\n"
    lines = text[len(mark) :].split(end)
    ends = [end] * (len(lines) - 1)
    if lines[-1]:
        ends.append("")
    else:
        del lines[-1]
    if end == "\n" and "\r\n" in text:
        for at, line in enumerate(lines):
            if line.endswith("\r") and ends[at]:
                lines[at], ends[at] = line[:-1], "\r\n"
    return FileLines(lines, ends, mark)


class Splice(NamedTuple):
    """Lines `start` to `stop` of a file (from 0, `stop` excluded) become `lines`."""

    start: int
    stop: int
    lines: Sequence[str]
    exact: bool = True
    """False: where only trailing whitespace differs, the file's own line is kept."""


def join_lines(file: FileLines, splices: Sequence[Splice]) -> str:
    """The file's text after the splices, which are in order and do not overlap."""
    pieces = [file.mark]
    done = 0
    for splice in splices:
        _add(pieces, file, done, splice.start)
        pieces += _spliced(file, splice)
        done = splice.stop
    _add(pieces, file, done, len(file.lines))
    return "".join(pieces)


def _add(pieces: list[str], file: FileLines, start: int, stop: int) -> None:
    for line, end in zip(file.lines[start:stop], file.ends[start:stop], strict=True):
        pieces.append(line)
        pieces.append(end)


def _spliced(file: FileLines, splice: Splice) -> list[str]:
    """The new lines, each with the ending of the line that it replaces or follows.

    Lines that stay are the file's own, byte by byte.
    """
    start, stop, new, exact = splice
    ends = set(file.ends[start:stop])
    if exact and len(ends) == 1 and "" not in ends:
        end = ends.pop()
        return [piece for line in new for piece in (line, end)]
    old = file.lines[start:stop]
    same = (old, new) if exact else ([line.rstrip() for line in old], [x.rstrip() for x in new])
    pieces: list[str] = []
    for change in align(*same):
        for k in range(change.new_start, change.new_stop):
            at = change.old_start + k - change.new_start
            if change.kind == "equal":
                pieces += [file.lines[start + at], file.ends[start + at]]
            else:
                at = start + min(at, change.old_stop - 1)
                pieces += [new[k], file.end_near(at)]
            if not pieces[-1] and k < len(new) - 1:
                pieces[-1] = file.end_near(stop - 1)
    return pieces


class Change(NamedTuple):
    """One step from one list of lines to another, like difflib's opcodes."""

    kind: Literal["equal", "replace", "delete", "insert"]
    old_start: int
    old_stop: int
    new_start: int
    new_stop: int


def align(old: Sequence[str], new: Sequence[str]) -> list[Change]:
    """Which lines two lists share. Quick on any input, but not always precise."""
    shortest = min(len(old), len(new))
    tail = 0
    while tail < shortest and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    head = 0
    while head < shortest - tail and old[head] == new[head]:
        head += 1
    changes = [Change("equal", 0, head, 0, head)] if head else []
    changes += _middle(old, new, head, tail)
    if tail:
        changes.append(Change("equal", len(old) - tail, len(old), len(new) - tail, len(new)))
    return changes


def _middle(old: Sequence[str], new: Sequence[str], head: int, tail: int) -> list[Change]:
    left, right = old[head : len(old) - tail], new[head : len(new) - tail]
    if not left and not right:
        return []
    if left and right and max(len(left), len(right)) <= _MOST_LINES:
        counted = Counter(right)
        if sum(counted[line] for line in left) <= _MOST_PAIRS:
            matcher = SequenceMatcher(None, left, right, autojunk=False)
            return [
                Change(kind, head + a, head + b, head + c, head + d)
                for kind, a, b, c, d in matcher.get_opcodes()
            ]
    kind: Literal["replace", "delete", "insert"] = "replace"
    if not (left and right):
        kind = "delete" if left else "insert"
    return [Change(kind, head, head + len(left), head, head + len(right))]
