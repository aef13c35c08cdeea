"""Processes that work on the same runs, and ways to disturb them."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
DONE = {0, 1}
"""Exit codes of a command that has seen its run to the end."""
KILLS = 0.6
"""The share of disturbances that end a process; the others suspend it."""
YOUNG = 0.15
"""How often one is disturbed that may not have begun to work."""


@dataclass
class Process:
    """One `troop run`."""

    number: int
    """What it says to the model server as its key."""
    run: str
    popen: subprocess.Popen[bytes]
    killed_at: float | None = None
    frozen_until: float | None = None
    ended: bool = False


@dataclass
class Crowd:
    """Keeps a number of processes at work, and disturbs them."""

    folder: Path
    base_url: str
    database: str
    repository: Path
    instances: int
    lease_s: float
    chance: random.Random
    working: Callable[[], set[int]]
    """The numbers of the processes that have asked the model lately."""
    all: list[Process] = field(default_factory=list)
    done: set[str] = field(default_factory=set)
    """Runs that a process has seen to their end."""
    codes: list[int] = field(default_factory=list)
    happened: dict[str, int] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def environment(self) -> dict[str, str]:
        """Folders of its own, and a mark to know its processes by."""
        own = {name: str(self.folder / name) for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME")}
        data = {"XDG_DATA_HOME": str(self.folder / "data"), "TROOP_SOAK": str(self.folder)}
        return os.environ | own | data | {"PYTHONPATH": str(ROOT)}

    def start(self, run: str, *, take_over: bool = False) -> Process:
        """Start a process on a run."""
        number = next(self._numbers)
        words = [sys.executable, "-m", "tests.support.many_issues"]
        words += [str(self.repository), str(self.instances), "run", "--dataset", "soak"]
        words += ["--name", run, "--db", self.database, "--sandbox", "local", "--samples", "2"]
        words += ["--model", "mock", "--base-url", self.base_url, "--parallel", "2"]
        words += ["--set", f"batch.lease_s={self.lease_s}", "--set", "samples.editing_turns=3"]
        with (self.folder / f"process-{number}.log").open("wb") as log:
            popen = subprocess.Popen(
                [*words, *(["--take-over"] if take_over else [])],
                cwd=ROOT,
                env=self.environment | {"OPENAI_API_KEY": f"key-{number}"},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        process = Process(number, run, popen)
        self.all.append(process)
        self._count("begun, taking over" if take_over else "begun")
        return process

    def at_work(self) -> list[Process]:
        """The processes that have not ended; how the others ended is noted."""
        left = []
        for process in (one for one in self.all if not one.ended):
            if process.popen.poll() is None:
                left.append(process)
            else:
                self._ended(process)
        return left

    def _ended(self, process: Process) -> None:
        process.ended = True
        if process.killed_at is None:
            code = process.popen.returncode
            self.codes.append(code)
            if code in DONE:
                self.done.add(process.run)

    def next_run(self) -> str:
        """One of the two runs that are not done yet and have the lowest numbers."""
        names = (f"soak-{n}" for n in itertools.count(1))
        return self.chance.choice(
            list(itertools.islice((n for n in names if n not in self.done), 2))
        )

    def kill(self, process: Process) -> None:
        """Kill a process and all that it has started, as a machine without memory does."""
        process.killed_at = time.time()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.popen.pid, signal.SIGKILL)
        process.popen.wait()
        self._count("killed")

    def freeze(self, process: Process, seconds: float) -> None:
        """Suspend a process, as a laptop that is shut; it continues after a while (`thaw`)."""
        process.frozen_until = time.time() + seconds
        os.killpg(process.popen.pid, signal.SIGSTOP)
        self._count("suspended")

    def thaw(self, *, every: bool = False) -> None:
        """Let suspended processes continue if their time has come."""
        for process in self.at_work():
            if process.frozen_until is not None and (every or process.frozen_until < time.time()):
                process.frozen_until = None
                os.killpg(process.popen.pid, signal.SIGCONT)

    def disturb(self) -> None:
        """Disturb one of the processes."""
        there = [one for one in self.at_work() if one.frozen_until is None]
        if not there:
            return
        working = self.working()
        at_work = [one for one in there if one.number in working]
        young = not at_work or self.chance.random() < YOUNG
        process = self.chance.choice(there if young else at_work)
        if self.chance.random() < KILLS:
            self.kill(process)
        else:
            self.freeze(process, self.chance.uniform(1, 2 * self.lease_s))

    def leftovers(self) -> list[int]:
        """Processes that ours have started and that still exist."""
        mark, found = f"TROOP_SOAK={self.folder}".encode(), []
        for place in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (place / "environ").read_bytes().split(b"\0"):
                    found.append(int(place.name))
        return found

    def _count(self, what: str) -> None:
        self.happened[what] = self.happened.get(what, 0) + 1
