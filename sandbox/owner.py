"""Who made a container or a folder, recorded so that its death can be proved.

A process id alone proves nothing: ids are used again, other hosts and process
namespaces have their own, and a reboot ends every process.
"""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

_UNKNOWN = "-"


@dataclass(frozen=True, slots=True)
class Owner:
    """One process, identified uniquely among all hosts."""

    host: str
    """The machine and its name, hashed; "-" where the machine has no identity."""
    boot: str
    """Changes with each start of the machine."""
    namespace: str
    """The process namespace that `pid` counts in."""
    pid: int
    start: str
    """When the process started, in the kernel's own clock."""

    def __str__(self) -> str:
        """`<boot id>:<pid>:<start time>`, the label on what this process makes."""
        return f"{self.boot}:{self.pid}:{self.start}"

    @property
    def place(self) -> str:
        """Where `pid` is valid: the label beside the owner's."""
        return f"{self.host}:{self.namespace}"


def this_process() -> Owner:
    """The calling process, which is another one after a fork."""
    host, boot, namespace = _machine()
    pid = os.getpid()
    return Owner(host, boot, namespace, pid, start_time(pid) or "0")


def is_dead(owner: str, place: str, me: Owner) -> bool:
    """Whether the labels `owner` and `place` name a process that is provably gone.

    If in doubt it counts as alive: on another host, in another process namespace of the
    same boot, or if a label cannot be read.
    """
    parts = owner.split(":")
    host, _, namespace = place.partition(":")
    if len(parts) != 3 or not all(parts) or not parts[1].isdecimal():  # noqa: PLR2004
        return False
    boot, pid, start = parts
    if _UNKNOWN in {boot, me.boot}:
        return False
    if boot != me.boot:
        return host == me.host != _UNKNOWN
    if namespace != me.namespace:
        return False
    now = start_time(int(pid))
    return now is None or (start != "0" and now not in {"0", start})


def is_alive(owner: str, place: str, me: Owner) -> bool:
    """Whether the labels `owner` and `place` name a process that provably runs.

    That can only be seen for a process in the caller's own namespace. This and `is_dead`
    may both be false.
    """
    if place != me.place or _UNKNOWN in {me.boot, me.namespace}:
        return False
    boot, _, rest = owner.partition(":")
    pid, _, start = rest.partition(":")
    if boot != me.boot or not pid.isdecimal():
        return False
    return start != "0" and start_time(int(pid)) == start


def start_time(pid: int) -> str | None:
    """When the process `pid` started; None: there is none, or it is a zombie; "0": unknown."""
    if Path("/proc/self/stat").exists():
        try:
            # The second field is the program's name, in brackets, and may hold anything.
            fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2]
        except (FileNotFoundError, ProcessLookupError):
            return None
        except OSError:
            return "0"
        state, start = fields.split()[0], fields.split()[19]
        return None if state in {"Z", "X"} else start
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        return "0"
    return "0"


@functools.cache
def _machine() -> tuple[str, str, str]:
    if platform.system() == "Darwin":
        identity, boot = _sysctl("kern.uuid"), _sysctl("kern.bootsessionuuid")
    else:
        identity = _line("/etc/machine-id") or _line("/var/lib/dbus/machine-id")
        boot = _line("/proc/sys/kernel/random/boot_id")
    try:
        namespace = str(Path("/proc/self/ns/pid").stat().st_ino)
    except OSError:
        namespace = _UNKNOWN
    # Machines made from one template may share an identity, so the name is added.
    named = f"{identity}\0{platform.node()}"
    host = hashlib.sha256(named.encode()).hexdigest()[:16] if identity else _UNKNOWN
    return host, boot or _UNKNOWN, namespace


def _line(path: str) -> str:
    try:
        return Path(path).read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def _sysctl(name: str) -> str:
    try:
        done = subprocess.run(
            ["/usr/sbin/sysctl", "-n", name], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
