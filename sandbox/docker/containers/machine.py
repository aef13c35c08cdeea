"""What an engine can give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.docker.engine import Engine


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
