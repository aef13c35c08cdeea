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
    """This may be two blocks: a marker lacks its word or differs in width."""


def find_end(
    tokens: Sequence[Token], first: int, start: Marker, is_text: Callable[[int, Tag], bool]
) -> End | None:
    """Which token, from `first` on, ends the block that `start` begins."""
    search = _EndSearch(start)
    for at in range(first, len(tokens)):
        token = tokens[at]
        if isinstance(token, Tag):
            over = not search.nests(token) and not is_text(at, token)
        elif token.sign == "=":
            search.divided, over = True, False
        else:
            over = search.opens(token) if token.sign == "<" else search.closes(at, token)
        if over:
            break
    return search.end


class _EndSearch:
    """What has been read of a block so far.

    A marker with its word that is as wide as the first marker ends the block.
    A marker of another width may belong to the text: it then ends a block that
    began inside. A marker without its word is the last resort.
    """

    def __init__(self, start: Marker) -> None:
        self.divided = False
        self._start = start
        self._depth = 0
        self._sure: End | None = None
        self._odd: int | None = None
        """The first marker with its word and another width that ends no block inside."""
        self._bare: int | None = None
        self._inner: int | None = None
        """The width of the markers of a block that began inside."""
        self._unclear = False

    @property
    def end(self) -> End | None:
        last = self._bare if self._odd is None else self._odd
        return self._sure or (None if last is None else End(last))

    def nests(self, tag: Tag) -> bool:
        """Whether `tag` belongs to an <edit> that stands in the text of the block."""
        if tag.name != "edit" or tag.complete:
            return False
        nested = not tag.closing or self._depth > 0
        self._depth = max(0, self._depth + (-1 if tag.closing else 1))
        return nested

    def opens(self, token: Marker) -> bool:
        """Whether `token`, of the form <<<<<<<, begins the next block."""
        alike = token.width == self._start.width
        ended = self._odd is not None or (alike and self._bare is not None)
        if alike and (token.labelled or (ended and not self._start.labelled)):
            return True
        if token.labelled:
            self._inner = token.width
        self._unclear |= ended and (alike or token.labelled)
        return False

    def closes(self, at: int, token: Marker) -> bool:
        """Whether `token`, of the form >>>>>>>, ends the block for certain."""
        if token.width == self._start.width:
            if token.labelled:
                self._sure = End(at, self._unclear)
                return True
            if self._bare is None and self.divided:
                self._bare = at
        elif token.labelled and token.width == self._inner:
            self._inner = None
        elif token.labelled and self._odd is None and self.divided:
            self._odd = at
        return False


def telling(tokens: Sequence[Token]) -> list[Token | None]:
    """For each token, the next one that names a file or is a marker with its word."""
    following: Token | None = None
    result: list[Token | None] = []
    for token in reversed(tokens):
        result.append(following)
        if token.path is not None if isinstance(token, Tag) else token.labelled:
            following = token
    return result[::-1]


def find_splits(start: Marker, inside: Sequence[Token]) -> list[int]:
    """The lines that may divide the block: those as wide as its first marker, otherwise any."""
    dividers = [token for token in inside if isinstance(token, Marker) and token.sign == "="]
    alike = [
        token for token in dividers if (token.width, token.indent) == (start.width, start.indent)
    ]
    return [token.at for token in alike or dividers]


def other_markers(width: int) -> str:
    """Markers that cannot be mistaken for markers in the text, which are `width` wide."""
    width = _USUAL_WIDTH if width == _WIDEST else _WIDEST
    return f"{'<' * width} SEARCH, {'=' * width} and {'>' * width} REPLACE"
