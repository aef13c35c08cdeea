"""A small image made of this machine's own Python, for machines that cannot reach a registry.

It holds the real interpreter at its real path, the standard library, the
libraries that they load, and the few programs that the launcher calls.
"""

from __future__ import annotations

import hashlib
import io
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

from data.errors import SandboxUnavailable
from sandbox.docker.engine import Engine
from sandbox.docker.images.images import engine_ledger
from sandbox.docker.images.made import Maker, Recipe, Verdicts
from sandbox.supervise import Stop

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker

_RECIPE = 6
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_TOOLS = (
    *("sh", "bash", "env", "mkdir", "rm", "rmdir", "cat", "kill", "sleep", "ls", "mv", "cp"),
    *("chmod", "ln", "true", "tar", "git"),
    *("base64", "head", "mktemp", "patch", "tail", "timeout"),  # for graders
    *("unshare", "mount", "umount", "setpriv", "chroot", "mknod", "chown", "setsid"),
)
_NEEDED = frozenset({"sh", "mkdir", "rm", "rmdir", "mv", "sleep", "tar"})
_LEFT_OUT = frozenset({
    *("test", "tests", "idlelib", "ensurepip", "tkinter", "turtledemo", "lib2to3", "pydoc_data"),
    *("site-packages", "dist-packages"),
})  # fmt: skip
_LEFT_OUT_MODULES = ("_test", "_tkinter", "_ctypes_test", "xx", "nis.")
_LOADED = re.compile(r"^\s*(?:\S+ => )?(/\S+) \(0x", re.MULTILINE)
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}
_FOLDERS = {"tmp": 0o1777, "var/tmp": 0o1777, "root": 0o700, "proc": 0o755, "dev": 0o755}
_FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
_LINKED_FOLDERS = ("/bin", "/sbin", "/lib", "/lib64")
_MOST_LINKS = 40


def host_python_image(client: docker.DockerClient | None = None) -> str:
    """The name of an image with this machine's Python as `python` and `python3`.

    It is built if the engine does not have it yet, which takes a second or two. Its
    tag changes with any file in it.

    Raises:
        SandboxUnavailable: this is not Linux, the engine has another
            architecture, a program is missing, or no engine answers.
        SandboxError: the engine failed.
    """
    if sys.platform != "linux":
        raise _unable(f"the engine runs Linux, and this machine's Python is for {sys.platform}")
    engine = Engine(client.api) if client else Engine.connect()
    try:
        _check_machine(engine)
        tree = _collect()

        def make(recipe: Recipe) -> str:
            with tempfile.TemporaryFile() as file:
                tree.write(file)
                file.seek(0)
                changes = [
                    f"ENV PATH={_PATH}",
                    "ENV LANG=C.UTF-8",
                    'CMD ["python"]',
                    *recipe.labels,
                ]
                return engine.import_image(file, "", changes)

        recipe = Recipe("host-python", tree.digest(), make)
        Maker(engine, engine_ledger(engine), Verdicts()).image(recipe, Stop())
        return recipe.name
    finally:
        if client is None:
            engine.close()


def _check_machine(engine: Engine) -> None:
    version = engine.version()
    there = (version.get("Os"), version.get("Arch"))
    machine = platform.machine()
    here = ("linux", _MACHINES.get(machine, machine))
    if there != here:
        raise _unable(f"the engine runs {'/'.join(map(str, there))}, this machine {'/'.join(here)}")


def _collect() -> _Tree:
    # In a virtual environment, sys.executable is a link or a launcher.
    python = os.path.realpath(getattr(sys, "_base_executable", "") or sys.executable)
    tree = _Tree(python)
    for folder in _LINKED_FOLDERS:
        tree.add(folder)
    programs = [python]
    for tool in _TOOLS:
        found = shutil.which(tool, path="/bin:/usr/bin:/sbin:/usr/sbin")
        if found:
            programs.append(found)
        elif tool in _NEEDED:
            raise _unable(f"there is no {tool} on this machine")
    library = list(_library(Path(sysconfig.get_path("stdlib"))))
    modules = [path for path in library if path.endswith(".so")]
    for path in [*programs, *library, *_shared_libraries([*programs, *modules])]:
        tree.add(path)
    return tree


def _library(folder: Path) -> Iterator[str]:
    """The standard library's files, with their bytecode for this interpreter.

    Without bytecode each script would compile what it imports again: 0.2 s for
    `import unittest, subprocess, json`, instead of 0.05 s.
    """
    compiled = f".{sys.implementation.cache_tag}.pyc"
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if name not in _LEFT_OUT and not name.startswith("config-")
        )
        for name in sorted(names):
            if name.endswith((".a", ".o", ".exe")) or name.startswith(_LEFT_OUT_MODULES):
                continue
            if name.endswith(".pyc") and not (
                name.endswith(compiled)
                and (Path(here).parent / f"{name.removesuffix(compiled)}.py").exists()
            ):
                continue
            yield str(Path(here) / name)


def _shared_libraries(binaries: list[str]) -> set[str]:
    """All libraries that `binaries` load, and the loader itself."""
    try:
        done = subprocess.run(
            ["ldd", *binaries], capture_output=True, text=True, check=False, errors="replace"
        )
    except FileNotFoundError as error:
        raise _unable("there is no ldd on this machine") from error
    found = set(_LOADED.findall(done.stdout))
    libc = next(
        (path for path in found if Path(path).name.startswith(("libc.so", "libc.musl"))), ""
    )
    if not libc:
        raise _unable(f"ldd does not list what Python loads: {done.stderr.strip()[:200]}")
    # These are loaded only when they are needed, so ldd does not list them.
    late = ("libgcc_s.so.1", "libnss_files.so.2")
    beside = [Path(libc[0]).parent / name for name in late]
    locale = Path("/usr/lib/locale/C.utf8")
    files = [*beside, *(locale.rglob("*") if locale.is_dir() else ())]
    return found | {str(path) for path in files if path.is_file()}


class _Tree:
    """Files of this machine at their own paths, and the links that lead to them."""

    def __init__(self, python: str) -> None:
        self._files: dict[str, os.stat_result] = {}
        self._links: dict[str, str] = {
            f"/usr/local/bin/{name}": python
            for name in ("python", "python3", f"python3.{sys.version_info.minor}")
        }

    def add(self, path: str) -> None:
        """Add the file at `path` and the links on the way to it; for a folder, only the links."""
        todo = path.split("/")
        real = ""
        links = 0
        while todo:
            part = todo.pop(0)
            if part in {"", "."}:
                continue
            if part == "..":
                real = real.rpartition("/")[0]
                continue
            here = f"{real}/{part}"
            if not os.path.islink(here):  # noqa: PTH114 - Path would be made for each component
                real = here
                continue
            links += 1
            if links > _MOST_LINKS:
                return
            target = os.readlink(here)  # noqa: PTH115 - likewise
            self._links.setdefault(here, target)
            todo = target.split("/") + todo
            real = "" if target.startswith("/") else real
        if Path(real).is_file():
            self._files[real] = os.stat(real)  # noqa: PTH116 - likewise

    def digest(self) -> str:
        """Identifies what the image holds: the recipe, the Python and the files' identity."""
        sha = hashlib.sha256(f"{_RECIPE} {sys.version} {platform.machine()}".encode())
        for path, target in sorted(self._links.items()):
            sha.update(f"\0{path}\0{target}".encode())
        for path, state in sorted(self._files.items()):
            sha.update(f"\0{path}\0{state.st_size}\0{state.st_mtime_ns}".encode())
        return sha.hexdigest()

    def write(self, file: IO[bytes]) -> None:
        """Write the image's layer."""
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for name, mode in _FOLDERS.items():
                tar.addfile(_info(name, tarfile.DIRTYPE, mode=mode))
            for name, text in _FILES.items():
                tar.addfile(_info(name, size=len(text)), io.BytesIO(text.encode()))
            for path, target in sorted(self._links.items()):
                if path not in self._files:
                    tar.addfile(_info(path, tarfile.SYMTYPE, link=target))
            for path, state in sorted(self._files.items()):
                mode = 0o755 if state.st_mode & 0o100 else 0o644
                # The time is kept, because bytecode names the time of its source.
                info = _info(path, size=state.st_size, mode=mode, mtime=int(state.st_mtime))
                with open(path, "rb") as source:  # noqa: PTH123 - likewise
                    tar.addfile(info, source)


def _info(
    path: str,
    kind: bytes = tarfile.REGTYPE,
    *,
    size: int = 0,
    mode: int = 0o644,
    mtime: int = 0,
    link: str = "",
) -> tarfile.TarInfo:
    info = tarfile.TarInfo(path.lstrip("/"))
    info.type, info.size, info.mode, info.mtime, info.linkname = kind, size, mode, mtime, link
    return info


def _unable(reason: str) -> SandboxUnavailable:
    return SandboxUnavailable(
        f"No image can be made of this machine's Python: {reason}.",
        hint="Pull an image instead, for example `docker pull python:3.12`.",
    )
