"""How full the engine's disk is, and when it is too full."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.docker.engine import Engine
    from sandbox.image_settings import ImageSettings

_GIGABYTE = 1e9
_AGAIN = 1.5


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk, or the part of it that images may take."""

    total: float
    """How much this user and the engine can use of it in all, as in `df`."""
    free: float

    @property
    def used_percent(self) -> float:
        """How full it is."""
        return 100.0 * (self.total - self.free) / self.total if self.total else 100.0


def measure(engine: Engine, settings: ImageSettings) -> Disk | None:
    """The disk that holds the engine's images; None: it cannot be looked at.

    Raises:
        SandboxError: the engine failed.
    """
    if sys.platform != "win32" and engine.on_this_machine:
        root = Path(str(engine.info().get("DockerRootDir") or "/nonexistent"))
        try:
            found = os.statvfs(root)
        except OSError:
            pass  # a local socket that leads elsewhere: a virtual machine's, a forwarded one
        else:
            used = (found.f_blocks - found.f_bfree) * found.f_frsize
            free = found.f_bavail * found.f_frsize
            return Disk(used + free, free)
    if not settings.remote_disk_gb:
        return None
    cap = settings.remote_disk_gb * _GIGABYTE
    return Disk(cap, max(0.0, cap - engine.layers_bytes()))


@dataclass(frozen=True, slots=True)
class Marks:
    """The water marks."""

    settings: ImageSettings

    def too_full(self, disk: Disk) -> bool:
        """Whether it is above the high mark, so that images must be removed."""
        settings = self.settings
        least = settings.min_free_gb * _GIGABYTE
        return disk.used_percent >= settings.high_percent or disk.free < least

    def roomy(self, disk: Disk) -> bool:
        """Whether it is below the low mark, so that enough was removed."""
        settings = self.settings
        least = settings.min_free_gb * _GIGABYTE * _AGAIN
        return disk.used_percent <= settings.low_percent and disk.free >= least
