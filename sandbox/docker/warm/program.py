"""The supervisor's program, and how it gets into a container.

It is a static program of Troop's own, because it holds the container's capabilities. It is put
under a name that no image can know, so that an image can neither hide nor replace it.
"""

from __future__ import annotations

import io
import secrets
import tarfile
import time
from importlib import resources

_PROCESSORS = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}


def program_for(processor: str) -> bytes | None:
    """The program for engines on `processor`, as they call it; None: there is none."""
    name = _PROCESSORS.get(processor)
    if name is None:
        return None
    return resources.files(__package__).joinpath("supervisor", f"supervisor-{name}").read_bytes()


def new_path() -> str:
    """Where a container gets the program. The program removes itself when it starts."""
    return f"/.troop-{secrets.token_hex(16)}"


def tar_of_program(program: bytes, path: str) -> bytes:
    """A tar of `program`, to be unpacked at the root of a container."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        info = tarfile.TarInfo(path.strip("/"))
        info.size, info.mode, info.mtime = len(program), 0o755, int(time.time())
        tar.addfile(info, io.BytesIO(program))
    return buffer.getvalue()
