"""Flaky tests: run again on the same code they say something else, and lose their vote."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from agent.slots import together
from data.patches.patch import UNEDITED
from selection.candidates import TestKind
from selection.matrix import MATRIX, laid_for
from selection.votes import UNEDITED_ROW, Matrix, verdict

if TYPE_CHECKING:
    from agent.workbench import Workbench
    from selection.candidates import Test


async def find_flaky(bench: Workbench, matrix: Matrix, repeats: int) -> Matrix:
    """The matrix with its flaky tests marked.

    Each test whose vote could count is run again `repeats` times on each of the
    cells of `repeated_cells`.

    Raises:
        SandboxError: the engine failed.
        Interrupted: a person asked to stop.
    """
    patches = {c.number: c.patch for c in matrix.candidates} | {UNEDITED_ROW: UNEDITED}
    cells = [(row, test) for test in matrix.tests for row in repeated_cells(matrix, test)]

    async def changed(row: int, test: Test, repeat: int) -> bool:
        execution = await bench.execute(
            test.script,
            laid_for(test, patches[row]),
            trajectory=MATRIX,
            turn=0,
            purpose="repeat",
            repeat=repeat,
        )
        return verdict(execution) is not matrix.verdicts[row, test.number]

    asked = [(row, test, repeat) for row, test in cells for repeat in range(1, repeats + 1)]
    answers = await together(*(changed(*one) for one in asked))
    flaky = {test.number for (_, test, _), answer in zip(asked, answers, strict=True) if answer}
    return mark_flaky(matrix, flaky)


def repeated_cells(matrix: Matrix, test: Test) -> tuple[int, ...]:
    """The rows on which a test is run again: the unedited code, and one candidate that passes it.

    None where it cannot count anyway: there is nothing to choose between, nobody
    passes it, or, of a sample's test, the unedited code passes it.
    """
    if len(matrix.candidates) < 2:  # noqa: PLR2004
        return ()
    passing = [c for c in matrix.candidates if matrix.passes(c, test)]
    if not passing or not (test.kind is TestKind.REGRESSION or matrix.discriminates(test)):
        return ()
    return (UNEDITED_ROW, max(passing, key=lambda c: (c.support, -c.number)).number)


def mark_flaky(matrix: Matrix, numbers: set[int]) -> Matrix:
    """The matrix with these tests marked as flaky."""
    tests = tuple(replace(test, flaky=test.number in numbers) for test in matrix.tests)
    return replace(matrix, tests=tests)
