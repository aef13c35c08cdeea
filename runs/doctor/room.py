"""Cores, memory and disk that the engine has, and how many executions fit."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runs.doctor.check import SANDBOX, bad, fine, less, unknown
from sandbox.capacity import slots_of

if TYPE_CHECKING:
    from runs.doctor.check import Finding
    from runs.doctor.shared import Facts, SharedEngine
    from runs.run.config import Config
    from sandbox.image_settings import ImageSettings
    from sandbox.protocol import Limits

LEAST = 10**9
"""With fewer free bytes than this, executions fail."""

_UNITS = ((10**9, "GB"), (10**6, "MB"))
_CONTAINERD = "/var/lib/containerd"
_SNAPSHOTTER = ["driver-type", "io.containerd.snapshotter.v1"]
_DESKTOP = "Docker Desktop: Settings, Resources"


@dataclass(frozen=True, slots=True)
class FileSystem:
    """A file system."""

    path: str
    total: int
    """What can be used of it, as `df` has it."""
    free: int
    """For those who are not root."""


@dataclass(frozen=True, slots=True)
class Watermark:
    """When Troop makes room by removing images that it pulled."""

    percent: float
    """The part of the disk that is in use."""
    free: int
    """With fewer free bytes than this it is reached, too."""


def look_at_room(shared: SharedEngine, config: Config) -> list[Finding]:
    """The engine's room."""
    shared.engine()
    facts = shared.facts()
    path = images_folder(facts)
    disk = file_system_of(Path(path)) if facts.is_here else None
    return [
        about_slots(facts, config.batch.executions, config.limits),
        about_disk(facts, path, disk, _watermark(config.images)),
    ]


def about_slots(facts: Facts, asked: int, limits: Limits) -> Finding:
    """What to say about executions at once; `asked`: how many are set, or 0."""
    cores, memory = int(facts.info.get("NCPU") or 1), int(facts.info.get("MemTotal") or 0)
    fitting = slots_of(cores, memory >> 20, limits)
    by_cores = slots_of(cores, 0, limits)
    slots = asked or fitting
    name = "engine.room"
    text = (
        f"{_cores(cores)}, {size(memory)} of memory: {slots} at once, each execution with up to"
        f" {limits.memory_mb} MB and {_cores(limits.cpus)}"
    )
    if slots > fitting:
        return less(
            name,
            f"{text}; there is room for {fitting}, so scripts may run into their limits",
            _more(facts, f"Give --set batch.executions={fitting}"),
        )
    if not asked and fitting < by_cores:
        return less(
            name,
            f"{text}; there are cores for {by_cores}, but not the memory",
            _more(facts, "Give each less memory: --set limits.memory_mb=N"),
        )
    return fine(name, text)


def about_disk(facts: Facts, path: str, disk: FileSystem | None, mark: Watermark) -> Finding:
    """What to say about the disk that holds the engine's images, at `path`."""
    name = "engine.disk"
    if disk is None:
        where = "in its virtual machine" if facts.is_desktop else f"at {path} of the engine"
        return unknown(name, f"disk: images are {where}, which cannot be looked at from here")
    used = 100 * (1 - disk.free / disk.total) if disk.total else 100.0
    text = f"disk for images: {size(disk.free)} free of {size(disk.total)} at {disk.path}"
    hint = "Remove what Troop made: troop gc; see what else takes room: docker system df"
    if disk.free < LEAST:
        return bad(name, f"{text}: executions will fail", hint, SANDBOX)
    limit = f"{mark.percent:g} % in use or less than {size(mark.free)} free"
    if used >= mark.percent or disk.free < mark.free:
        return less(name, f"{text}: too full ({limit}), so runs remove images", hint)
    return fine(name, f"{text}; runs remove images at {limit}")


def images_folder(facts: Facts) -> str:
    """Where the engine keeps its images, on its machine."""
    if any(list(pair) == _SNAPSHOTTER for pair in facts.info.get("DriverStatus") or []):
        return _CONTAINERD
    return str(facts.info.get("DockerRootDir") or "?")


def file_system_of(path: Path) -> FileSystem | None:
    """The file system that holds `path`; None: that is not known."""
    try:
        found = os.statvfs(path)
    except (OSError, AttributeError):
        return None
    used = (found.f_blocks - found.f_bfree) * found.f_frsize
    free = found.f_bavail * found.f_frsize
    return FileSystem(str(path), used + free, free)


def size(count: int) -> str:
    """Bytes for people, counted as Docker counts them."""
    unit, name = next((pair for pair in _UNITS if count >= pair[0]), (1000, "kB"))
    return f"{count / unit:.1f} {name}" if unit == _UNITS[0][0] else f"{count / unit:.0f} {name}"


def _cores(count: float) -> str:
    return f"{count:g} core" + ("" if count == 1 else "s")


def _watermark(settings: ImageSettings) -> Watermark:
    return Watermark(settings.high_percent, round(settings.min_free_gb * 1e9))


def _more(facts: Facts, hint: str) -> str:
    return f"{hint}, or give the engine more ({_DESKTOP})." if facts.is_desktop else hint
