"""Output that is safe for people, models and databases: bounded, valid text."""

from __future__ import annotations

import codecs
import re

_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f"
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"  # these change the direction of text
)
_LAST_OF_BYTE = 0xFF


def escape_controls(text: str) -> str:
    r"""`text` with control characters other than \n and \t written as \xNN or \uNNNN."""
    return _CONTROL.sub(lambda match: _escaped(match[0]), text)


def _escaped(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number <= _LAST_OF_BYTE else f"\\u{number:04x}"


class BoundedText:
    r"""Collects what a script prints and keeps the beginning and the end of it.

    Bytes are decoded as UTF-8 (what is not becomes U+FFFD), \r\n becomes \n and
    other control characters are escaped, so that no output can act on a
    terminal, a prompt or a database. Memory stays within a small multiple of
    `limit` whatever is fed. Not safe to share between threads.
    """

    def __init__(self, limit: int) -> None:
        """`limit`: how many characters are kept; longer output is cut in the middle."""
        self.total_bytes = 0
        """How many bytes were fed."""
        self._limit = max(limit, 0)
        self._head_chars = self._limit // 2
        self._tail_chars = self._limit - self._head_chars
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        self._chars = 0
        self._begin = ""
        self._end = ""

    def feed(self, data: bytes) -> None:
        """Take the next piece, cut anywhere."""
        self.total_bytes += len(data)
        self._take(self._decoder.decode(data))

    def text(self) -> str:
        """The text that is kept. Feed nothing after this."""
        self._take(self._decoder.decode(b"", final=True), final=True)
        if self._chars <= self._limit:
            return self._begin
        left_out = self._chars - self._limit
        tail = (self._begin[self._head_chars :] + self._end)[-self._tail_chars :]
        head = self._begin[: self._head_chars]
        gap = "" if not head or head.endswith("\n") else "\n"
        return f"{head}{gap}[... {left_out} characters left out ...]\n{tail if self._limit else ''}"

    def _take(self, text: str, *, final: bool = False) -> None:
        text = self._held + text
        self._held = ""
        if text.endswith("\r") and not final:
            # Whether it is half of a \r\n is known only with the next piece.
            text, self._held = text[:-1], "\r"
        text = text.replace("\r\n", "\n")
        room = self._limit - len(self._begin)
        if room > 0:
            text = escape_controls(text)
            self._chars += len(text)
            self._begin += text[:room]
            text = text[room:]
        elif text:
            # In a flood of output, only the last characters are escaped; the rest is counted.
            self._chars += len(text) + sum(len(_escaped(c)) - 1 for c in _CONTROL.findall(text))
            text = escape_controls(text[-self._limit :])
        if text and self._limit:
            self._end = (self._end + text)[-self._tail_chars :]
