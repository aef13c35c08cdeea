"""The command's standard streams, opened in one place so that nothing written to them fails.

Characters that the terminal lacks are replaced. A reader that leaves (`| head`) does not end the
command. A stream that was closed (`>&-`) swallows what is written. A full disk behind standard
output is an error like any other. What could act on a terminal or deceive its reader is escaped
there; files and pipes get every byte as it is.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import re
import select
import sys
from typing import TYPE_CHECKING, Any, TextIO, cast

from data.errors import StoreError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_FANCY = "✔✘•·×→█─━│╭╮╰╯╸╺“”‘’–—\N{NO-BREAK SPACE}"  # noqa: RUF001 - the marks are meant
MARKS = dict(zip(_FANCY, "+x*.x>#--|++++--\"\"''-- ", strict=True)) | {"…": "..."}
"""What stands for the marks of reports where the terminal lacks them."""

_ERRORS = "troop.marks"
_DECEPTIVE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters other than \t and \n
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # these change the direction of text
    r"\xad\u200b-\u200d\u2028\u2029\u2060-\u2065\ufeff\U000e0000-\U000e007f]"  # unseen
)


def open_streams() -> None:
    """Make all three streams usable, whatever the shell and the locale left of them."""
    codecs.register_error(_ERRORS, _replaced)
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:  # else the next file that is opened, say the database, would get its number
            os.open(os.devnull, os.O_RDWR)
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115 - for good
    sys.stdout = _opened(sys.stdout, 1)
    sys.stderr = _opened(sys.stderr, 2)


def flush_output() -> None:
    """Write out what is left of standard output.

    Raises:
        StoreError: it cannot be written, for example because the disk is full.
    """
    sys.stdout.flush()


def harmless(text: str) -> str:
    """`text` for a terminal: what could act on it, or hide something in it, is escaped."""
    return _DECEPTIVE.sub(lambda found: ascii(found[0])[1:-1], text)


def styled(stream: TextIO) -> TextIO:
    """`stream` for a console, which escapes texts itself and adds codes of its own for colours."""
    return cast("TextIO", _Styled(stream)) if isinstance(stream, _Stream) else stream


def write_json(value: object, *, indent: int | None = 2) -> None:
    """`value` for programs, on standard output: ASCII alone, whatever the terminal can show."""
    sys.stdout.write(json.dumps(value, indent=indent, default=str) + "\n")


def _opened(stream: TextIO | None, descriptor: int) -> TextIO:
    if os.name == "nt" and isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors=_ERRORS)  # Windows' console writes in its own way
        return stream
    if stream is not None:
        stream.flush()
    return _Stream(
        io.BufferedWriter(_Outlet(descriptor)),
        encoding="utf-8" if stream is None else stream.encoding,
        errors=_ERRORS,
        line_buffering=descriptor != 1 or os.isatty(descriptor),
    )


class _Stream(io.TextIOWrapper):
    """Standard output or error. On a terminal, texts are escaped."""

    def write(self, text: str, /) -> int:
        """Write `text`; its length."""
        return self.write_styled(harmless(text) if self.isatty() else text)

    def write_styled(self, text: str) -> int:
        """Write `text` as it is."""
        return super().write(text)


class _Styled:
    """A stream whose writer is trusted."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream
        self.write = stream.write_styled

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Outlet(io.FileIO):
    """Standard output or error without its buffers; once it has failed, it swallows the rest."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self.name = f"<{'stdout' if descriptor == 1 else 'stderr'}>"
        self._gone = False

    def write(self, data: ReadableBuffer, /) -> int:
        """Write some of `data`; the number of bytes written.

        Raises:
            StoreError: standard output cannot be written, though somebody reads it.
        """
        if not self._gone:
            try:
                while (written := super().write(data)) is None:  # a pipe that does not block
                    select.select([], [self], [])
            except BrokenPipeError:
                self._gone = True
            except OSError as error:
                self._gone = True
                if self.fileno() == 1:
                    raise StoreError(
                        f"Standard output cannot be written: {error.strerror}.",
                        hint="What is stored is kept; the same command shows it again.",
                    ) from error
            else:
                return written
        return memoryview(data).nbytes


def _replaced(error: UnicodeError) -> tuple[str, int]:
    """Write marks as `MARKS` has them, and other characters as escapes, so that none is lost."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    shown = (MARKS.get(c) or c.encode("ascii", "backslashreplace").decode() for c in lacking)
    return "".join(shown), error.end
