"""What is still wrong with a patch after all repairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.patches.parts import NOTHING, parts_of
from data.paths import is_git_internal, show_path

if TYPE_CHECKING:
    from data.patches.parts import Section


def flaw(text: str) -> str:
    """Say what is wrong with a patch; "": nothing."""
    parts = parts_of(text)
    if not parts.sections:
        combined = "is the combined diff of a merge, which nothing applies"
        return combined if parts.combined else "holds no diff"
    if "\0" in text:
        return "holds NUL characters"
    if not _encodes(text):
        return "holds characters that UTF-8 cannot encode"
    if parts.stray or parts.combined:
        return "has a hunk that belongs to no file, or to a merge"
    made: set[str] = set()
    for part in parts.sections:
        why = _section_flaw(part)
        if not why and part.created and part.path in made:
            why = "is made twice"
        if why:
            return f"cannot be used: {show_path(part.path) or 'a file without a name'} {why}"
        if part.created:
            made.add(part.path)
    return ""


def is_outside(path: str) -> bool:
    """Whether a path leads out of the repository or into git's own folder."""
    return path.startswith("/") or ".." in path.split("/") or is_git_internal(path)


def _section_flaw(part: Section) -> str:
    names = [name for name in (*part.prefixed, part.path) if name != NOTHING]
    checks = (
        (not part.path, "is not named as -p1 wants it"),
        (any(map(is_outside, names)), "lies outside the repository or in git's own folder"),
        (part.opaque, "is binary, and its content is not in the diff"),
        (part.makes_link, "becomes a link or a submodule"),
        (
            any(not hunk.counted or not hunk.changed for hunk in part.hunks),
            "has a hunk that cannot be counted",
        ),
        (not part.does_something, "is not changed"),
        (_conflicts(part), "would hold the marks of a merge conflict"),
    )
    return next((why for wrong, why in checks if wrong), "")


def _conflicts(part: Section) -> bool:
    lines = iter(part.lines)
    marks = ("+<<<<<<< ", "+=======", "+>>>>>>> ")
    return all(any(line.startswith(mark) for line in lines) for mark in marks)


def _encodes(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
