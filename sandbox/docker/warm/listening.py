"""Finding the end of an execution in the output of a warm container."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.starting.end_word import Sink

_SAID_BYTES = 16384


def new_mark() -> str:
    """A mark that no script can guess; only the supervisor gets it."""
    return secrets.token_hex(12)


class Raw:
    """Keeps the output as it is, up to a limit."""

    def __init__(self, limit: int) -> None:
        self.data = bytearray()
        self._limit = limit

    def feed(self, data: bytes) -> None:
        """Take the next piece."""
        self.data += data[: self._limit - len(self.data)]


class Listener:
    """Both streams of one order, up to its mark in each."""

    def __init__(self, mark: str, sink: Sink, begin: str = "") -> None:
        """`mark`: ends the order; `begin`: says on standard error that the script starts now."""
        self.answer: list[str] | None = None
        """What followed the mark: the exit code and a note."""
        self.begun = False
        self._sink = sink
        self._end = f"\x1e{mark} ".encode()
        self._last = f"\x1e{mark}\n".encode()
        self._begin = f"\x1e{begin}\n".encode() if begin else b""
        self._held = b""
        self._said = bytearray()
        self._said_all = False

    @property
    def over(self) -> bool:
        """Whether this order has ended in both streams."""
        return self.answer is not None and self._said_all

    @property
    def said(self) -> str:
        """The end of standard error, without marks."""
        said = bytes(self._said).replace(self._last, b"").replace(self._begin or b"\x1e", b"")
        return said.decode("utf-8", "replace").strip()

    def hear(self, error: bool, data: bytes) -> None:
        """Take the next piece of standard error or output."""
        (self._hear_error if error else self._hear_output)(data)

    def finish(self) -> None:
        """Give the sink the output that was held back, because no more comes."""
        self._sink.feed(self._held)
        self._held = b""

    def _hear_output(self, data: bytes) -> None:
        self._held += data
        at = self._held.find(self._end)
        if at < 0:
            # Part of the mark may have arrived.
            sure = len(self._held) - len(self._end) + 1
            if sure > 0:
                self._sink.feed(self._held[:sure])
                self._held = self._held[sure:]
            return
        line, newline, _ = self._held[at + len(self._end) :].partition(b"\n")
        if newline:
            self._sink.feed(self._held[:at])
            self._held = b""
            self.answer = line.decode("ascii", "replace").split(" ", 1)

    def _hear_error(self, data: bytes) -> None:
        self._said += data
        if self._begin and not self.begun:
            self.begun = self._begin in self._said
        self._said_all = self._said_all or self._last in self._said
        del self._said[:-_SAID_BYTES]
