"""Flaky tests: their verdict on the same code changes when they run again, so they have no vote."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sandbox.protocol import Ending
from selection.candidates import TestKind
from selection.matrix import UNEDITED_ROW, verdict

if TYPE_CHECKING:
    from sandbox.protocol import Execution
    from selection.candidates import Test
    from selection.matrix import Cell, Matrix


def repeated_cells(matrix: Matrix, test: Test) -> tuple[int, ...]:
    """The rows on which a test is run again: the unedited code, and one candidate that passes it.

    Empty if the test cannot count anyway: there is nothing to choose between, no
    candidate passes it, or it is a generated test that passes before the edit.
    """
    if len(matrix.candidates) < 2:  # noqa: PLR2004
        return ()
    passing = [c for c in matrix.candidates if matrix.passes(c, test)]
    if not passing or not (test.kind is TestKind.REGRESSION or matrix.discriminates(test)):
        return ()
    return (UNEDITED_ROW, max(passing, key=lambda c: (c.support, -c.number)).number)


def gave_another(cell: Cell, again: Execution) -> bool:
    """Whether a test that was run again gave another verdict.

    A repeat that reached its time-out says nothing: that depends on what else the machine did.
    """
    return again.ending is not Ending.TIMEOUT and verdict(again) is not cell.verdict


def mark_flaky(matrix: Matrix, numbers: set[int]) -> Matrix:
    """The matrix with these tests marked as flaky."""
    tests = tuple(replace(test, flaky=test.number in numbers) for test in matrix.tests)
    return replace(matrix, tests=tests)
