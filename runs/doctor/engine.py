"""The engine: where it is, which one, its storage, and the limits that it can set."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from data.errors import SandboxError
from runs.doctor.check import SANDBOX, Mark, bad, failed, fine, less
from runs.doctor.walls import about_walls

if TYPE_CHECKING:
    from runs.doctor.check import Finding
    from runs.doctor.shared import Facts, SharedEngine

OLDEST = (20, 10)
"""The oldest version that Troop is tested with."""

_SNAPSHOTTER = "io.containerd.snapshotter.v1"
_COPYING = {"vfs"}
_GOOD = {"overlay2", "overlay", "overlayfs", "btrfs", "zfs"}
_LIMITS = {
    "MemoryLimit": "memory",
    "SwapLimit": "swap",
    "CpuCfsQuota": "processor time",
    "PidsLimit": "the number of processes",
}
_USE_OVERLAY2 = 'Set {"storage-driver": "overlay2"} in the engine\'s daemon.json.'


def look_at_engine(shared: SharedEngine, *, needed: bool) -> list[Finding]:
    """The engine; `needed`: scripts may run only in Docker."""
    try:
        facts = shared.facts()
    except SandboxError as error:
        return [about_no_engine(error, needed=needed)]
    return about_engine(facts)


def about_no_engine(error: SandboxError, *, needed: bool) -> Finding:
    """What to say if no engine answers."""
    if needed:
        return failed("engine", error, SANDBOX)
    text = f"{error.message.rstrip('.')}; scripts run in the local sandbox"
    return less("engine", text, error.hint)


def about_engine(facts: Facts) -> list[Finding]:
    """What to say about an engine."""
    found = [_which(facts), *_context(facts)]
    if found[0].mark is not Mark.BAD:
        found += [_storage(facts), _limits(facts), *about_walls(facts), _restart(facts)]
    return found


def _which(facts: Facts) -> Finding:
    version = str(facts.version.get("Version") or facts.info.get("ServerVersion") or "?")
    kind = "Podman" if facts.is_podman else "Docker Desktop" if facts.is_desktop else "Docker"
    system = str(facts.version.get("Os") or facts.info.get("OSType") or "?")
    machine = str(facts.version.get("Arch") or facts.info.get("Architecture") or "?")
    text = (
        f"{kind} {version}, API {facts.version.get('ApiVersion', '?')}, {system}/{machine},"
        f" at {facts.host} ({facts.chosen_by})"
    )
    if system != "linux":
        return bad(
            "engine",
            f"{text}: not Linux containers",
            "Switch the engine to Linux containers.",
            SANDBOX,
        )
    if facts.is_podman:
        return less("engine", f"{text}: Troop is tested with Docker", "If it fails, use Docker.")
    found = re.match(r"(\d+)\.(\d+)", version)
    if found and (int(found[1]), int(found[2])) < OLDEST:
        return less("engine", f"{text}: too old, not tested", "Update to 20.10 or newer.")
    return fine("engine", text)


def _context(facts: Facts) -> list[Finding]:
    """Say if the `docker` command would talk to another engine."""
    wanted = facts.context_host
    # It is not known where a tunnel leads.
    if wanted is None or facts.host.startswith("http+docker://"):
        return []
    name = "engine.context"
    if not wanted:
        hint = "Set DOCKER_HOST, or choose another context: docker context ls"
        return [less(name, f"there is no {facts.chosen_by}: the default engine is used", hint)]
    if wanted.partition("://")[2].strip("/") == facts.host.partition("://")[2].strip("/"):
        return []
    text = f"{facts.chosen_by} is at {wanted}, which this version of Docker's library ignores"
    hint = f"Do one of these: pip install --upgrade docker; export DOCKER_HOST={wanted}"
    return [less(name, text, hint)]


def _storage(facts: Facts) -> Finding:
    driver = str(facts.info.get("Driver") or "?")
    pairs = [pair for pair in facts.info.get("DriverStatus") or [] if len(pair) == 2]  # noqa: PLR2004
    details = {str(key): str(value) for key, value in pairs}
    text = f"storage: {driver}"
    if details.get("driver-type") == _SNAPSHOTTER:
        text += " of containerd"
    if details.get("Backing Filesystem"):
        text += f" on {details['Backing Filesystem']}"
    name = "engine.storage"
    if driver in _COPYING:
        return less(name, f"{text}: copies the whole image for each container", _USE_OVERLAY2)
    if details.get("Supports d_type") == "false":
        return less(
            name,
            f"{text} without d_type: removed files may come back",
            "Use ext4, or xfs with ftype=1.",
        )
    if driver not in _GOOD:
        return less(name, f"{text}: Troop is tested with overlay2", _USE_OVERLAY2)
    return fine(name, text)


def _limits(facts: Facts) -> Finding:
    info = facts.info
    driver = str(info.get("CgroupDriver") or "?")
    text = f"limits: cgroup v{info.get('CgroupVersion') or '1'}, driver {driver}"
    missing = [word for key, word in _LIMITS.items() if info.get(key) is False]
    if driver == "none":
        missing = list(_LIMITS.values())
    if not missing:
        return fine("engine.limits", text)
    return less(
        "engine.limits",
        f"{text}: cannot limit {', '.join(missing)}",
        _limits_hint(facts, missing),
    )


def _limits_hint(facts: Facts, missing: list[str]) -> str:
    if "rootless" in facts.security:
        return (
            "Delegate the controllers to your user, in systemd: Delegate=cpu cpuset io memory pids"
        )
    if missing == ["swap"]:
        return "Boot the kernel with swapaccount=1; until then scripts may swap."
    return "Enable the cgroup controllers on the engine's kernel."


def _restart(facts: Facts) -> Finding:
    if facts.info.get("LiveRestoreEnabled"):
        return fine("engine.restart", "live-restore: containers outlive a restart of the engine")
    return fine(
        "engine.restart",
        "no live-restore: if the engine restarts, running executions end and are run again",
    )
