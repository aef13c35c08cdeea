"""The floor: git and the script in a plain chroot of the same files."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.parts.contender import Threaded
from benchmarks.parts.machine import BenchmarkError
from benchmarks.parts.workload import REPO_DIR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.parts.image import Bench
    from benchmarks.parts.workload import Job

_PATCH, _SCRIPT = "/tmp/benchmark.patch", "/tmp/benchmark"


@dataclass(frozen=True, slots=True)
class _Room:
    """One worker's root: a running container's, which nothing else uses."""

    root: Path
    pristine: Path
    content: bytes


class Floor(Threaded):
    """`chroot ROOT sh -c 'git apply && exec python script'`, a process of this machine's.

    The root is that of an idle container, one for each worker, so the files lie
    on the same overlay as everybody's. Two files are written into it, and the
    one that the patch changed is written back: all else that a script leaves
    stays. There is no namespace, no limit and no time-out, and processes that a
    script leaves keep running.
    """

    name = "floor"
    title = "floor: git apply + script in a chroot"

    def __init__(
        self,
        bench: Bench,
        image: str,
        environment: Mapping[str, str],
        target: tuple[str, bytes],
    ) -> None:
        """`target`: the path and the content of the file that patches change."""
        self._bench = bench
        self._image = image
        self._environment = dict(environment)
        self._target = target
        self._rooms: list[_Room] = []

    def prepare(self, workers: int) -> None:
        """A container for each worker.

        Raises:
            BenchmarkError: this process cannot enter a container's files.
        """
        if os.geteuid() != 0:
            raise BenchmarkError("the floor needs root, for chroot")
        while len(self._rooms) < workers:
            container = self._bench.idle(self._image, {})
            container.reload()
            root = Path(f"/proc/{container.attrs['State']['Pid']}/root")
            path, content = self._target
            pristine = root / REPO_DIR.strip("/") / path
            try:
                same = pristine.read_bytes() == content
            except OSError as error:
                raise BenchmarkError(f"the engine's containers are not here: {error}") from error
            if not same:
                raise BenchmarkError(f"{pristine} is not the generated one")
            self._rooms.append(_Room(root, pristine, content))

    def one(self, worker: int, job: Job) -> str:
        """Write, start, wait, put back."""
        room = self._rooms[worker]
        script = _SCRIPT + job.script.suffix
        _inside(room.root, script).write_text(job.script.text)
        command = f"cd {REPO_DIR} && exec {job.script.interpreter} {script}"
        if job.patch:
            _inside(room.root, _PATCH).write_text(job.patch.diff)
            command = f"cd {REPO_DIR} && git apply {_PATCH} && {command}"
        done = subprocess.run(
            ["chroot", str(room.root), "/bin/sh", "-c", command],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if job.patch:
            room.pristine.write_bytes(room.content)
        return done.stdout.decode(errors="replace")


def _inside(root: Path, path: str) -> Path:
    return root / path.lstrip("/")
