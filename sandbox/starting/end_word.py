"""Finding the word that proves a script's end in what it prints."""

from __future__ import annotations

from typing import Protocol

from sandbox.protocol import Ending

_DIGITS = 3
_VERDICTS = (0, 2)
"""The exit codes that say something, so that somebody may want to forge them."""


class Sink(Protocol):
    """Takes what a script prints."""

    def feed(self, data: bytes) -> None:
        """Take the next piece, cut anywhere."""


class EndWord:
    """Hands output on without the line of the word, and keeps the exit code in that line."""

    def __init__(self, word: str, sink: Sink) -> None:
        """`word`: "" if nothing proves the end of this script."""
        self.code: int | None = None
        """The exit code that the script had at its end; None: it did not come to its end."""
        self._mark = f"\x1e{word} ".encode() if word else b""
        self._sink = sink
        self._held = b""

    def feed(self, data: bytes) -> None:
        """Take the next piece."""
        if not self._mark:
            self._sink.feed(data)
            return
        self._held += data
        at = self._held.find(self._mark)
        if at < 0:
            self._let_go(len(self._held) - len(self._mark) + 1)
            return
        line, newline, rest = self._held[at + len(self._mark) :].partition(b"\n")
        if newline or len(line) > _DIGITS:
            self.code = int(line) if line.isdigit() and len(line) <= _DIGITS else None
            self._sink.feed(self._held[:at])
            self._mark, self._held = b"", b""
            self._sink.feed(rest)

    def finish(self) -> None:
        """No more comes."""
        self._sink.feed(self._held)
        self._held = b""

    def _let_go(self, count: int) -> None:
        if count > 0:
            self._sink.feed(self._held[:count])
            self._held = self._held[count:]


def proven(
    word: str, told: int | None, ending: Ending, code: int | None
) -> tuple[Ending, int | None]:
    """How an execution ended, if only a proven end gives a verdict.

    `told`: the exit code that came with the word; `code`: that of the process.
    """
    if word and ending is Ending.EXITED and code in _VERDICTS and told != code:
        return Ending.CUT_SHORT, None
    return ending, code
