"""What this machine's kernel gives to sandboxes, and the local sandbox, which depends on it."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runs.doctor.check import fine, less, unknown

if TYPE_CHECKING:
    from collections.abc import Collection

    from runs.doctor.check import Finding
    from sandbox.local.isolation import Isolation

NAMESPACES = ("mnt", "pid", "ipc", "uts", "net")
"""What an execution has of its own."""
CONTROLLERS = ("cpu", "memory", "pids")
"""What the limits of an execution depend on."""

_CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Kernel:
    """What a kernel can do, as far as it is known."""

    release: str
    overlay: bool
    namespaces: Collection[str]
    seccomp: bool
    cgroups: int
    """The version; 0: there are none."""
    controllers: Collection[str]


def look_at_kernel() -> list[Finding]:
    """This machine's kernel."""
    if sys.platform != "linux":
        return [unknown("kernel", "not Linux: scripts run in the engine's own virtual machine")]
    return about_kernel(_kernel())


def look_at_local() -> list[Finding]:
    """The local sandbox, by trying."""
    from sandbox.local.isolation import best

    return [about_local(best())]


def about_kernel(kernel: Kernel) -> list[Finding]:
    """What to say about a kernel."""
    missing = [
        *([] if kernel.overlay else ["overlay"]),
        *(f"{name} namespaces" for name in NAMESPACES if name not in kernel.namespaces),
        *([] if kernel.seccomp else ["seccomp"]),
    ]
    told = f"Linux {kernel.release}"
    if missing:
        load = ("`modprobe overlay`, or " if not kernel.overlay else "") + "another kernel"
        found = less(
            "kernel", f"{told} has no {', '.join(missing)}", f"Sandboxes need it: use {load}."
        )
    else:
        found = fine("kernel", f"{told}: overlay, namespaces ({', '.join(NAMESPACES)}), seccomp")
    return [found, _cgroups(kernel)]


def _cgroups(kernel: Kernel) -> Finding:
    if not kernel.cgroups:
        return less(
            "cgroups",
            "no cgroups: an engine on this machine cannot limit what scripts use",
            "Mount them at /sys/fs/cgroup.",
        )
    missing = [name for name in CONTROLLERS if name not in kernel.controllers]
    told = f"cgroup v{kernel.cgroups}"
    if missing:
        return less(
            "cgroups",
            f"{told} without {', '.join(missing)}: limits on these have no effect",
            "Enable the controllers (kernel command line, or systemd's Delegate=).",
        )
    return fine("cgroups", f"{told} with {', '.join(CONTROLLERS)}")


def about_local(isolation: Isolation) -> Finding:
    """What to say about the local sandbox."""
    from sandbox.local.isolation import Isolation as Kinds

    asked = "used for recordings, and with --sandbox local"
    match isolation:
        case Kinds.ROOT:
            return fine(
                "local",
                f"local sandbox: scripts have namespaces and a user id of their own; {asked}",
            )
        case Kinds.USER:
            return fine("local", f"local sandbox: scripts have namespaces of their own; {asked}")
        case _:
            return less(
                "local",
                f"local sandbox: a copy of the files, limits and a process group, no wall; {asked}",
                _allow_namespaces(),
            )


def _allow_namespaces() -> str:
    if sys.platform != "linux":
        return "Use Docker for scripts that you do not trust."
    return (
        "Use Docker for scripts that you do not trust; or allow user namespaces"
        " (sysctl kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns,"
        " user.max_user_namespaces)."
    )


def _kernel() -> Kernel:
    spaces = Path("/proc/self/ns")
    version, controllers = _controllers()
    return Kernel(
        release=platform.release(),
        overlay=_has_overlay(),
        namespaces={entry.name for entry in spaces.iterdir()} if spaces.is_dir() else set(),
        seccomp="\nSeccomp:" in _text(Path("/proc/self/status")),
        cgroups=version,
        controllers=controllers,
    )


def _has_overlay() -> bool:
    """Built in or loaded, or a module that is loaded when it is needed."""
    if "\toverlay\n" in _text(Path("/proc/filesystems")):
        return True
    modules = Path("/lib/modules") / platform.release()
    return any(
        "/overlay.ko" in _text(modules / name) for name in ("modules.builtin", "modules.dep")
    )


def _controllers() -> tuple[int, set[str]]:
    whole = _CGROUPS / "cgroup.controllers"
    if whole.exists():
        return 2, set(_text(whole).split())
    lines = [line.split() for line in _text(Path("/proc/cgroups")).splitlines()]
    enabled = {line[0] for line in lines if len(line) == 4 and line[3] == "1"}  # noqa: PLR2004
    return (1, enabled) if enabled and _CGROUPS.is_dir() else (0, set())


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
