"""The orders to a supervisor: shell lines, made by pure functions.

The other side is `supervisor.sh`. Everything that is sent is quoted.
"""

from __future__ import annotations

import math
from importlib import resources
from typing import TYPE_CHECKING

from sandbox.laying import quoted, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.launch import StagedFile
    from sandbox.protocol import Limits

_INODES_A_MEGABYTE = 256


def prelude(limits: Limits, repo_dir: str, hello: str) -> bytes:
    """The lines that turn a shell into a supervisor, which answers with the mark `hello`."""
    scratch = f"size={limits.disk_mb}m,nr_inodes={limits.disk_mb * _INODES_A_MEGABYTE},mode=755"
    given = {"scratch": scratch, "repo": repo_dir, "entry": _text("entry.sh"), "hello": hello}
    lines = [b"%s=%s\n" % (name.encode(), quoted(value)) for name, value in given.items()]
    return b"".join(lines) + _text("supervisor.sh").encode()


def stage(files: Iterable[StagedFile]) -> bytes:
    """Write `files` where the next execution finds them below `/troop`."""
    return b"".join(map(_write, files))


def unstage(name: str) -> bytes:
    """Remove a file that an earlier `stage` wrote."""
    return b"rm -f %s\n" % quoted(f"job/troop/{name}")


def lay_patch(mark: str, layer: int) -> bytes:
    """Make a layer of the patch that was staged."""
    return f"lay_patch {mark} {layer}\n".encode()


def forget_patch(layer: int) -> bytes:
    """Remove a layer."""
    return f"forget_patch {layer}\n".encode()


def execute(mark: str, layer: int | None, guard_s: float) -> bytes:
    """Run what was staged, on top of a patch's layer."""
    patch = "" if layer is None else f"/troop/layers/{layer}/u:"
    return f"execute {mark} /troop/job:{patch}/troop/base:/ {math.ceil(guard_s)}\n".encode()


def _write(file: StagedFile) -> bytes:
    return b"pour %s %s\n" % (quoted(f"job/troop/{file.name}"), words_of(file.content))


def _text(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")
