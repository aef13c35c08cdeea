"""Rounds of the harness: each is a process in its own folder, with one patch per instance.

The harness keys predictions by instance, so the k-th patches of all instances
make the k-th round. The next round begins as soon as the current rounds leave a
worker idle, so that nobody waits for the last instance of each round.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import secrets
import signal
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from data.errors import SandboxError
from runs.grading.harness import harness_row, last_line
from runs.grading.reports import read_report, without_report

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from runs.grading.harness import Harness
    from runs.grading.nouns import Grade, GradingTask

_MODEL = "troop"
_GRACE_S = 5.0


def in_rounds(tasks: Sequence[GradingTask]) -> list[list[GradingTask]]:
    """The k-th patches of all instances together, for every k."""
    seen: defaultdict[str, int] = defaultdict(int)
    rounds: defaultdict[int, list[GradingTask]] = defaultdict(list)
    for task in tasks:
        rounds[seen[task.instance_id]].append(task)
        seen[task.instance_id] += 1
    return [rounds[k] for k in sorted(rounds)]


def run_id(tasks: Sequence[GradingTask]) -> str:
    """A name for a round, made of what it grades and a token.

    The token is needed because the harness removes any container with the name that
    it wants, even one of another process that is grading the same patches.
    """
    content = hashlib.sha256(repr([task.key for task in tasks]).encode()).hexdigest()
    return f"troop-{content[:12]}-{secrets.token_hex(4)}"


@dataclass(slots=True)
class Round:
    """One process of the harness, and the tasks that it has not reported yet."""

    name: str
    folder: Path
    workers: int
    process: asyncio.subprocess.Process
    left: dict[str, GradingTask] = field(default_factory=dict)
    """The tasks by instance."""

    @property
    def busy(self) -> int:
        """The largest number of patches that it may be working on."""
        return min(self.workers, len(self.left))

    @property
    def ended(self) -> bool:
        """Whether its process has ended."""
        return self.process.returncode is not None

    def collect(self) -> Iterator[Grade]:
        """The grades reported since the last call.

        Raises:
            SandboxError: the process ended before it began any patch.
        """
        ended = self.ended  # asked first, so that everything written before the end is read below
        for instance_id, task in list(self.left.items()):
            grade = read_report(task, self._folder_of(instance_id))
            if grade is not None:
                del self.left[instance_id]
                yield grade
        if ended and self.left:
            yield from self._unreported()

    def _unreported(self) -> Iterator[Grade]:
        said = (self.folder / "output.txt").read_text("utf-8", "replace")
        if self.process.returncode and not any(map(self._begun, self.left)):
            raise SandboxError(
                f"The harness ended with exit code {self.process.returncode}: {last_line(said)}",
                hint="What was graded is stored. To see whether Docker answers: troop doctor",
            )
        for instance_id, task in list(self.left.items()):
            del self.left[instance_id]
            yield without_report(task, self._folder_of(instance_id), said)

    def _begun(self, instance_id: str) -> bool:
        return self._folder_of(instance_id).exists()

    def _folder_of(self, instance_id: str) -> Path:
        return self.folder / "logs" / "run_evaluation" / self.name / _MODEL / instance_id

    async def stop(self) -> None:
        """End the process and everything that it started."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, sign)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), _GRACE_S)
                return


async def start_round(
    harness: Harness,
    tasks: Sequence[GradingTask],
    work: Path,
    engine: str,
    *,
    workers: int,
    timeout_s: float,
) -> Round:
    """Start the harness on one patch of each instance, in a new folder in `work`."""
    name = run_id(tasks)
    folder = work / name
    folder.mkdir()
    rows = [harness_row(task) for task in tasks]
    predictions = [
        {
            "instance_id": task.instance_id,
            "model_name_or_path": _MODEL,
            "model_patch": task.diff,
        }
        for task in tasks
    ]
    # ASCII, because version 4 reads with the locale's encoding.
    (folder / "dataset.json").write_text(json.dumps(rows, default=str), encoding="ascii")
    (folder / "predictions.json").write_text(json.dumps(predictions), encoding="ascii")
    with (folder / "output.txt").open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *harness.command(name, workers=workers, timeout_s=timeout_s),
            cwd=folder,
            env=harness.environment(engine),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for Troop, which then ends the whole group
        )
    return Round(name, folder, workers, process, {task.instance_id: task for task in tasks})
