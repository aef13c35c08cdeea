"""The matrix of an instance, made again of what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.errors import StoreError
from data.patches.patch import Patch
from selection.candidates import Candidate, Test
from selection.votes import UNEDITED_ROW, Matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runs.store.records import CandidateRecord, TestRecord, VoteRecord


def stored_matrix(
    name: str,
    candidates: Sequence[CandidateRecord],
    tests: Sequence[TestRecord],
    votes: Sequence[VoteRecord],
) -> Matrix:
    """The candidates, tests and verdicts that the instance `name` ended with.

    Patches have their diff but not their files: enough to select on, not to execute.

    Raises:
        StoreError: a verdict is not there.
    """
    matrix = Matrix(
        tuple(Candidate(c.number, Patch(c.diff, ()), c.samples, c.sources) for c in candidates),
        tuple(map(_test, tests)),
        {(vote.candidate, vote.test): vote.verdict for vote in votes},
        {(vote.candidate, vote.test): vote.broken for vote in votes if vote.broken is not None},
    )
    rows = [UNEDITED_ROW, *(candidate.number for candidate in candidates)]
    for test in tests:
        if any((row, test.number) not in matrix.verdicts for row in rows):
            raise StoreError(
                f"{name}: the database lacks a verdict of test {test.number}",
                mend="it is damaged: restore it, or run the instance again",
            )
    return matrix


def _test(test: TestRecord) -> Test:
    return Test(
        test.number, test.script, test.samples, test.kind, test.label, test.flaky, test.sources
    )
