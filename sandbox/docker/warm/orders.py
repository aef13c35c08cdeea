"""The orders to a supervisor: a line each, made by pure functions.

The other side is `supervisor/supervisor.c`, which says what they mean.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.launch import StagedFile
    from sandbox.protocol import Limits

_INODES_A_MEGABYTE = 256


def hello(mark: str, limits: Limits) -> bytes:
    """Prepare the container for executions with `limits`."""
    inodes = limits.disk_mb * _INODES_A_MEGABYTE
    return f"hello {mark} size={limits.disk_mb}m,nr_inodes={inodes},mode=755\n".encode()


def stage(files: Iterable[StagedFile]) -> bytes:
    """Write `files` where the next execution finds them below `/troop`."""
    return b"".join(
        b"file %d %s\n%s" % (len(file.content), file.name.encode(), file.content) for file in files
    )


def unstage(name: str) -> bytes:
    """Remove a file that an earlier `stage` wrote."""
    return f"gone {name}\n".encode()


def lay_patch(mark: str, layer: int, guard_s: float) -> bytes:
    """Make a layer of the patch that was staged."""
    return f"patch {mark} {layer} {math.ceil(guard_s)}\n".encode()


def forget_patch(layer: int) -> bytes:
    """Remove a layer."""
    return f"forget {layer}\n".encode()


def execute(mark: str, layer: int | None, guard_s: float) -> bytes:
    """Run what was staged, on top of a patch's layer."""
    return f"run {mark} {layer or 0} {math.ceil(guard_s)}\n".encode()
