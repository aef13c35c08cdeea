"""Patches from outside, repaired without knowing the code they are for.

`mend` brings a patch into a form that `git apply -p1` reads, and says what it
did. Each repair is a pure function, text -> (text, note), with "" for a note
where nothing was to be done; `REPAIRS` is the table of them, in the order in
which they are tried. A diff in good form comes back byte by byte. What needs
the code (whether it applies, line endings of files) is `data/patches/applying.py`'s.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.errors import UsageError
from data.patches.parts import HUNK, NOTHING, Parts, Section, parts_of
from data.patches.repairs_names import bare_names, checkout_names, spaced_times
from data.paths import is_git_internal, show_path

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST_PATCH = 10_000_000
"""Characters. Nothing that repairs an issue is as long; build folders are."""

_COLOUR = re.compile(r"\x1b\[[0-9;]{0,20}m")
_INDENT = re.compile(r"^([ \t>]{1,20})(?:diff --git |--- )", re.MULTILINE)
_HEADERS = ("diff --git ", "--- ", "+++ ", "@@ -")
_SHOWN = 3
_FENCES = ("```", "~~~")


@dataclass(frozen=True, slots=True)
class Mended:
    """A patch in good form."""

    text: str
    notes: tuple[str, ...] = ()
    """What was repaired, for people."""


@dataclass(frozen=True, slots=True)
class Repair:
    """One kind of damage that can be undone."""

    name: str
    what: str
    """What it does."""
    when: str
    """When it applies."""
    mend: Callable[[str], tuple[str, str]]


def mend(text: str) -> Mended:
    """Bring a patch into a form that `git apply -p1` reads; "" stays as it is.

    Takes time and memory linear in the text.

    Raises:
        UsageError: it is no patch that can be used, and why.
    """
    if not text.strip():
        return Mended("", ("took blanks for an empty patch",) if text else ())
    if len(text) > LARGEST_PATCH:
        raise UsageError(
            f"It has {len(text) / 1e6:.1f} million characters, over {LARGEST_PATCH // 10**6}.",
            mend="No repair is as long; did build files or an environment get into it?",
        )
    try:
        notes = []
        for repair in REPAIRS:
            text, note = repair.mend(text)
            if note:
                notes.append(note)
        why = _flaw(text, parts_of(text))
    finally:
        parts_of.cache_clear()
    if why:
        raise UsageError(f"It {why}.", mend="It must be a unified diff, as `git diff` writes it.")
    return Mended(text, tuple(notes))


def counted(number: int, noun: str) -> str:
    """Write "1 hunk", "2 hunks"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _without_padding(text: str) -> tuple[str, str]:
    clean = text.rstrip("\0").removeprefix("\N{BYTE ORDER MARK}")
    return clean, "took out a byte order mark or NULs around it" if clean != text else ""


def _without_colours(text: str) -> tuple[str, str]:
    coloured = "\x1b[" in text and any(
        line.startswith("\x1b[") and _COLOUR.sub("", line).startswith(_HEADERS)
        for line in text.split("\n")
    )
    return (_COLOUR.sub("", text), "took out terminal colours") if coloured else (text, "")


def _unix_line_ends(text: str) -> tuple[str, str]:
    if "\r\n" not in text:
        return text, ""
    # A patch of a CRLF file has \r in its hunks alone.
    damaged = any(line.endswith("\r") for line in text.split("\n") if line.startswith(_HEADERS))
    return (
        (text.replace("\r\n", "\n"), "took its CRLF line endings for LF")
        if damaged
        else (
            text,
            "",
        )
    )


def _outdented(text: str) -> tuple[str, str]:
    found = _INDENT.search(text)
    if not found or parts_of(text).sections:
        return text, ""
    indent = found[1]
    bare = indent.rstrip()
    lines = [
        line.removeprefix(indent) if line.startswith(indent) else "" if line == bare else line
        for line in text.split("\n")
    ]
    return "\n".join(lines), f"took out the {indent!r} before its lines"


def _ended(text: str) -> tuple[str, str]:
    if text.endswith("\n"):
        return text, ""
    return text + "\n", "added the newline it lacks at its end"


def _alone(text: str) -> tuple[str, str]:
    parts = parts_of(text)
    if not parts.around or not parts.sections or parts.stray or parts.combined:
        return text, ""
    kept = [line for part in parts.sections for line in parts.lines[part.start : part.end]]
    fenced = any(parts.lines[number].startswith(_FENCES) for number in parts.around)
    said = "code fences and prose" if fenced else "prose"
    return _joined(kept), f"took out {counted(len(parts.around), 'line')} of {said} around the diff"


def _counted(text: str) -> tuple[str, str]:
    parts = parts_of(text)
    wrong = [
        hunk
        for part in parts.sections
        for hunk in part.hunks
        if not (hunk.counted and hunk.changes)
    ]
    if not wrong:
        return text, ""
    lines, dropped, recounted = list[str](), 0, 0
    done = 0
    for hunk in wrong:
        lines += parts.lines[done : hunk.start]
        done = hunk.end
        if not hunk.changes:
            dropped += 1
            continue
        body = parts.lines[hunk.start + 1 : hunk.end]
        recounted += 1
        lines += [_recounted(parts.lines[hunk.start], body), *body]
    lines += parts.lines[done:]
    notes = []
    if recounted:
        notes.append(f"counted the lines of {counted(recounted, 'hunk')} anew")
    if dropped:
        notes.append(f"left out {counted(dropped, 'hunk')} without a change")
    return _joined(lines), ", ".join(notes)


def _recounted(header: str, body: list[str]) -> str:
    kinds = [line[:1] for line in body]
    new, old = (len(kinds) - kinds.count("\\") - kinds.count(other) for other in ("-", "+"))
    found = HUNK.match(header)
    first, second = (found[1], found[3]) if found else ("0", "0")
    tail = header[found.end() :] if found else ""
    return f"@@ -{first},{old} +{second},{new} @@{tail}"


def _readable(text: str) -> tuple[str, str]:
    parts = parts_of(text)
    useless = [part for part in parts.sections if part.opaque or not part.does_something]
    if not useless or len(useless) == len(parts.sections):
        return text, ""
    gone = {part.start for part in useless}
    kept = [
        line
        for part in parts.sections
        if part.start not in gone
        for line in parts.lines[part.start : part.end]
    ]
    named = ", ".join(show_path(part.path) for part in useless[:_SHOWN])
    more = f" and {len(useless) - _SHOWN} more" if len(useless) > _SHOWN else ""
    return _joined(kept), f"left out {named}{more}: the diff lacks the content"


def _joined(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


REPAIRS = (
    Repair("padding", "drops it", "a mark before the text or NULs after it", _without_padding),
    Repair("colours", "drops them", "headers begin with a terminal's colours", _without_colours),
    Repair("line ends", "CRLF becomes LF", "header lines end in CRLF", _unix_line_ends),
    Repair("indent", "drops it", "no header is at a line's start, one is further in", _outdented),
    Repair("newline", "adds one", "the last line has none", _ended),
    Repair("prose", "keeps the sections of files", "lines stand outside them", _alone),
    Repair("times", "drops them", "a time follows a name after a space", spaced_times),
    Repair("checkout", "makes names relative", "names begin with a known checkout", checkout_names),
    Repair("prefixes", "adds a/ and b/", "both names of a file lack them", bare_names),
    Repair("counts", "counts anew", "a hunk is not as long as it says", _counted),
    Repair("contents", "drops the section", "a file's new content is not there", _readable),
)


def _flaw(text: str, parts: Parts) -> str:
    """Say what is wrong with a patch after all repairs; "" where nothing is."""
    if not parts.sections:
        combined = "is the combined diff of a merge, which nothing applies"
        return combined if parts.combined else "holds no diff"
    if "\0" in text:
        return "holds NUL characters"
    if not _encodes(text):
        return "holds characters that UTF-8 has no form for"
    if parts.stray or parts.combined:
        return "has a hunk that belongs to no file, or to a merge"
    made: set[str] = set()
    for part in parts.sections:
        why = _section_flaw(part, parts.lines)
        if not why and part.created and part.path in made:
            why = "is made twice"
        if why:
            return f"cannot be used: {show_path(part.path) or 'a file without a name'} {why}"
        if part.created:
            made.add(part.path)
    return ""


def _section_flaw(part: Section, lines: list[str]) -> str:
    if not part.path:
        return "is not named as -p1 wants it"
    for name in {part.old, part.new, *(part.git or ()), part.path} - {None, NOTHING}:
        if name.startswith("/") or ".." in name.split("/") or is_git_internal(name):
            return "lies outside the repository or in git's own folder"
    if part.opaque:
        return "is binary, and its content is not in the diff"
    if any(
        (part.value(f"{kind} mode ") or "")[:3] in {"120", "160"} for kind in ("new", "new file")
    ):
        return "becomes a link or a submodule"
    if any(not hunk.counted or not hunk.changes for hunk in part.hunks):
        return "has a hunk that cannot be counted"
    return _contents_flaw(part, lines)


def _contents_flaw(part: Section, lines: list[str]) -> str:
    wanted = ["+<<<<<<< ", "+=======", "+>>>>>>> "]
    if not part.does_something:
        return "is not changed"
    for number in range(part.start, part.end):
        if wanted and lines[number].startswith(wanted[0]):
            wanted.pop(0)
    return "" if wanted else "would hold the marks of a merge conflict"


def _encodes(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
