"""How this machine's kernel can isolate a script."""

from __future__ import annotations

import enum
import functools
import json
import os
import platform
import re
import secrets
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.local.filter import system_call_filter

_HELPER = Path(__file__).with_name("inside.py")
_PROBE_S = 30
_PROBE_CODE = 7
_FIRST_UID = 1_879_048_192
_UIDS = 1 << 27
_SYSTEM = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc", "nix", "gnu")
_RESERVED = frozenset({*_SYSTEM, "dev", "proc", "sys", "troop"})


class Isolation(enum.Enum):
    """How scripts are isolated."""

    ROOT = "root"
    """Namespaces made by root; scripts run under a user id of their own."""
    USER = "user"
    """Namespaces inside a user namespace."""
    NONE = "none"
    """A copy, limits and a process group, but no isolation."""


@dataclass(frozen=True, slots=True)
class ScriptView:
    """What one script sees, and how it is started."""

    folder: Path
    """A folder on this machine in which mount points may be made."""
    writable: dict[Path, str]
    """Folder on this machine -> where it is seen."""
    argv: list[str]
    env: dict[str, str]
    limits: dict[str, int]
    """Names of the `resource` module -> bytes or counts."""
    readable: dict[Path, str] = field(default_factory=dict)
    network: bool = False
    uid: int | None = None


def new_uid(isolation: Isolation) -> int | None:
    """A user id that no account and no other execution has; None: none can be used.

    It is above those that systemd gives out.
    """
    return _FIRST_UID + secrets.randbelow(_UIDS) if isolation is Isolation.ROOT else None


def counts_own_processes(isolation: Isolation) -> bool:
    """Whether a limit on processes counts only those of one execution.

    The kernel counts them by user id, and from version 5.14 on by user namespace. Before
    that, everything else that the user runs would count.
    """
    release = re.match(r"(\d+)\.(\d+)", platform.release())
    by_namespace = release is not None and (int(release[1]), int(release[2])) >= (5, 14)
    return isolation is Isolation.ROOT or (isolation is Isolation.USER and by_namespace)


def can_hold(repo_dir: str) -> bool:
    """Whether a repository may lie at `repo_dir` in a script's own file system."""
    parts = Path(repo_dir).parts
    return (
        Path(repo_dir).is_absolute()
        and ".." not in parts
        and len(parts) > 1
        and parts[1] not in _RESERVED
    )


def base_python() -> Path:
    """This machine's real interpreter, even if Troop runs in a virtual environment."""
    return Path(getattr(sys, "_base_executable", "") or sys.executable).resolve()


def start(isolation: Isolation, view: ScriptView) -> subprocess.Popen[bytes]:
    """Start what `view` says; it ends when its standard input is closed."""
    command = [os.fspath(sys.executable), "-I", "-S", "-B", os.fspath(_HELPER)]
    return subprocess.Popen(
        [*command, json.dumps(_spec(isolation, view))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={},
        cwd="/",
        start_new_session=True,
        bufsize=0,
    )


@functools.cache
def best() -> Isolation:
    """The strongest isolation that works here, found by trying. The first call takes a moment."""
    if sys.platform != "linux":
        return Isolation.NONE
    wanted = [Isolation.ROOT] if os.geteuid() == 0 else []
    return next(filter(_works, [*wanted, Isolation.USER]), Isolation.NONE)


def _works(isolation: Isolation) -> bool:
    with tempfile.TemporaryDirectory(prefix="troop-") as name:
        folder = Path(name)
        work = folder / "work"
        work.mkdir()
        view = ScriptView(folder, {work: "/work"}, ["/bin/sh", "-c", f"exit {_PROBE_CODE}"], {}, {})
        try:
            process = start(isolation, view)
        except OSError:
            return False
        with process:
            try:
                # Its input stays open until it has ended, because closing it would end it.
                return process.wait(timeout=_PROBE_S) == _PROBE_CODE
            except subprocess.TimeoutExpired:
                process.kill()
                return False


def _spec(isolation: Isolation, view: ScriptView) -> dict[str, object]:
    spec: dict[str, object] = {
        "mode": isolation.value,
        "argv": view.argv,
        "env": view.env,
        "limits": view.limits,
        "network": view.network,
        "uid": view.uid,
        "cwd": "/",
        "filter": system_call_filter().hex() if sys.platform == "linux" else "",
    }
    if isolation is Isolation.NONE:
        return spec
    root = view.folder / "root"
    root.mkdir()
    links, binds = _system()
    binds += [(os.fspath(source), seen, False) for source, seen in view.readable.items()]
    binds += [(os.fspath(source), seen, True) for source, seen in view.writable.items()]
    binds += _own_files(view)
    if view.network:
        # Often a link to a file that is not in /etc.
        names = Path("/etc/resolv.conf").resolve()
        if names.exists() and not names.is_relative_to("/etc"):
            binds.append((os.fspath(names), os.fspath(names), False))
    binds.sort(key=lambda bind: bind[1].count("/"))
    return spec | {"root": os.fspath(root), "links": links, "binds": binds}


@functools.cache
def _python_folders() -> tuple[Path, ...]:
    prefix = Path(sys.base_prefix).resolve()
    folders = {prefix, *([] if base_python().is_relative_to(prefix) else [base_python().parent])}
    return tuple(f for f in sorted(folders) if f.parts[1:2] and f.parts[1] not in _SYSTEM)


def _system() -> tuple[list[tuple[str, str]], list[tuple[str, str, bool]]]:
    """The parts of this machine that scripts need: programs, libraries, Python."""
    links, binds = [], []
    for name in _SYSTEM:
        path = Path("/") / name
        if path.is_symlink():
            links.append((os.fspath(path), os.fspath(path.readlink())))
        elif path.is_dir():
            binds.append((os.fspath(path), os.fspath(path), False))
    binds += [(os.fspath(path), os.fspath(path), False) for path in _python_folders()]
    return links, binds


def _own_files(view: ScriptView) -> list[tuple[str, str, bool]]:
    """System files of which the script sees its own version."""
    uid = view.uid or 0
    own = f"sandbox:x:{uid}:{uid}:sandbox:{view.env.get('HOME', '/')}:/bin/sh"
    others = [] if uid == 0 else ["root:x:0:0:root:/root:/bin/sh"]
    nobody = "nobody:x:65534:65534:nobody:/:/bin/false"
    texts = {"passwd": "\n".join([own, *others, nobody, ""])}
    if not view.network:
        texts["hosts"] = "127.0.0.1 localhost sandbox\n::1 localhost\n"
    binds = []
    for name, text in texts.items():
        if Path("/etc", name).is_file():
            path = view.folder / name
            path.write_text(text, "utf-8")
            binds.append((os.fspath(path), f"/etc/{name}", False))
    return binds
