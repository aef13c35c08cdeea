"""Choosing the sandbox: by name, or by what this machine has."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

from data.errors import SandboxError

if TYPE_CHECKING:
    from sandbox.image_settings import ImageSettings
    from sandbox.protocol import SandboxProvider

Kind = Literal["auto", "docker", "local"]
"""What a person may ask for."""

_PING_S = 3


async def choose_provider(
    kind: Kind, images: ImageSettings | None = None, *, pristine: bool = False
) -> SandboxProvider:
    """A provider of `kind`, not yet entered. `images`: how Docker images are pulled and removed.

    `pristine`: Docker images are used as they are, with all that an agent may not see.

    "auto" is Docker if an engine answers within three seconds, else the local sandbox.
    Its `describe()` then says why it is not Docker.
    """
    # Each is imported only if it is used, because the Docker SDK takes a while.
    if kind == "local":
        from sandbox.local import LocalProvider

        return LocalProvider()
    why_not = "" if kind == "docker" else await _why_no_docker()
    if why_not:
        from sandbox.local import LocalProvider

        return LocalProvider(reason=why_not)
    from sandbox.docker import DockerProvider

    return DockerProvider(images=images, pristine=pristine)


async def _why_no_docker() -> str:
    """Why Docker cannot be used here; "": it can."""
    from sandbox.docker.engine import Engine

    def ping() -> None:
        Engine.connect(timeout_s=_PING_S).close()

    try:
        # The time-out of the connection does not limit the look-up of a name.
        await asyncio.wait_for(asyncio.to_thread(ping), _PING_S + 1)
    except SandboxError as error:
        return error.message
    except TimeoutError:
        return "the Docker engine does not answer"
    return ""
