"""Read the edits in a reply, line by line in one pass."""

from __future__ import annotations

from functools import partial

from agent.edits.blocks import find_end, find_splits, other_markers, telling
from agent.edits.nouns import (
    Block,
    Create,
    Delete,
    FileEdit,
    MalformedEdits,
    Replace,
    excerpt,
)
from agent.edits.tokens import Marker, Tag, Token, tokenize

MAX_EDITS = 500
"""The most tags in one reply, because each path is compared with those of the codebase."""
MAX_BLOCKS = 500
"""The most blocks in one reply, because each is searched for in a whole file."""
MAX_SPLITS = 24
"""The most lines in one block that may be its divider."""

_FORM = "<<<<<<< SEARCH, the old lines, =======, the new lines, >>>>>>> REPLACE"
_NO_BLOCK = f"holds no block. Between <edit> and </edit> stand {_FORM}."
_CUT = (
    "If your reply was cut, write less in one reply: only the lines that change and a few around"
    " them."
)


def parse_edits(reply: str) -> tuple[FileEdit, ...]:
    """The edits in `reply`, in its order; empty if it holds none.

    A tag or marker stands alone on its line. Everything outside the tags is
    prose, and so are fences and remarks between the blocks of an <edit>.

    Raises:
        MalformedEdits: a tag or a block cannot be read, or is not closed.
    """
    return tuple(_Parser(reply.replace("\r\n", "\n").split("\n")).edits())


class _Parser:
    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._tokens = tokenize(lines)
        self._next = 0
        self._blocks = 0
        self._telling = telling(self._tokens)

    def edits(self) -> list[FileEdit]:
        edits: list[FileEdit] = []
        while (token := self._take()) is not None:
            if isinstance(token, Tag):
                edits.append(self._element(token))
                if len(edits) > MAX_EDITS:
                    raise self._error(token, f"begins edit {MAX_EDITS + 1}; that is too many.")
            elif token.labelled:
                raise self._error(
                    token,
                    'is outside of any <edit>. Write <edit path="..."> on a line of its own before'
                    " the first block of a file, and </edit> after its last.",
                )
        return edits

    def _take(self) -> Token | None:
        if self._next == len(self._tokens):
            return None
        self._next += 1
        return self._tokens[self._next - 1]

    def _element(self, tag: Tag) -> FileEdit:
        if tag.closing:
            raise self._error(
                tag,
                f"closes a tag that is not open. Write <{tag.name} path=...> alone on a line before"
                f" it, and </{tag.name}> only once.",
            )
        if tag.path is None:
            example = f'<{tag.name} path="src/pkg/mod.py"{"/" if tag.name == "delete" else ""}>'
            raise self._error(
                tag, f"cannot be read. A tag stands alone on its line, like {example}."
            )
        if tag.name == "delete":
            return self._delete(tag, tag.path)
        if tag.name == "create":
            return Create(tag.path, "" if tag.complete else self._content(tag))
        return Replace(tag.path, self._blocks_of(tag))

    def _delete(self, tag: Tag, path: str) -> Delete:
        if not tag.complete and self._next < len(self._tokens):
            close = self._tokens[self._next]
            if _closes(close, "delete") and not self._text_between(tag.at, close.at):
                self._next += 1
        return Delete(path)

    def _content(self, tag: Tag) -> str:
        """Up to the closing tag; one that is indented deeper than the opening is content."""
        while (token := self._take()) is not None:
            if not isinstance(token, Tag) or token.name != "create" or token.indent > tag.indent:
                continue
            if not token.closing:
                raise self._error(
                    tag, f"is not closed before line {token.at + 1} opens another <create>."
                )
            return "".join(f"{line}\n" for line in self._lines[tag.at + 1 : token.at])
        raise self._error(
            tag, f"is never closed. Write </create> on a line of its own, not indented. {_CUT}"
        )

    def _blocks_of(self, tag: Tag) -> tuple[Block, ...]:
        blocks: list[Block] = []
        end = tag.at
        if tag.complete:
            raise self._error(tag, _NO_BLOCK)
        while (token := self._take()) is not None:
            self._check_between(end, token.at)
            if isinstance(token, Marker):
                blocks.append(self._block(tag, token))
                end = self._tokens[self._next - 1].at
            elif _closes(token, "edit"):
                if not blocks:
                    raise self._error(tag, _NO_BLOCK)
                return tuple(blocks)
            else:
                raise self._error(
                    tag, f"is not closed before {excerpt(token.text)} in line {token.at + 1}."
                )
        self._check_between(end, len(self._lines))
        raise self._error(tag, f"is never closed. Write </edit> on a line of its own. {_CUT}")

    def _block(self, tag: Tag, start: Marker) -> Block:
        if start.sign != "<":
            raise self._error(start, f"stands outside of a block. A block is {_FORM}.")
        self._blocks += 1
        if self._blocks > MAX_BLOCKS:
            raise self._error(
                start, f"begins block {MAX_BLOCKS + 1}; a reply can hold {MAX_BLOCKS}."
            )
        end = find_end(self._tokens, self._next, start, partial(self._is_text, tag))
        if end is None:
            raise self._error(
                start,
                "begins a block that has no end. After the new lines write >>>>>>> REPLACE on a"
                f" line of its own, before the next block and before </edit>. {_CUT}",
            )
        if end.unclear:
            raise self._error(
                start,
                "begins what may be one block or two. Write each marker with its word, and all"
                " three of a block in one length; if the file itself holds such lines, write"
                f" {other_markers(start.width)}.",
            )
        splits = find_splits(start, self._tokens[self._next : end.at])
        self._next = end.at + 1
        if not splits:
            raise self._error(start, f"begins a block without a divider. A block is {_FORM}.")
        if len(splits) > MAX_SPLITS:
            raise self._error(
                start,
                f"begins a block with {len(splits)} lines that look like its divider. Write several"
                f" smaller blocks, or markers of another length: {other_markers(start.width)}.",
            )
        lines = tuple(self._lines[start.at + 1 : self._tokens[end.at].at])
        return Block(lines, tuple(at - start.at - 1 for at in splits), start.at + 1)

    def _is_text(self, edit: Tag, at: int, tag: Tag) -> bool:
        """Whether a tag inside a block of `edit` is text, not the end of `edit`.

        A closing tag is text if the next tag or labelled marker after it ends
        a block.
        """
        if not _closes(tag, "edit") or tag.indent > edit.indent:
            return True
        following = self._telling[at]
        return isinstance(following, Marker) and following.sign == ">"

    def _text_between(self, after: int, before: int) -> list[tuple[int, str]]:
        lines = enumerate(self._lines[after + 1 : before], after + 2)
        return [(number, line.strip()) for number, line in lines if line.strip()]

    def _check_between(self, after: int, before: int) -> None:
        """Allow remarks and fences between blocks, but not what was meant as a marker."""
        for number, line in self._text_between(after, before):
            if line.startswith(("<<<", "====", ">>>>")):
                raise MalformedEdits(
                    f'Line {number}, "{excerpt(line)}", is not a marker that can be read.'
                    f" A block is {_FORM}, each marker alone on its line."
                )

    def _error(self, token: Token, why: str) -> MalformedEdits:
        return MalformedEdits(
            f'Line {token.at + 1} of your reply, "{excerpt(self._lines[token.at])}", {why}'
        )


def _closes(token: Token, name: str) -> bool:
    return isinstance(token, Tag) and token.closing and token.name == name
