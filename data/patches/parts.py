"""The parts of a diff: sections of files, their hunks, and the lines around them.

Read as `git apply` reads them (its documentation, and `apply.c`): what stands
outside the sections is ignored, hunks are as long as their headers say. One
pass over the lines, without regular expressions that could go back.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field

from data.patches.text import git_names, unquoted
from data.paths import decode_path

HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
NOTHING = "/dev/null"
_EXTENDED = (
    *("index ", "old mode ", "new mode ", "new file mode ", "deleted file mode "),
    *("similarity index ", "dissimilarity index "),
    *("rename from ", "rename to ", "copy from ", "copy to "),
)
_COMBINED = ("diff --cc ", "diff --combined ", "@@@ ")
_SIGNATURES = {"-- ", "--"}
"""What `git format-patch` puts before its version."""


@dataclass(slots=True)
class Hunk:
    """A hunk: its lines are those from `start` (the @@ line) up to `end`."""

    start: int
    end: int
    counted: bool
    """Whether it is as long as its header says."""
    changes: bool
    """Whether a line is added or taken away."""


@dataclass(slots=True)
class Section:
    """What a diff says about one file: the lines from `start` up to `end`."""

    start: int
    end: int = 0
    headers: list[str] = field(default_factory=list)
    hunks: list[Hunk] = field(default_factory=list)
    opaque: bool = False
    """A binary file whose content the diff leaves out."""
    data: bool = False
    """A binary file whose content is there."""

    def value(self, prefix: str) -> str | None:
        """Return what follows `prefix` in the headers."""
        found = (line for line in self.headers if line.startswith(prefix))
        line = next(found, None)
        return None if line is None else line.removeprefix(prefix).rstrip("\r")

    @property
    def old(self) -> str | None:
        """The name after `---`, as it stands but without quotes."""
        return _name(self.value("--- "))

    @property
    def new(self) -> str | None:
        """The name after `+++`, as it stands but without quotes."""
        return _name(self.value("+++ "))

    @property
    def git(self) -> tuple[str, str] | None:
        """Both names after `diff --git`, where they can be told apart."""
        value = self.value("diff --git ")
        names = git_names(_raw(value)) if value else []
        return (decode_path(names[0]), decode_path(names[1])) if names else None

    @property
    def created(self) -> bool:
        """Whether the file is new."""
        return self.value("new file mode ") is not None or self.old == NOTHING

    @property
    def path(self) -> str:
        """The file that results, or that is deleted; "" where it cannot be told."""
        for prefix in ("rename to ", "copy to "):
            bare = _name(self.value(prefix))
            if bare:
                return bare
        named = [name for name in (self.new, self.old, *(self.git or ())) if name]
        return next((name.partition("/")[2] for name in named if name != NOTHING), "")

    @property
    def does_something(self) -> bool:
        """Whether it changes content, mode or name."""
        told = ("old mode ", "new file mode ", "deleted file mode ", "rename from ", "copy from ")
        return bool(self.hunks or self.data or any(self.value(prefix) for prefix in told))


@dataclass(slots=True)
class Parts:
    """A diff in its parts."""

    lines: list[str]
    """Without the line feeds."""
    sections: list[Section] = field(default_factory=list)
    around: list[int] = field(default_factory=list)
    """Lines outside the sections that are not blank."""
    stray: list[int] = field(default_factory=list)
    """Hunks without a file."""
    combined: bool = False
    """Hunks of a merge, which nothing applies."""


@functools.lru_cache(maxsize=1)
def parts_of(text: str) -> Parts:
    """Take a diff apart. What comes back is shared: do not change it."""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    parts = Parts(lines)
    number = 0
    while number < len(lines):
        line = lines[number]
        if line.startswith("diff --git ") or is_pair(lines, number):
            section = _section(lines, number)
            parts.sections.append(section)
            number = section.end
            continue
        if HUNK.match(line):
            parts.stray.append(number)
        parts.combined = parts.combined or line.startswith(_COMBINED)
        if line and not line.isspace():
            parts.around.append(number)
        number += 1
    return parts


def is_pair(lines: list[str], number: int) -> bool:
    """Whether `---`, `+++` and a hunk begin here."""
    return (
        lines[number].startswith("--- ")
        and number + 2 < len(lines)
        and lines[number + 1].startswith("+++ ")
        and lines[number + 2].startswith("@@ -")
    )


def _section(lines: list[str], start: int) -> Section:
    section = Section(start)
    number = start
    if lines[number].startswith("diff --git "):
        number += 1
        while number < len(lines) and lines[number].startswith(_EXTENDED):
            number += 1
    if number + 1 < len(lines) and lines[number].startswith("--- "):
        number += 2 if lines[number + 1].startswith("+++ ") else 0
    section.headers = lines[start:number]
    line = lines[number] if number < len(lines) else ""
    if line.startswith("Binary files ") and line.rstrip().endswith(" differ"):
        section.opaque = True
        number += 1
    elif line.rstrip() == "GIT binary patch":
        section.data = True
        number = _past_data(lines, number + 1)
    while number < len(lines) and HUNK.match(lines[number]):
        section.hunks.append(_hunk(lines, number))
        number = section.hunks[-1].end
    section.end = number
    return section


def _past_data(lines: list[str], number: int) -> int:
    while number < len(lines) and lines[number].startswith(("literal ", "delta ")):
        while number < len(lines) and lines[number].strip():
            number += 1
        number += number < len(lines)
    return number


def _hunk(lines: list[str], start: int) -> Hunk:
    found = HUNK.match(lines[start])
    old, new = (int(count or 1) for count in (found[2], found[4])) if found else (0, 0)
    changes = False
    number = start + 1
    while number < len(lines) and (old > 0 or new > 0):
        kind = lines[number][:1]
        if kind not in {" ", "", "+", "-", "\\", "\r"}:
            break
        old -= kind in {" ", "", "-", "\r"}
        new -= kind in {" ", "", "+", "\r"}
        changes = changes or kind in {"+", "-"}
        number += 1
    if number < len(lines) and lines[number].startswith("\\"):
        number += 1
    if old == new == 0 and not _goes_on(lines, number):
        return Hunk(start, number, counted=True, changes=changes)
    end = _loose_end(lines, start + 1)
    changes = any(line[:1] in {"+", "-"} for line in lines[start + 1 : end])
    return Hunk(start, end, counted=False, changes=changes)


def _goes_on(lines: list[str], number: int) -> bool:
    """Whether changes follow the counted lines at once: git would drop them silently."""
    while number < len(lines) and lines[number][:1] in {" ", "+", "-"}:
        if is_pair(lines, number) or lines[number] in _SIGNATURES:
            return False
        if lines[number][:1] != " ":
            return True
        number += 1
    return False


def _loose_end(lines: list[str], start: int) -> int:
    """Find where a hunk ends by the look of its lines."""
    number = start
    while number < len(lines):
        line = lines[number]
        last = number + 2 >= len(lines)
        if (
            line[:1] not in {" ", "", "+", "-", "\\", "\r"}
            or is_pair(lines, number)
            or (line in _SIGNATURES and last)
        ):
            break
        number += 1
    while number > start and not lines[number - 1].strip("\r"):
        number -= 1
    return number


def _name(value: str | None) -> str | None:
    return None if value is None else decode_path(unquoted(_raw(value)))


def _raw(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")
