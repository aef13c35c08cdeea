"""Flaky tests: run again on the same code they say something else, and lose their vote."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from selection.candidates import TestKind
from selection.matrix import UNEDITED_ROW

if TYPE_CHECKING:
    from selection.candidates import Test
    from selection.matrix import Matrix


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
