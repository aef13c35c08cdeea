"""Repairs of a diff's parts: sections and hunks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.patches.parts import HUNK, parts_of
from data.paths import show_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.patches.parts import Section

_SHOWN = 3
_FENCES = ("```", "~~~")


def alone(text: str) -> tuple[str, str]:
    """Keep the sections of files and nothing else."""
    parts = parts_of(text)
    if not parts.around or not parts.sections or parts.stray or parts.combined:
        return text, ""
    kept = [line for part in parts.sections for line in part.lines]
    fenced = any(parts.lines[number].startswith(_FENCES) for number in parts.around)
    said = "code fences and prose" if fenced else "prose"
    return _joined(kept), f"took out {_count(len(parts.around), 'line')} of {said} around the diff"


def counted_anew(text: str) -> tuple[str, str]:
    """Correct the line counts of hunks, and leave out hunks without a change."""
    parts = parts_of(text)
    lines, dropped, recounted, done = list[str](), 0, 0, 0
    for hunk in (hunk for part in parts.sections for hunk in part.hunks):
        if hunk.counted and hunk.changed:
            continue
        lines += parts.lines[done : hunk.start]
        done = hunk.end
        if hunk.changed:
            body = parts.lines[hunk.start + 1 : hunk.end]
            lines += [_recounted(parts.lines[hunk.start], body), *body]
            recounted += 1
        else:
            dropped += 1
    notes = []
    if recounted:
        notes.append(f"counted the lines of {_count(recounted, 'hunk')} again")
    if dropped:
        notes.append(f"left out {_count(dropped, 'hunk')} without a change")
    return (_joined([*lines, *parts.lines[done:]]), ", ".join(notes)) if notes else (text, "")


def _recounted(header: str, body: tuple[str, ...]) -> str:
    kinds = [line[:1] for line in body]
    new, old = (len(kinds) - kinds.count("\\") - kinds.count(other) for other in ("-", "+"))
    found = HUNK.match(header)
    first, second = (found[1], found[3]) if found else ("0", "0")
    tail = header[found.end() :] if found else ""
    return f"@@ -{first},{old} +{second},{new} @@{tail}"


def readable(text: str) -> tuple[str, str]:
    """Leave out sections whose content is missing."""
    sections = parts_of(text).sections
    useful = [part for part in sections if part.does_something and not part.opaque]
    useless = [part for part in sections if part.opaque or not part.does_something]
    if not useless or not useful:
        return text, ""
    kept = [line for part in useful for line in part.lines]
    return _joined(kept), f"left out {_named(useless)}: the diff lacks the content"


def without_links(text: str) -> tuple[str, str]:
    """Leave out sections that make links or submodules, if other sections remain."""
    sections = parts_of(text).sections
    kept = [part for part in sections if not part.makes_link]
    left = [part for part in sections if part.makes_link]
    if not left or not kept:
        return text, ""
    return _joined([line for part in kept for line in part.lines]), (
        f"left out {_named(left)}: a link or a submodule"
    )


def _named(sections: Sequence[Section]) -> str:
    more = f" and {len(sections) - _SHOWN} more" if len(sections) > _SHOWN else ""
    return ", ".join(show_path(part.path) for part in sections[:_SHOWN]) + more


def _joined(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
