"""The tags and markers of a reply. Each stands alone on its line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from agent.edits.nouns import excerpt

_MIN_WIDTH, _MAX_WIDTH = 5, 9
_LABELS = {"<": "search", "=": "", ">": "replace"}

_TAG = re.compile(r"<(edit|create|delete)(?=[\s/>])([^<>]*)>[ \t]*(</\1[ \t]*>)?", re.IGNORECASE)
_CLOSING = re.compile(r"</(edit|create|delete)[ \t]*>", re.IGNORECASE)
_MEANT_AS_TAG = re.compile(
    r"<(edit|create|delete)(?:\s+path\b.*|(?=[\s/>])[^<>]*>?|)", re.IGNORECASE
)
_PATH = re.compile(r"""(?:^|\s)path\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+))""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Tag:
    """`<edit path="...">`, `</edit>`, and so on."""

    at: int
    """The line's index."""
    indent: int
    name: str
    path: str | None
    """None in a closing tag and in one that cannot be read."""
    text: str
    closing: bool = False
    complete: bool = False
    """Whether it opens and closes on this line."""


@dataclass(frozen=True, slots=True)
class Marker:
    """`<<<<<<< SEARCH`, `=======` or `>>>>>>> REPLACE`."""

    at: int
    """The line's index."""
    indent: int
    sign: str
    width: int
    labelled: bool
    """Whether it has its word. Without it, the line may be a conflict marker of the file."""


Token: TypeAlias = Tag | Marker


def tokenize(lines: list[str]) -> list[Token]:
    """All tags and markers, in order."""
    tokens = []
    for at, line in enumerate(lines):
        text = line.strip(" \t")
        if text and text[0] in "<=>":
            token = _token(at, len(line) - len(line.lstrip(" \t")), text)
            if token is not None:
                tokens.append(token)
    return tokens


def _token(at: int, indent: int, text: str) -> Token | None:
    sign = text[0]
    width = len(text) - len(text.lstrip(sign))
    if _MIN_WIDTH <= width <= _MAX_WIDTH:
        label = text[width:].strip(" \t:").lower()
        if label in {"", _LABELS[sign]}:
            return Marker(at, indent, sign, width, labelled=bool(label))
        return None
    return _tag(at, indent, text) if sign == "<" else None


def _tag(at: int, indent: int, text: str) -> Tag | None:
    if closing := _CLOSING.fullmatch(text):
        return Tag(at, indent, closing[1].lower(), None, excerpt(text), closing=True)
    if opening := _TAG.fullmatch(text):
        name, attributes, closed = opening[1].lower(), opening[2].rstrip(), opening[3]
        complete = bool(closed) or attributes.endswith("/")
        path = _path(attributes.removesuffix("/") if complete else attributes)
        return Tag(at, indent, name, path, excerpt(text), complete=complete)
    if meant := _MEANT_AS_TAG.fullmatch(text):
        return Tag(at, indent, meant[1].lower(), None, excerpt(text))
    return None


def _path(attributes: str) -> str | None:
    found = _PATH.search(attributes)
    return next((path for path in found.groups() if path is not None), "") if found else None
