"""Repairs of a diff's whole text: what surrounds it, and how its lines end."""

from __future__ import annotations

import re

from data.patches.parts import parts_of

_COLOUR = re.compile(r"\x1b\[[0-9;]{0,20}m")
_INDENT = re.compile(r"^([ \t>]{1,20})(?:diff --git |--- )", re.MULTILINE)
_HEADERS = ("diff --git ", "--- ", "+++ ", "@@ -")
_FENCE = re.compile(r"^(?:```|~~~)[^\n`]*\n?", re.MULTILINE)
_DIFF_START = re.compile(r"^(?:diff --git |--- )", re.MULTILINE)


def without_padding(text: str) -> tuple[str, str]:
    """Drop a byte order mark at the beginning and NULs at the end."""
    clean = text.rstrip("\0").removeprefix("\N{BYTE ORDER MARK}")
    return clean, "took out a byte order mark or NULs around it" if clean != text else ""


def without_colours(text: str) -> tuple[str, str]:
    """Drop a terminal's colours."""
    coloured = "\x1b[" in text and any(
        line.startswith("\x1b[") and _COLOUR.sub("", line).startswith(_HEADERS)
        for line in text.split("\n")
    )
    return (_COLOUR.sub("", text), "took out terminal colours") if coloured else (text, "")


def headers_end_in_cr(text: str) -> bool:
    """Whether there are carriage returns where they cannot be content."""
    return "\r" in text and any(
        line.endswith("\r") for line in text.split("\n") if line.startswith(_HEADERS)
    )


def unix_line_ends(text: str) -> tuple[str, str]:
    """Turn CRLF into LF. A patch of a CRLF file has CRLF only in its hunks."""
    return unix_throughout(text) if headers_end_in_cr(text) else (text, "")


def unix_throughout(text: str) -> tuple[str, str]:
    """Turn CRLF into LF everywhere."""
    unix = text.replace("\r\n", "\n")
    return unix, "took its CRLF line endings as LF" if unix != text else ""


def outdented(text: str) -> tuple[str, str]:
    """Drop what comes before each line, if no line begins as a diff does."""
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


def unfenced(text: str) -> tuple[str, str]:
    """Keep the content of Markdown fences. No line of a diff begins with a fence."""
    if not _FENCE.search(text):
        return text, ""
    kept = (part for part in _FENCE.split(text) if _DIFF_START.search(part))
    return "".join(kept), "took it out of its Markdown fences"


def ended(text: str) -> tuple[str, str]:
    """Add the newline that the last line lacks."""
    if text.endswith("\n"):
        return text, ""
    return text + "\n", "added the newline it lacks at its end"
