"""The table of votes as shown to people: every test before the edit and on each candidate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runs.store.records import CandidateRecord, TestRecord, VoteRecord

_UNEDITED = 0
"""The candidate number that stands for the unedited code."""


@dataclass(frozen=True, slots=True)
class VoteRow:
    """What all tests say of one candidate."""

    candidate: CandidateRecord | None
    """None: the row of the unedited code."""
    votes: tuple[VoteRecord | None, ...]
    """The votes, in the order of the columns; None: there is no vote."""

    @property
    def name(self) -> str:
        """For example "candidate 3"."""
        return "unedited" if self.candidate is None else f"candidate {self.candidate.number}"


@dataclass(frozen=True, slots=True)
class VoteGrid:
    """A column for each test; a row for the unedited code, then one for each candidate."""

    tests: tuple[TestRecord, ...]
    rows: tuple[VoteRow, ...]
    """Candidates in the vote's order."""


def vote_grid(
    candidates: Sequence[CandidateRecord],
    tests: Sequence[TestRecord],
    votes: Sequence[VoteRecord],
) -> VoteGrid:
    """Put the votes into rows and columns."""
    said = {(vote.candidate, vote.test): vote for vote in votes}

    def row(candidate: CandidateRecord | None) -> VoteRow:
        number = _UNEDITED if candidate is None else candidate.number
        return VoteRow(candidate, tuple(said.get((number, test.number)) for test in tests))

    order = sorted(candidates, key=lambda candidate: candidate.place)
    return VoteGrid(tuple(tests), (row(None), *map(row, order)))
