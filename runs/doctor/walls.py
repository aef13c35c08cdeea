"""What keeps a script in its container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runs.doctor.check import fine, less

if TYPE_CHECKING:
    from runs.doctor.check import Finding
    from runs.doctor.shared import Facts

_STRONGER = ("runsc", "gvisor", "kata", "sysbox")
"""Parts of the names of runtimes that put more than namespaces around a container."""
_CHOOSE_RUNTIME = "For a stronger wall, make runsc (gVisor) or kata the engine's default runtime."


def about_walls(facts: Facts) -> list[Finding]:
    """What to say about an engine's walls."""
    return [_seccomp(facts), _labels(facts), _root(facts), _runtime(facts)]


def _seccomp(facts: Facts) -> Finding:
    name = "engine.seccomp"
    options = facts.security.get("seccomp")
    if options is None:
        return less(
            name,
            "no seccomp: scripts may make any system call",
            "Use a kernel and an engine that have it; until then, run only what you trust.",
        )
    profile = options.get("profile", "default")
    if profile == "unconfined":
        return less(
            name,
            "seccomp is there, but the engine's own profile is unconfined: a new container for each"
            " execution has no filter",
            "Take seccomp-profile out of the engine's daemon.json.",
        )
    return fine(name, f"seccomp: profile {profile}; Troop's warm containers have a stricter one")


def _labels(facts: Facts) -> Finding:
    """AppArmor or SELinux."""
    if "apparmor" in facts.security:
        return less(
            "engine.apparmor",
            "AppArmor: warm containers run with apparmor=unconfined, because docker-default refuses"
            " mounts; each script still has seccomp, no capabilities and its own namespaces",
            f"Nothing has to be done. {_CHOOSE_RUNTIME}",
        )
    if "selinux" in facts.security:
        return fine("engine.selinux", "SELinux: containers keep the engine's label")
    return fine(
        "engine.apparmor",
        "no AppArmor or SELinux: scripts have seccomp, no capabilities and their own namespaces",
    )


def _root(facts: Facts) -> Finding:
    name = "engine.root"
    if "rootless" in facts.security:
        return fine(name, "rootless: root in a container is only you outside")
    if "userns" in facts.security:
        return fine(name, "userns-remap: root in a container is nobody outside")
    if facts.is_desktop:
        return fine(name, "the engine has a virtual machine of its own")
    return fine(name, "root in a container is root outside, without capabilities (no userns-remap)")


def _runtime(facts: Facts) -> Finding:
    default = str(facts.info.get("DefaultRuntime") or "runc")
    others = [name for name in _runtimes(facts) if name != default]
    if _is_stronger(default):
        return fine("engine.runtime", f"runtime: {default}, a stronger wall than runc's")
    stronger = [name for name in others if _is_stronger(name)]
    text = f"runtime: {default}"
    if stronger:
        text += f"; {', '.join(stronger)} would be a stronger wall if it were the default"
    return fine("engine.runtime", text)


def _runtimes(facts: Facts) -> list[str]:
    return sorted(facts.info.get("Runtimes") or {})


def _is_stronger(runtime: str) -> bool:
    return any(part in runtime.lower() for part in _STRONGER)
