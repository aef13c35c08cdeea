"""How a container is made: its limits, its walls and its environment."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from data.folders import cache_folder
from data.writing import write_whole
from sandbox.docker.containers.seccomp import profile
from sandbox.launch import FOLDER
from sandbox.setup import SETUP_LIMITS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sandbox.docker.engine import Engine, Image
    from sandbox.protocol import Limits

SHARED_MB = 512
"""Space for patches in a warm container's tmpfs, in megabytes."""

HOSTNAME = "sandbox"
"""The machine's name as scripts see it; it resolves to their own loopback."""

_MEGABYTE = 1 << 20
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SUPERVISOR = ("SYS_ADMIN", "SETPCAP", "SYS_CHROOT", "DAC_OVERRIDE", "MKNOD", "CHOWN")
_INSTALLER = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID")
_LEAST_MEMORY_MB = 6
_OWN_PROCESSES = 4
_OPEN_FILES = 4096


@dataclass(frozen=True, slots=True)
class Machine:
    """What an engine can give."""

    cpus: int
    memory_mb: int
    apparmor: bool
    """Whether it confines containers with AppArmor."""
    processor: str
    """Its kind, as the engine calls it (x86_64, aarch64)."""
    seccomp: str
    """The profile of system calls, as the engine takes it; "": it cannot be given one."""

    @classmethod
    def of(cls, engine: Engine) -> Machine:
        """What `engine` says of itself.

        Raises:
            SandboxError: it does not answer.
        """
        info = engine.info()
        options = info.get("SecurityOptions") or ()
        return cls(
            cpus=int(info.get("NCPU") or 1),
            memory_mb=int(info.get("MemTotal") or 0) >> 20,
            apparmor=any("name=apparmor" in option for option in options),
            processor=str(info.get("Architecture") or ""),
            seccomp=_seccomp(engine),
        )


def _seccomp(engine: Engine) -> str:
    """The profile itself or, for Podman, the path of a file that holds it."""
    if not engine.is_podman():
        return profile()
    if not engine.on_this_machine:
        return ""
    text = profile().encode()
    path = cache_folder() / f"seccomp-{hashlib.sha256(text).hexdigest()[:16]}.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text)
    return str(path)


def container_settings(
    image: Image, command: Sequence[str], labels: Mapping[str, str], env: Mapping[str, str]
) -> dict[str, Any]:
    """The SDK's arguments for a container that runs `command` as root and hides the host."""
    return {
        "image": image.id,
        # Some images have a shell as their entrypoint.
        "entrypoint": list(command),
        "command": [],
        "environment": dict(env),
        "labels": dict(labels),
        "user": "0:0",
        "working_dir": "/",
        "hostname": HOSTNAME,
        "healthcheck": {"test": ["NONE"]},
    }


def script_env(image: Image, repo_dir: str) -> dict[str, str]:
    """The environment of scripts, besides the image's own."""
    others = [part for part in image.env.get("PYTHONPATH", "").split(":") if part != repo_dir]
    return {
        "PYTHONPATH": ":".join([repo_dir, *filter(None, others)]),
        "PYTHONUNBUFFERED": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TERM": "dumb",
    }


def script_variables(image: Image, repo_dir: str) -> dict[str, str]:
    """The whole environment of scripts that do not inherit the container's."""
    return {"PATH": _PATH, **image.env, **script_env(image, repo_dir)}


def walled(limits: Limits, machine: Machine) -> dict[str, Any]:
    """The SDK's host arguments for scripts: no network, no capability, all limits."""
    memory = max(limits.memory_mb, _LEAST_MEMORY_MB) * _MEGABYTE
    return {
        "init": True,
        "ipc_mode": "private",
        "log_config": {"Type": "none", "Config": {}},
        "network_mode": "none",
        # Programs look their own name up, and there is no network to ask.
        "extra_hosts": {HOSTNAME: "127.0.0.1"},
        "cap_drop": ["ALL"],
        "security_opt": [
            "no-new-privileges",
            *([f"seccomp={machine.seccomp}"] if machine.seccomp else []),
        ],
        # Besides the script's processes there are the init, the shell, the guard and its clock.
        "pids_limit": limits.processes + _OWN_PROCESSES,
        "mem_limit": memory,
        "memswap_limit": memory,
        "nano_cpus": round(min(limits.cpus, machine.cpus) * 1e9),
        "ulimits": [
            {"Name": "nofile", "Soft": _OPEN_FILES, "Hard": _OPEN_FILES},
            {"Name": "core", "Soft": 0, "Hard": 0},
            {
                "Name": "fsize",
                "Soft": limits.file_mb * _MEGABYTE,
                "Hard": limits.file_mb * _MEGABYTE,
            },
        ],
    }


def walled_warm(limits: Limits, machine: Machine) -> dict[str, Any]:
    """The SDK's host arguments for a warm container.

    Its capabilities are for the supervisor, which gives each script a file system
    and processes of its own, but no capability.
    """
    host = walled(limits, machine)
    if machine.apparmor:
        # Docker's profile refuses every mount, whatever the capabilities.
        host["security_opt"].append("apparmor=unconfined")
    return host | {
        "cap_add": list(_SUPERVISOR),
        "init": False,
        "auto_remove": True,
        "tmpfs": {FOLDER: f"size={SHARED_MB}m,mode=755,exec"},
        # A connection that one script closed must not hold a port of the next.
        "sysctls": {"net.ipv4.tcp_max_tw_buckets": "0"},
    }


def walled_setup(machine: Machine, network: str = "none") -> dict[str, Any]:
    """The SDK's host arguments for what changes an image: a setup, or a program of Troop's in it.

    Packages are installed by root, so it has what root needs for files and users, but nothing
    for the network or the kernel. `network`: the only one that it reaches.
    """
    memory_mb = min(SETUP_LIMITS.memory_mb, machine.memory_mb)
    limits = replace(SETUP_LIMITS, memory_mb=memory_mb)
    host = walled(limits, machine)
    # As many open files as the engine gives: an installer may need more than a script.
    host["ulimits"] = [each for each in host["ulimits"] if each["Name"] != "nofile"]
    return host | {"cap_add": list(_INSTALLER), "network_mode": network}
