"""The matrix of an instance, rebuilt from what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.errors import StoreError
from data.patches.patch import Patch
from selection.candidates import Candidate, Test
from selection.matrix import UNEDITED_ROW, Matrix, RegressionFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runs.store.records import CandidateRecord, RegressionFileRecord, TestRecord, VoteRecord


def stored_matrix(
    name: str,
    candidates: Sequence[CandidateRecord],
    tests: Sequence[TestRecord],
    votes: Sequence[VoteRecord],
    files: Sequence[RegressionFileRecord],
) -> Matrix:
    """The candidates, tests and cells that the instance `name` ended with.

    Patches are not applied to the codebase: whoever executes one does that.

    Raises:
        StoreError: a verdict is missing.
    """
    matrix = Matrix(
        name,
        tuple(map(_candidate, candidates)),
        tuple(map(_test, tests)),
        {(vote.candidate, vote.test): vote.cell for vote in votes},
        tuple(RegressionFile(file.path, file.test, file.passing, file.reason) for file in files),
    )
    rows = [UNEDITED_ROW, *(candidate.number for candidate in matrix.candidates)]
    for test in matrix.tests:
        if any((row, test.number) not in matrix.cells for row in rows):
            raise StoreError(
                f"{name}: The database lacks a verdict of test {test.number}.",
                hint="The database is damaged: restore it, or run the instance again.",
            )
    return matrix


def _candidate(record: CandidateRecord) -> Candidate:
    patch = Patch(record.diff, record.patch)
    return Candidate(record.number, patch, record.samples, record.sources)


def _test(test: TestRecord) -> Test:
    return Test(
        test.number, test.script, test.samples, test.kind, test.label, test.flaky, test.sources
    )
