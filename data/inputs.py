"""The one place that opens files that people name: plain, packed, or a pipe.

Other things that people name by mistake (a folder, an archive, a web page) get an error that says
what they are.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import shutil
import stat
import tempfile
import zlib
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from data.errors import UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path

LARGEST_UNPACKED = 4_000_000_000
"""How many bytes a packed file may hold."""

_IN_MEMORY = 64_000_000
_PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
_NOT_TEXT = {
    b"PK\x03\x04": ("a zip archive", "Unpack it and name the file in it."),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", "Unpack it and name the file in it."),
    b"SQLite format 3\0": ("a SQLite database", "Was --db meant?"),
    b"version https://git-lfs": ("a Git LFS pointer, not the file", "Fetch it: git lfs pull"),
    b"<!DOCTYPE html": ("a web page", "Download the raw file instead."),
    b"<html": ("a web page", "Download the raw file instead."),
}
_TAR = (257, b"ustar")
_START = 262
"""How many bytes are read to find out what a file is."""
_USUAL = ("preds.json", "all_preds.jsonl", "output.jsonl")
"""Usual names of predictions in the folders of other tools."""
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_pipes: dict[tuple[int, int], bytes] = {}
"""What pipes have given, by device and inode, because a pipe gives its bytes only once."""


def open_input(path: Path) -> BinaryIO:
    """Open a file for reading, unpacked, at its start. It can be read again after `seek(0)`.

    Raises:
        UsageError: it is missing, a folder, unreadable, damaged, or of a kind that is not read.
    """
    try:
        about = path.stat()
        file = _pipe(path, about) if _gives_once(about) else path.open("rb")
    except FileNotFoundError:
        raise UsageError(f"There is no file {path}.", hint="Check the spelling.") from None
    except IsADirectoryError:
        raise _folder(path) from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    return _unpacked(path, file)


def read_input(path: Path) -> bytes:
    """Read a file as a whole.

    Raises:
        UsageError: as `open_input`.
    """
    with open_input(path) as file:
        try:
            return file.read()
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}.") from error


def read_text(path: Path) -> str:
    """Read a text file; a byte order mark of UTF-8 is left out.

    Raises:
        UsageError: as `open_input`, or it is not UTF-8; names the line.
    """
    content = read_input(path)
    refuse_utf16(path, content)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        why = f"is not UTF-8 (byte 0x{content[error.start]:02x})"
        raise UsageError(f"{path}, line {line}: {why}.", hint="Save the file as UTF-8.") from error


def refuse_utf16(path: Path, content: bytes) -> None:
    """Refuse UTF-16, which editors on Windows call Unicode.

    Raises:
        UsageError: it begins with the mark of UTF-16.
    """
    if content.startswith(_UTF16):
        raise UsageError(f"{path} is UTF-16.", hint="Save it as UTF-8.")


def _gives_once(about: os.stat_result) -> bool:
    return stat.S_ISFIFO(about.st_mode) or stat.S_ISSOCK(about.st_mode)


def _pipe(path: Path, about: os.stat_result) -> BinaryIO:
    key = about.st_dev, about.st_ino
    if key not in _pipes:
        _pipes[key] = path.read_bytes()
    return io.BytesIO(_pipes[key])


def _folder(path: Path) -> UsageError:
    there = next((name for name in _USUAL if (path / name).is_file()), "")
    return UsageError(
        f"{path} is a folder.", hint=f"Name {path / there}." if there else "Name a file in it."
    )


def _unpacked(path: Path, file: BinaryIO) -> BinaryIO:
    """The file at its start, or what is packed in it. It is closed if it is refused."""
    try:
        start = file.read(_START)
        if not file.seekable():  # a terminal, or another device
            file = io.BytesIO(start + file.read())
        file.seek(0)
        _refuse_kinds(path, start)
        packed = next((name for mark, name in _PACKED.items() if start.startswith(mark)), None)
        if packed is None:
            return file
        plain = _unpack(path, file, packed)
    except BaseException:
        file.close()
        raise
    file.close()
    return _unpacked(path, plain)


def _refuse_kinds(path: Path, start: bytes) -> None:
    for mark, (what, hint) in _NOT_TEXT.items():
        if start.lstrip().startswith(mark):
            raise UsageError(f"{path} is {what}.", hint=hint)
    if start[_TAR[0] :] == _TAR[1]:
        raise UsageError(f"{path} is a tar archive.", hint="Unpack it and name the file in it.")


def _unpack(path: Path, file: BinaryIO, packed: str) -> BinaryIO:
    """What a packed file holds, in memory or, if it is large, in an unnamed file."""
    plain = cast(BinaryIO, tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115 - the caller's
    openers: dict[str, Callable[[BinaryIO], IO[bytes]]] = {
        "gzip": lambda source: cast(IO[bytes], gzip.GzipFile(fileobj=source)),
        "bzip2": bz2.BZ2File,
        "xz": lzma.LZMAFile,
        "zstd": _zstd,
    }
    try:
        with openers[packed](file) as source:
            shutil.copyfileobj(_Limited(source), plain)
        plain.seek(0)
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
        plain.close()
        raise UsageError(
            f"{path} is packed by {packed} and cannot be unpacked: {error}.",
            hint="Was it written, or downloaded, to its end?",
        ) from error
    return plain


class _Limited:
    """A source that raises an error before it fills the disk."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._left = LARGEST_UNPACKED

    def read(self, size: int = -1, /) -> bytes:
        found = self._source.read(size)
        self._left -= len(found)
        if self._left < 0:
            raise ValueError(f"it holds more than {LARGEST_UNPACKED // 10**9} GB")
        return found


def _zstd(file: BinaryIO) -> IO[bytes]:
    """All frames. The library's own reader accepts a frame that is cut off."""
    import zstandard

    data, frames = file.read(), list[bytes]()
    try:
        while data:
            frame = zstandard.ZstdDecompressor().decompressobj()
            frames.append(frame.decompress(data))
            if not frame.eof:
                raise ValueError("it is cut off")
            data = frame.unused_data
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error
    return io.BytesIO(b"".join(frames))
