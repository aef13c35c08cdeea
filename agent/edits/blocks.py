"""Where a block ends and where it may be divided, among text that can look like markers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.edits.tokens import Marker, Tag, Token

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_USUAL_WIDTH, _WIDEST = 7, 9


@dataclass(frozen=True, slots=True)
class End:
    """The token that ends a block."""

    at: int
    unclear: bool = False
    """The block may as well be two, with a marker in it that lacks its word."""


def find_end(
    tokens: Sequence[Token], first: int, start: Marker, is_text: Callable[[int, Tag], bool]
) -> End | None:
    """Which token, from `first` on, ends the block that `start` begins.

    The marker with its word and as wide as the one that begins the block does.
    One of another width may belong to the text: it then ends a block that began
    inside. One without its word is the last resort.
    """
    bare = odd = inner = None
    divided = unclear = False
    for at in range(first, len(tokens)):
        token = tokens[at]
        if isinstance(token, Tag):
            if not is_text(at, token):
                break
        elif token.sign == "=":
            divided = True
        elif token.sign == "<":
            if odd is not None or _begins_next(token, start, after_bare=bare is not None):
                break
            inner = token.width if token.labelled else inner
            unclear |= bare is not None and not token.labelled and token.width == start.width
        elif not token.labelled:
            if bare is None and divided and token.width == start.width:
                bare = at
        elif token.width == start.width:
            return End(at, unclear)
        elif token.width == inner:
            inner = None
        elif odd is None:
            odd = at
    last = bare if odd is None else odd
    return None if last is None else End(last)


def _begins_next(token: Marker, start: Marker, *, after_bare: bool) -> bool:
    """Whether `token` begins the next block, not a line of this one's text."""
    if token.width != start.width:
        return False
    return token.labelled or (after_bare and not start.labelled)


def telling(tokens: Sequence[Token]) -> list[Token | None]:
    """For each token the next one after it that opens a tag or is a marker with its word."""
    following: Token | None = None
    result: list[Token | None] = []
    for token in reversed(tokens):
        result.append(following)
        if (not token.closing) if isinstance(token, Tag) else token.labelled:
            following = token
    return result[::-1]


def find_splits(start: Marker, inside: Sequence[Token]) -> list[int]:
    """The lines that may divide the block: those in the form of its first marker, else any."""
    dividers = [token for token in inside if isinstance(token, Marker) and token.sign == "="]
    alike = [
        token for token in dividers if (token.width, token.indent) == (start.width, start.indent)
    ]
    return [token.at for token in alike or dividers]


def other_markers(width: int) -> str:
    """A form of the markers that text with markers `width` wide does not disturb."""
    width = _USUAL_WIDTH if width == _WIDEST else _WIDEST
    return f"{'<' * width} SEARCH, {'=' * width} and {'>' * width} REPLACE"
