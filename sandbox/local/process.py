"""One local execution: its folders, its process, its limits."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, cast

from data.errors import SandboxError
from sandbox.launch import FOLDER
from sandbox.local.folders import tree_bytes
from sandbox.local.isolation import (
    Isolation,
    ScriptView,
    base_python,
    counts_own_processes,
    start,
)
from sandbox.supervise import Exit, supervise

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from typing import IO

    from sandbox.launch import StagedFile
    from sandbox.protocol import Limits
    from sandbox.supervise import ProcessResult, Stop

_MEGABYTE = 1 << 20
_OPEN_FILES = 4096
_OWN_PROCESSES = 2
_CHUNK = 1 << 16
_POLL_MS = 200
_KILL_S = 15.0
_VENV = "/troop-venv"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Room:
    """The folders of one execution, on this machine and as the script sees them."""

    folder: Path
    """The execution's own folder, at first empty."""
    repo: Path
    venv: Path | None
    isolation: Isolation
    wanted_dir: str
    """Where the script sees the repository if there are namespaces."""
    uid: int | None

    @property
    def repo_dir(self) -> str:
        """Where the script sees the repository."""
        return os.fspath(self.repo) if self.isolation is Isolation.NONE else self.wanted_dir

    @property
    def tools_dir(self) -> str:
        """Where the script sees the launcher."""
        return os.fspath(self.tools) if self.isolation is Isolation.NONE else FOLDER

    @property
    def venv_dir(self) -> str:
        """Where the script sees the virtual environment."""
        return str(self.venv) if self.isolation is Isolation.NONE else _VENV

    @property
    def tools(self) -> Path:
        """The folder of the launcher."""
        return self.folder / "troop"

    def furnish(self, files: Iterable[StagedFile]) -> None:
        """Make the folders and write `files` into the launcher's folder."""
        for name in ("troop", "troop/bin", "home", "tmp", "vartmp"):
            self._own(self.folder / name, make=True)
        for name in ("tmp", "vartmp"):
            (self.folder / name).chmod(0o1777)
        for name in ("python", "python3"):
            (self.tools / "bin" / name).symlink_to(base_python())
        for file in files:
            path = self.tools / file.name
            path.write_bytes(file.content)
            path.chmod(0o644)
            self._own(path)

    def _own(self, path: Path, *, make: bool = False) -> None:
        if make:
            path.mkdir(0o755)
        if self.uid is not None:
            os.chown(path, self.uid, self.uid)

    def view(self, launch: Launch) -> ScriptView:
        """What the script sees, and how it is started."""
        writable = {
            self.folder / "tmp": "/tmp",  # noqa: S108 - the script's own
            self.folder / "vartmp": "/var/tmp",  # noqa: S108 - likewise
            self.folder / "home": "/home/sandbox",
            self.tools: FOLDER,
            self.repo: self.wanted_dir,
        }
        readable: dict[Path, str] = {}
        if self.venv is not None:
            (writable if launch.setup else readable)[self.venv] = _VENV
        return ScriptView(
            folder=self.folder,
            writable=writable,
            readable=readable,
            argv=["/bin/sh", f"{self.tools_dir}/{launch.command}"],
            env=self._env(setup=launch.setup),
            limits=_limits(launch.limits, self.isolation),
            network=launch.setup,
            uid=self.uid,
        )

    def _env(self, *, setup: bool) -> dict[str, str]:
        bare = self.isolation is Isolation.NONE
        path = [f"{self.tools_dir}/bin", *_PATH.split(":")]
        env = {
            "HOME": os.fspath(self.folder / "home") if bare else "/home/sandbox",
            "TMPDIR": os.fspath(self.folder / "tmp") if bare else "/tmp",  # noqa: S108
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "PYTHONUNBUFFERED": "1",
        }
        if self.venv is not None:
            path.insert(0, f"{self.venv_dir}/bin")
            env["VIRTUAL_ENV"] = self.venv_dir
        if not setup:
            imports = [self.repo_dir]
            if bare and self.venv is not None and (self.repo / "src").is_dir():
                # An editable install names the template's folder, not this copy.
                imports.append(f"{self.repo_dir}/src")
            env |= {
                "PYTHONPATH": ":".join(imports),
                "PYTHONHASHSEED": "0",
                "PYTHONDONTWRITEBYTECODE": "1",
            }
        return env | {"PATH": ":".join(path)}


@dataclass(frozen=True, slots=True)
class Launch:
    """What is started in a room."""

    command: str
    """The launcher's name among `files`."""
    files: Sequence[StagedFile]
    mark: bytes
    limits: Limits
    setup: bool = False
    """Whether it has network, and a virtual environment that it may write."""
    word: str = ""
    """Proves that the script came to its end; "": nothing does."""


def run(room: Room, launch: Launch, stop: Stop) -> ProcessResult:
    """Start `launch` in `room` and watch it to its end.

    Raises:
        Stopped: the order to stop was given. Nothing still runs.
        SandboxError: the machine cannot start it.
    """
    room.furnish(launch.files)
    stop.check()
    try:
        popen = start(room.isolation, room.view(launch))
    except OSError as error:
        raise SandboxError(
            f"The script's process could not be started: {error}.",
            hint="Look at the machine's free memory and processes.",
        ) from error
    with LocalProcess(popen, room) as process:
        return supervise(process, launch.limits, launch.mark, stop, launch.word)


class LocalProcess:
    """A started execution as `sandbox.supervise.Process`."""

    def __init__(self, popen: subprocess.Popen[bytes], room: Room) -> None:
        self._popen = popen
        self._room = room
        self._at_first = tree_bytes(room.folder)
        self._output = cast("IO[bytes]", popen.stdout)
        self._poll = select.poll()
        self._poll.register(self._output, select.POLLIN)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._output.close()

    def read(self) -> bytes:
        """The next output; b"" once it has ended, even if a runaway process keeps the pipe open."""
        while True:
            ended = self._popen.poll() is not None
            if self._poll.poll(0 if ended else _POLL_MS):
                return os.read(self._output.fileno(), _CHUNK)
            if ended:
                return b""

    def wait(self) -> Exit:
        """How it ended."""
        code = self._popen.wait(_KILL_S)
        return Exit(code if code >= 0 else 128 - code)

    def kill(self) -> None:
        """End the whole process tree. The helper does it when its input ends."""
        with contextlib.suppress(OSError):
            cast("IO[bytes]", self._popen.stdin).close()
        try:
            self._popen.wait(_KILL_S)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._popen.pid, signal.SIGKILL)
            self._popen.wait()

    def disk_bytes(self) -> int:
        """How many bytes were added to the execution's folders."""
        return max(0, tree_bytes(self._room.folder) - self._at_first)


def _limits(limits: Limits, isolation: Isolation) -> dict[str, int]:
    found = {
        "RLIMIT_AS": limits.memory_mb * _MEGABYTE,
        "RLIMIT_FSIZE": limits.file_mb * _MEGABYTE,
        "RLIMIT_NOFILE": _OPEN_FILES,
        "RLIMIT_CORE": 0,
    }
    if counts_own_processes(isolation):
        found["RLIMIT_NPROC"] = limits.processes + _OWN_PROCESSES
    return found
