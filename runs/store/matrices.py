"""The matrix of an instance, rebuilt from what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.errors import StoreError
from data.patches.patch import Patch
from selection.candidates import Candidate, Test
from selection.matrix import UNEDITED_ROW, Matrix, RegressionFile

if TYPE_CHECKING:
    from runs.store.records import CandidateRecord, TestRecord
    from runs.store.story import Story


def stored_matrix(story: Story) -> Matrix:
    """The candidates, tests and cells that an instance ended with.

    Patches were not laid on the codebase yet: whoever executes one does that.

    Raises:
        StoreError: the database fails, or a verdict is not there.
    """
    matrix = Matrix(
        story.name,
        tuple(map(_candidate, story.candidates)),
        tuple(map(_test, story.tests)),
        {(vote.candidate, vote.test): vote.cell for vote in story.votes},
        tuple(
            RegressionFile(file.path, file.test, file.passing, file.reason)
            for file in story.regression_files
        ),
    )
    rows = [UNEDITED_ROW, *(candidate.number for candidate in matrix.candidates)]
    for test in matrix.tests:
        if any((row, test.number) not in matrix.cells for row in rows):
            raise StoreError(
                f"{story.name}: the database lacks a verdict of test {test.number}",
                mend="it is damaged: restore it, or run the instance again",
            )
    return matrix


def _candidate(record: CandidateRecord) -> Candidate:
    patch = Patch(record.diff, record.patch)
    return Candidate(record.number, patch, record.samples, record.sources)


def _test(test: TestRecord) -> Test:
    return Test(
        test.number, test.script, test.samples, test.kind, test.label, test.flaky, test.sources
    )
