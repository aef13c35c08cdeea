"""The official SWE-bench harness as a grader."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from data.errors import SandboxUnavailable
from data.folders import cache_folder
from runs.grading.harness import harness_row
from runs.grading.nouns import Grade, GradeOutcome
from runs.grading.rounds import in_rounds, start_round
from sandbox.kinds.gc import connected
from sandbox.local.folders import Folders, remove_dead_owners

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from pathlib import Path

    from runs.grading.harness import Harness
    from runs.grading.nouns import GradingTask
    from runs.grading.rounds import Round

_LOOK_S = 0.5


class HarnessGrader:
    """A `nouns.Grader` that grades by processes of the harness, `workers` patches at a time."""

    name = "harness"

    def __init__(self, harness: Harness, *, workers: int, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._harness = harness
        self._workers = workers

    @property
    def version(self) -> str:
        """The harness and its version."""
        return f"swebench {self._harness.version}"

    async def grade(self, tasks: Sequence[GradingTask]) -> AsyncGenerator[Grade, None]:
        """Grade each task once; see `Grader.grade`."""
        if not tasks:
            return
        with connected() as (engine, why):
            if engine is None:
                raise SandboxUnavailable(
                    f"The harness needs Docker: {why}", hint="Start it. To see more: troop doctor"
                )
            host = engine.host
        base = cache_folder() / "grading"
        await asyncio.to_thread(remove_dead_owners, base)
        folders = Folders(base)
        try:
            with folders.new() as work:
                async with aclosing(self._at(work, host, tasks)) as grades:
                    async for grade in grades:
                        yield grade
        finally:
            folders.close()

    async def _at(
        self, work: Path, host: str, tasks: Sequence[GradingTask]
    ) -> AsyncGenerator[Grade, None]:
        rows = {task.instance_id: harness_row(task) for task in tasks}
        refused = await asyncio.to_thread(self._harness.refused, list(rows.values()), work)
        for task in tasks:
            refusal = refused.get(task.instance_id)
            if refusal is not None:
                outcome = GradeOutcome.ERROR if refusal.passing else GradeOutcome.CANNOT_GRADE
                yield Grade(task, outcome, refusal.why)
        fit = [task for task in tasks if task.instance_id not in refused]
        running: list[Round] = []
        try:
            async for grade in self._in_rounds(fit, work, host, running):
                yield grade
        finally:
            await asyncio.shield(_stop(running))

    async def _in_rounds(
        self, tasks: Sequence[GradingTask], work: Path, host: str, running: list[Round]
    ) -> AsyncGenerator[Grade, None]:
        waiting = in_rounds(tasks)
        while waiting or running:
            free = self._workers - sum(each.busy for each in running)
            if waiting and free > 0:
                begun = start_round(
                    self._harness,
                    waiting.pop(0),
                    work,
                    host,
                    workers=free,
                    timeout_s=self.timeout_s,
                )
                running.append(await begun)
            else:
                await asyncio.sleep(_LOOK_S)
            for each in list(running):
                for grade in each.collect():
                    yield grade
                if each.ended and not each.left:
                    running.remove(each)


async def _stop(running: Sequence[Round]) -> None:
    """End the rounds that still run, and remove the containers that they leave behind."""
    if not running:
        return
    await asyncio.gather(*(each.stop() for each in running))
    names = [each.name for each in running]
    await asyncio.to_thread(_remove_containers, names)


def _remove_containers(names: Sequence[str]) -> None:
    with connected() as (engine, _):
        if engine is None:
            return
        for container in engine.stored_containers():
            if any(name in container.name for name in names):
                engine.remove(container.id)
