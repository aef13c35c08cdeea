"""Fills the matrix: every distinct test on every distinct candidate and on the unedited code."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from agent.journal import Kind, TrajectoryId
from agent.slots import together
from data.patches.litter import without_litter
from data.patches.patch import UNEDITED, Patch
from selection.candidates import TestKind, meaning
from selection.regression.scripts import broken_tests
from selection.votes import UNEDITED_ROW, Matrix, Verdict, verdict

if TYPE_CHECKING:
    from agent.workbench import Workbench
    from sandbox.protocol import Script
    from selection.candidates import Candidate, Test

MATRIX = TrajectoryId("matrix", Kind.MATRIX)


async def fill_matrix(
    bench: Workbench, candidates: tuple[Candidate, ...], tests: tuple[Test, ...]
) -> Matrix:
    """Run what was not run yet; pairs that a trajectory has run already cost nothing.

    Raises:
        SandboxError: the engine failed; no vote is counted for it.
        Interrupted: a person asked to stop.
    """
    rows: list[tuple[int, Patch]] = [(UNEDITED_ROW, UNEDITED)]
    rows += [(candidate.number, candidate.patch) for candidate in candidates]
    cells = [(number, patch, test) for test in tests for number, patch in rows]
    bench.observer.stage(Kind.MATRIX, len(cells))
    results = await together(*(_cell(bench, patch, test) for _, patch, test in cells))
    filled: dict[tuple[int, int], Verdict] = {}
    broken: dict[tuple[int, int], int] = {}
    for (number, _, test), (said, count) in zip(cells, results, strict=True):
        filled[number, test.number] = said
        if count is not None:
            broken[number, test.number] = count
    return Matrix(candidates, tests, filled, broken)


class GrowingMatrix:
    """Runs the cells that are already known while other samples still work.

    What it runs is memoised by the workbench, so `fill_matrix` finds it done.
    """

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._patches: dict[str, Patch] = {}
        self._scripts: list[Script] = []

    async def add(self, script: Script | None, patch: Patch) -> None:
        """Run a new script on all patches so far, and a new patch on all scripts so far.

        Raises:
            SandboxError: the engine failed.
            Interrupted: a person asked to stop.
        """
        cells: list[tuple[Script, Patch]] = []
        if script is not None and script not in self._scripts:
            self._scripts.append(script)
            cells += [(script, known) for known in [UNEDITED, *self._patches.values()]]
        if patch and meaning(patch) not in self._patches:
            self._patches[meaning(patch)] = patch
            cells += [(known, patch) for known in self._scripts]
        await together(
            *(
                self._bench.execute(script, patch, trajectory=MATRIX, turn=0, purpose="vote")
                for script, patch in dict.fromkeys(cells)
            )
        )


def laid_for(test: Test, patch: Patch) -> Patch:
    """The patch that a test is run on.

    The repository's own tests are asked as they were before the edit: what a
    candidate does to tests is taken out of it.
    """
    return _without_tests(patch) if test.kind is TestKind.REGRESSION else patch


@functools.lru_cache(maxsize=256)
def _without_tests(patch: Patch) -> Patch:
    cleaned = without_litter(patch.diff, scratch=False, tests=True)
    taken = {litter.path for litter in cleaned.taken}
    if not taken:
        return patch
    return Patch(cleaned.diff, tuple(c for c in patch.files if c.path not in taken))


async def _cell(bench: Workbench, patch: Patch, test: Test) -> tuple[Verdict, int | None]:
    execution = await bench.execute(
        test.script, laid_for(test, patch), trajectory=MATRIX, turn=0, purpose="vote"
    )
    bench.observer.step(Kind.MATRIX)
    said = verdict(execution)
    if test.kind is TestKind.REGRESSION and said is Verdict.FAIL:
        return said, broken_tests(execution.output)
    return said, None
