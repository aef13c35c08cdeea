"""Writing files for others to read: each appears whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import tempfile
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from data.errors import StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_STREAMS = {"/dev/stdout": 1, "/dev/stderr": 2}
_NUMBERED = re.compile(r"/(?:dev|proc/self)/fd/(\d{1,4})")


def write_whole(path: Path, content: bytes, *, durable: bool = False) -> None:
    """Write `content` to `path` in one step, replacing what is there.

    `durable` waits until the disk has it, for files that must survive a power cut.

    Raises:
        OSError: it cannot be written. What was there stays.
    """
    with _replacing(path, durable=durable) as file:
        file.write(content)


def put_file(path: Path, content: bytes, *, durable: bool = False) -> None:
    """Write `content` to a place that a person named, as `whole_file` does.

    Raises:
        UsageError, StoreError: as `whole_file`.
    """
    with whole_file(path, durable=durable) as file:
        file.write(content)


@contextmanager
def whole_file(path: Path, *, durable: bool = False) -> Iterator[BinaryIO]:
    """Open a place that a person named: what is written appears there whole, or not at all.

    Folders above it are made. A pipe, a device, and a file in a folder where no other file
    can be made, are written in place.

    Raises:
        UsageError: it is a folder.
        StoreError: it cannot be written. What was there stays.
    """
    real = Path(os.path.realpath(path))  # follows links, which stay
    try:
        _refuse_folder(path)
        if (number := _descriptor(path)) is not None:
            with os.fdopen(os.dup(number), "wb") as file:
                yield file
        elif _in_place(real):
            with real.open("wb") as file:
                yield file
        else:
            real.parent.mkdir(parents=True, exist_ok=True)
            with _replacing(real, durable=durable) as file:
                yield file
    except OSError as error:
        raise _unwritable(path, error) from error


def check_place(path: Path, *, folder: bool = False) -> None:
    """Raise what writing to `path` would raise, before the work begins. Leaves nothing there.

    `folder`: it is the place of a folder of files, not of one file.

    Raises:
        UsageError: it is a folder and should not be, or the other way round.
        StoreError: it cannot be written.
    """
    real = Path(os.path.realpath(path))
    try:
        if folder and path.exists() and not path.is_dir():
            raise UsageError(f"{path} is a file.", hint="Name a folder.")
        if folder:
            _try_folder(real)
            return
        _refuse_folder(path)
        if (number := _descriptor(path)) is not None:
            os.fstat(number)
        elif not _in_place(real):
            _try_folder(real.parent)
        elif not _allowed(real):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise _unwritable(path, error) from error


def _try_folder(folder: Path) -> None:
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
    finally:
        for each in missing:
            with suppress(OSError):
                each.rmdir()


@contextmanager
def _replacing(path: Path, *, durable: bool) -> Iterator[BinaryIO]:
    temporary = path.with_name(f".{uuid.uuid4().hex}")
    try:
        with temporary.open("xb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _refuse_folder(path: Path) -> None:
    if path.is_dir():
        raise UsageError(f"{path} is a folder.", hint="Name a file in it.")


def _descriptor(path: Path) -> int | None:
    """The open file behind a name such as /dev/stdout, which is not opened again."""
    named = _STREAMS.get(str(path))
    if named is None and (found := _NUMBERED.fullmatch(str(path))):
        named = int(found[1])
    return named


def _in_place(real: Path) -> bool:
    """Whether another file cannot replace what is there."""
    return real.exists() and (not real.is_file() or (_allowed(real) and not _allowed(real.parent)))


def _allowed(real: Path) -> bool:
    return os.access(real, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _unwritable(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{path} cannot be written: {error.strerror}.",
        hint="Name a place where you may write, on a disk with room.",
    )
