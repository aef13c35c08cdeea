"""What the executions of one instance stand on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.instances.instance import Environment
    from sandbox.docker.containers import Containers
    from sandbox.docker.engine import Engine, Image


@dataclass(frozen=True, slots=True)
class Machine:
    """What an engine can give."""

    cpus: int
    memory_mb: int
    apparmor: bool
    """It confines containers by AppArmor."""

    @classmethod
    def of(cls, engine: Engine) -> Machine:
        """What `engine` says of itself.

        Raises:
            SandboxError: it says nothing.
        """
        info = engine.info()
        options = info.get("SecurityOptions") or ()
        return cls(
            cpus=int(info.get("NCPU") or 1),
            memory_mb=int(info.get("MemTotal") or 0) >> 20,
            apparmor=any("name=apparmor" in option for option in options),
        )


@dataclass(frozen=True, slots=True)
class Ground:
    """An engine, an image on it, and what is made of the two."""

    engine: Engine
    machine: Machine
    containers: Containers
    image: Image
    environment: Environment
    labels: Mapping[str, str]
