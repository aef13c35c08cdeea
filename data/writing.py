"""Writing files that others read: each appears whole or not at all."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING

from data.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path


def write_whole(path: Path, content: bytes, *, durable: bool = False) -> None:
    """Put `content` at `path` in one step, in place of what is there.

    `durable` waits until the disk has it, for what must survive a power cut.

    Raises:
        OSError: it cannot be written; what was there stays.
    """
    temporary = path.with_name(f".{uuid.uuid4().hex}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def put_file(path: Path, content: bytes, *, durable: bool = False) -> None:
    """`write_whole`, with the folders above it, for a place that a person named.

    Raises:
        StoreError: it cannot be written; what was there stays.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content, durable=durable)
    except OSError as error:
        raise StoreError(
            f"{path.name} cannot be written to {path.parent}: {error.strerror}.",
            hint="Name a folder on a disk with room, where you may write.",
        ) from error
