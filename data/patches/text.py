"""The text of foreign diffs: which paths it names, and how it may be mended."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from data.paths import decode_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_FENCE = re.compile(rb"^(?:```|~~~)[^\n`]*\n?", re.MULTILINE)
_DIFF_START = re.compile(rb"^(?:diff --git |--- )", re.MULTILINE)
_CRLF_HEADER = re.compile(rb"^(?:diff --git |--- |\+\+\+ |@@ -)[^\n]*\r$", re.MULTILINE)
_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_BARE_HEADER = re.compile(rb"(?:rename|copy) (?:from|to) (.+)")
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_ESCAPES = dict(zip(b"abtnvfr", b"\a\b\t\n\v\f\r", strict=True))
_LONGEST_NAMES = 20_000
"""Bytes of both paths after `diff --git`, escaped."""
_MOST_SPACES = 200
GIT_PREFIXES = {"a", "b", "c", "i", "o", "w", "1", "2"}
"""What git puts before the first slash, with mnemonic prefixes and without an index too."""


@dataclass(frozen=True, slots=True)
class Named:
    """The paths that a diff names, as they stand, without /dev/null."""

    prefixed: tuple[str, ...]
    """From `diff --git`, `---` and `+++`: normally with a/ or b/ before them."""
    bare: tuple[str, ...]
    """From `rename` and `copy`: never with a prefix."""

    def candidates(self) -> list[str]:
        """List every path in the repository that may be meant."""
        forms = [form for path in self.prefixed for form in (path.partition("/")[2], path)]
        return list(dict.fromkeys([*forms, *self.bare]))


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way to read a diff."""

    text: bytes
    notes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    """For `git apply`."""
    bases: Mapping[str, bytes] = field(default_factory=dict)
    """Files whose CRLF are taken for LF, by path; their results want them back."""


def attempts(raw: bytes, named: Named, bases: Mapping[str, bytes]) -> Iterator[Attempt]:
    """Yield the ways to read a diff, the most literal first.

    `bases` are the contents of the files it names that the codebase holds.
    """
    for level in _levels(named, bases):
        for recount in (False, True):
            for form in _forms(raw, bases):
                notes, options = list(form.notes), [f"-p{level}"]
                if recount:
                    notes.append("counted the lines of its hunks anew")
                    options.append("--recount")
                if level == 0:
                    notes.append("took its paths as they are, without a/ and b/")
                yield Attempt(form.text, tuple(notes), tuple(options), form.bases)


def named_paths(raw: bytes) -> Named:
    """Find the paths in the headers of a diff."""
    prefixed: dict[str, None] = {}
    bare: dict[str, None] = {}
    for line in _headers(raw):
        found = _BARE_HEADER.fullmatch(line)
        if found:
            bare[decode_path(unquoted(found[1]))] = None
        elif line.startswith(b"diff --git "):
            for name in git_names(line.removeprefix(b"diff --git ")):
                prefixed[decode_path(name)] = None
        else:
            name = unquoted(line[4:])
            if name != b"/dev/null":
                prefixed[decode_path(name)] = None
    return Named(tuple(prefixed), tuple(bare))


def _forms(raw: bytes, bases: Mapping[str, bytes]) -> list[Attempt]:
    """List the texts to try, without options."""
    clean, notes = _cleaned(raw)
    # Read literally, carriage returns in headers would end up in file names.
    literal = not _CRLF_HEADER.search(raw)
    forms = [Attempt(raw)] if literal else []
    if literal and clean != raw:
        forms.append(Attempt(clean, tuple(notes)))
    windows = {
        path: content.replace(b"\r\n", b"\n")
        for path, content in bases.items()
        if 0 < content.count(b"\n") == content.count(b"\r\n")
    }
    if b"\r\n" in clean:
        notes.append("took its CRLF line endings for LF")
    if windows:
        notes.append("kept the CRLF line endings of the files")
    if windows or b"\r\n" in clean:
        forms.append(Attempt(clean.replace(b"\r\n", b"\n"), tuple(notes), bases=windows))
    return forms


def _cleaned(raw: bytes) -> tuple[bytes, list[str]]:
    """Strip what is no part of the diff. In a diff no line begins with a fence."""
    notes = []
    clean = raw
    if _FENCE.search(raw):
        clean = b"".join(part for part in _FENCE.split(raw) if _DIFF_START.search(part))
        notes.append("took it out of its Markdown fences")
    if not clean.endswith(b"\n"):
        clean += b"\n"
        notes.append("added the newline it lacks at its end")
    return clean, notes


def _levels(named: Named, bases: Mapping[str, bytes]) -> list[int]:
    """Tell how many leading components to strip, the likeliest first."""
    as_is = any(path in bases for path in named.prefixed)
    stripped = any(path.partition("/")[2] in bases for path in named.prefixed)
    if all(path.partition("/")[0] in GIT_PREFIXES and "/" in path for path in named.prefixed):
        return [1, 0] if as_is else [1]
    if as_is or not stripped:
        return [0, 1] if stripped else [0]
    return [1]


def _headers(raw: bytes) -> Iterator[bytes]:
    """Yield the lines that name paths, but not lines of hunks that look like them."""
    lines = [line.removesuffix(b"\r") for line in raw.split(b"\n")]
    old = new = 0
    for number, line in enumerate(lines):
        pair = _pair(lines, number)
        if pair and (old <= 0 >= new or _HUNK.match(_line(lines, number + 2))):
            yield from pair
            old = new = 0
        elif line.startswith(b"diff --git "):
            yield line
            old = new = 0
        elif hunk := _HUNK.match(line):
            old, new = (int(count) if count else 1 for count in hunk.groups())
        elif old > 0 or new > 0:
            old -= line[:1] in {b" ", b"-", b""}
            new -= line[:1] in {b" ", b"+", b""}
        elif _BARE_HEADER.fullmatch(line):
            yield line


def _pair(lines: Sequence[bytes], number: int) -> tuple[bytes, bytes] | None:
    old, new = lines[number], _line(lines, number + 1)
    return (old, new) if old.startswith(b"--- ") and new.startswith(b"+++ ") else None


def _line(lines: Sequence[bytes], number: int) -> bytes:
    return lines[number] if number < len(lines) else b""


def git_names(rest: bytes) -> list[bytes]:
    """Split the names after `diff --git`, which are alike but for their prefixes.

    Longer lines than two paths can make up name nothing, so that the time stays linear.
    """
    if len(rest) > _LONGEST_NAMES or rest.count(b" ") > _MOST_SPACES:
        return []
    for place, letter in enumerate(rest):
        if letter == ord(b" "):
            old, new = unquoted(rest[:place]), unquoted(rest[place + 1 :])
            if old == new or old.partition(b"/")[2] == new.partition(b"/")[2] != b"":
                return [old, new]
    return []


def unquoted(name: bytes) -> bytes:
    """Undo git's C-style quotes; an unquoted name ends at a tab (a time may follow)."""
    if len(name) > 1 and name.startswith(b'"') and name.rstrip().endswith(b'"'):
        return _ESCAPE.sub(_unescaped, name.rstrip()[1:-1])
    return name.partition(b"\t")[0]


def _unescaped(found: re.Match[bytes]) -> bytes:
    code = found[1]
    if len(code) > 1:
        return bytes([int(code, 8) & 0xFF])
    return bytes([_ESCAPES.get(code[0], code[0])])
