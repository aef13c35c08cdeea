"""The one reader of diffs: sections of files, their hunks, and the lines around them.

Diffs are read as `git apply` reads them (its documentation, and `apply.c`): lines
outside the sections are ignored, and hunks are as long as their headers say. It
takes one pass over the lines, without regular expressions that backtrack. All
other code that looks into a diff (what it changes, which paths it names, which of
its files are litter, what is wrong with it) uses these parts.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from data.paths import decode_path

HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
NOTHING = "/dev/null"
_MOVED = ("rename from ", "rename to ", "copy from ", "copy to ")
_EXTENDED = (
    *("index ", "old mode ", "new mode ", "new file mode ", "deleted file mode "),
    *("similarity index ", "dissimilarity index ", *_MOVED),
)
_COMBINED = ("diff --cc ", "diff --combined ", "@@@ ")
_SIGNATURES = {"-- ", "--"}
"""What `git format-patch` puts before its version."""
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_ESCAPES = dict(zip(b"abtnvfr", b"\a\b\t\n\v\f\r", strict=True))
_LONGEST_NAMES = 20_000
"""The longest names after `diff --git`, in bytes, escaped."""
_MOST_SPACES = 200


@dataclass(frozen=True, slots=True)
class Hunk:
    """A hunk: its lines are those from `start` (the @@ line) up to `end`."""

    start: int
    end: int
    counted: bool
    """Whether it is as long as its header says."""
    changed: tuple[str, ...]
    """The lines that are added or taken away, with their signs."""


@dataclass(frozen=True, slots=True)
class Section:
    """What a diff says about one file: the lines from `start` on."""

    start: int
    lines: tuple[str, ...]
    headers: tuple[str, ...]
    hunks: tuple[Hunk, ...]
    opaque: bool
    """Whether it is a binary file whose content is not in the diff."""
    data: bool
    """Whether it is a binary file whose content is in the diff."""

    def value(self, prefix: str) -> str | None:
        """Return what follows `prefix` in the headers."""
        found = (line for line in self.headers if line.startswith(prefix))
        line = next(found, None)
        return None if line is None else line.removeprefix(prefix).rstrip("\r")

    @property
    def old(self) -> str | None:
        """The name after `---`, as it is written but without quotes."""
        return self._name("--- ")

    @property
    def new(self) -> str | None:
        """The name after `+++`, as it is written but without quotes."""
        return self._name("+++ ")

    @property
    def git(self) -> tuple[str, str] | None:
        """Both names after `diff --git`, if they can be separated."""
        value = self.value("diff --git ")
        names = _git_names(_raw(value)) if value else None
        return (decode_path(names[0]), decode_path(names[1])) if names else None

    @property
    def prefixed(self) -> list[str]:
        """The names that normally begin with a/ or b/, as they are written, without /dev/null."""
        told = (name for name in (self.old, self.new) if name is not None and name != NOTHING)
        return [*(self.git or ()), *told]

    @property
    def bare(self) -> list[str]:
        """The names after `rename` and `copy`, which have no prefix."""
        return [name for name in map(self._name, _MOVED) if name]

    @property
    def created(self) -> bool:
        """Whether the file is new."""
        return self.value("new file mode ") is not None or self.old == NOTHING

    @property
    def path(self) -> str:
        """The file that results, or that is deleted; "": it is not known."""
        for prefix in ("rename to ", "copy to "):
            bare = self._name(prefix)
            if bare:
                return bare
        named = [name for name in (self.new, self.old, *(self.git or ())) if name]
        return next((name.partition("/")[2] for name in named if name != NOTHING), "")

    @property
    def makes_link(self) -> bool:
        """Whether it makes a symbolic link or a submodule, which no patch may hold."""
        modes = (self.value("new mode ") or "", self.value("new file mode ") or "")
        index = (self.value("index ") or "").split(" ")[1:] if self.new != NOTHING else []
        return any(mode.startswith(("120", "160")) for mode in (*modes, *index))

    @property
    def does_something(self) -> bool:
        """Whether it changes content, mode or name."""
        told = ("old mode ", "new file mode ", "deleted file mode ", "rename from ", "copy from ")
        return bool(self.hunks or self.data or any(self.value(prefix) for prefix in told))

    def _name(self, prefix: str) -> str | None:
        value = self.value(prefix)
        return None if value is None else decode_path(_unquoted(_raw(value)))


@dataclass(frozen=True, slots=True)
class Parts:
    """A diff in its parts."""

    lines: tuple[str, ...]
    """Without the line feeds."""
    sections: tuple[Section, ...]
    around: tuple[int, ...]
    """Lines outside the sections that are not blank."""
    stray: bool
    """Whether there are hunks without a file."""
    combined: bool
    """Whether there are hunks of a merge, which no tool applies."""


@functools.lru_cache(maxsize=1)
def parts_of(text: str) -> Parts:
    """Take a diff apart."""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    sections, around = [], []
    number = 0
    while number < len(lines):
        line = lines[number]
        if line.startswith("diff --git ") or _is_pair(lines, number):
            sections.append(_section(lines, number))
            number += len(sections[-1].lines)
            continue
        if line and not line.isspace():
            around.append(number)
        number += 1
    return Parts(
        lines=tuple(lines),
        sections=tuple(sections),
        around=tuple(around),
        stray=any(HUNK.match(lines[number]) for number in around),
        combined=any(lines[number].startswith(_COMBINED) for number in around),
    )


def _is_pair(lines: list[str], number: int) -> bool:
    """Whether `---`, `+++` and a hunk begin here."""
    return (
        lines[number].startswith("--- ")
        and number + 2 < len(lines)
        and lines[number + 1].startswith("+++ ")
        and lines[number + 2].startswith("@@ -")
    )


def _section(lines: list[str], start: int) -> Section:
    number = start
    if lines[number].startswith("diff --git "):
        number += 1
        while number < len(lines) and lines[number].startswith(_EXTENDED):
            number += 1
    if number + 1 < len(lines) and lines[number].startswith("--- "):
        number += 2 if lines[number + 1].startswith("+++ ") else 0
    headers = tuple(lines[start:number])
    line = lines[number] if number < len(lines) else ""
    opaque = line.startswith("Binary files ") and line.rstrip().endswith(" differ")
    data = line.rstrip() == "GIT binary patch"
    if opaque:
        number += 1
    elif data:
        number = _past_data(lines, number + 1)
    hunks = []
    while number < len(lines) and (found := HUNK.match(lines[number])):
        hunks.append(_hunk(lines, number, found))
        number = hunks[-1].end
    return Section(start, tuple(lines[start:number]), headers, tuple(hunks), opaque, data)


def _past_data(lines: list[str], number: int) -> int:
    while number < len(lines) and lines[number].startswith(("literal ", "delta ")):
        while number < len(lines) and lines[number].strip():
            number += 1
        number += number < len(lines)
    return number


def _hunk(lines: list[str], start: int, header: re.Match[str]) -> Hunk:
    old, new = (int(header[2] or 1), int(header[4] or 1))
    end = start + 1
    while end < len(lines) and (old > 0 or new > 0):
        kind = lines[end][:1]
        if kind not in {" ", "", "+", "-", "\\", "\r"}:
            break
        old -= kind in {" ", "", "-", "\r"}
        new -= kind in {" ", "", "+", "\r"}
        end += 1
    if end < len(lines) and lines[end].startswith("\\"):
        end += 1
    counted = old == new == 0 and not _goes_on(lines, end)
    if not counted:
        end = _loose_end(lines, start + 1)
    changed = (line for line in lines[start + 1 : end] if line[:1] in {"+", "-"})
    return Hunk(start, end, counted, tuple(changed))


def _goes_on(lines: list[str], number: int) -> bool:
    """Whether more changes follow the counted lines, which git would silently drop."""
    while number < len(lines) and lines[number][:1] in {" ", "+", "-"}:
        if _is_pair(lines, number) or lines[number] in _SIGNATURES:
            return False
        if lines[number][:1] != " ":
            return True
        number += 1
    return False


def _loose_end(lines: list[str], start: int) -> int:
    """Find where a hunk ends by what its lines look like."""
    number = start
    while number < len(lines):
        line = lines[number]
        last = number + 2 >= len(lines)
        if (
            line[:1] not in {" ", "", "+", "-", "\\", "\r"}
            or _is_pair(lines, number)
            or (line in _SIGNATURES and last)
        ):
            break
        number += 1
    while number > start and not lines[number - 1].strip("\r"):
        number -= 1
    return number


def _git_names(rest: bytes) -> tuple[bytes, bytes] | None:
    """Split the names after `diff --git`, which are the same except for their prefixes.

    A line longer than two paths gives no names, so that the time stays linear.
    """
    if len(rest) > _LONGEST_NAMES or rest.count(b" ") > _MOST_SPACES:
        return None
    for place, letter in enumerate(rest):
        if letter == ord(b" "):
            old, new = _unquoted(rest[:place]), _unquoted(rest[place + 1 :])
            if old == new or old.partition(b"/")[2] == new.partition(b"/")[2] != b"":
                return old, new
    return None


def _unquoted(name: bytes) -> bytes:
    """Undo git's C-style quotes; an unquoted name ends at a tab (a time may follow)."""
    if len(name) > 1 and name.startswith(b'"') and name.rstrip().endswith(b'"'):
        return _ESCAPE.sub(_unescaped, name.rstrip()[1:-1])
    return name.partition(b"\t")[0]


def _unescaped(found: re.Match[bytes]) -> bytes:
    code = found[1]
    if len(code) > 1:
        return bytes([int(code, 8) & 0xFF])
    return bytes([_ESCAPES.get(code[0], code[0])])


def _raw(value: str) -> bytes:
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass")
