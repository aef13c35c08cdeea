"""All that happened to one instance, as terminal, Markdown and exports show it."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeVar

from agent.journal import Kind
from data.instances.instance import Instance
from data.instances.naming import check_environment
from runs.store import conversations, rows
from runs.store.evidence import evidence
from runs.store.matrices import stored_matrix
from runs.store.names import missing
from runs.store.tables import TrajectoryTable
from runs.store.votes import vote_grid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.orm import Session

    from runs.store.conversations import StoredConversation
    from runs.store.records import (
        CallRecord,
        CandidateRecord,
        ExecutionRecord,
        GradeRecord,
        InstanceRecord,
        RegressionFileRecord,
        RunRecord,
        SampleRecord,
        TestRecord,
        TrajectoryRecord,
        VoteRecord,
    )
    from runs.store.votes import VoteGrid
    from selection.matrix import Matrix
    from selection.support import Evidence

T = TypeVar("T")
_ORDER = tuple(Kind)
"""The order of work."""
_OF_SAMPLES = (Kind.TESTING, Kind.EDITING)


class Source(Protocol):
    """What a story is read from, such as `runs.store.reading.Reader`."""

    def run(self, name: str | None) -> RunRecord:
        """A run by name."""

    def text(self, digest: str | None) -> str:
        """A stored text; "" for none."""

    def read(self, work: Callable[[Session], T]) -> T:
        """Read in one transaction."""


class Story:
    """One instance with everything that belongs to it.

    Each part is read once, when it is first asked for. All parts raise
    `StoreError` if the database fails.
    """

    def __init__(self, reader: Source, instance: InstanceRecord) -> None:
        self.instance = instance
        self._reader = reader

    @property
    def name(self) -> str:
        """The instance's id."""
        return self.instance.instance_id

    @cached_property
    def run(self) -> RunRecord:
        """The run that holds it."""
        return self._reader.run(self.instance.run)

    @cached_property
    def issue(self) -> str:
        """The issue's text."""
        return self._reader.text(self.instance.issue)

    @cached_property
    def patch(self) -> str:
        """The chosen patch; "" if the instance ended without one, or has not ended."""
        return self._reader.text(self.instance.patch)

    @property
    def whole(self) -> Instance | None:
        """The instance as it was given; None: begun by an older version, which did not store it.

        Raises:
            UsageError: the stored image or folder has a name that is not accepted.
        """
        of = self.instance
        if of.environment is None:
            return None
        check_environment(of.environment, f"The stored instance {of.instance_id!a}")
        return Instance(of.instance_id, of.repo, of.base_commit, self.issue, of.environment)

    @cached_property
    def samples(self) -> tuple[SampleRecord, ...]:
        """The samples that have ended."""
        return self._reader.read(lambda session: rows.samples(session, self.instance.key))

    @cached_property
    def candidates(self) -> tuple[CandidateRecord, ...]:
        """The candidates, ordered by number."""
        return self._reader.read(lambda session: rows.candidates(session, self.instance.key))

    @cached_property
    def tests(self) -> tuple[TestRecord, ...]:
        """The tests, ordered by number; none if the instance has not ended."""
        return self._reader.read(lambda session: rows.tests(session, self.instance.key))

    @cached_property
    def votes(self) -> tuple[VoteRecord, ...]:
        """The votes, ordered by candidate and test."""
        return self._reader.read(lambda session: rows.votes(session, self.instance.key))

    @cached_property
    def regression_files(self) -> tuple[RegressionFileRecord, ...]:
        """The repository's own test files that were considered, the nearest to the edits first."""
        return self._reader.read(lambda session: rows.regression_files(session, self.instance.key))

    @cached_property
    def matrix(self) -> Matrix:
        """The matrix that selection chooses by.

        Raises:
            StoreError: a verdict is missing.
        """
        parts = (self.candidates, self.tests, self.votes, self.regression_files)
        return stored_matrix(self.name, *parts)

    @cached_property
    def finalists(self) -> tuple[int, ...]:
        """The numbers of the finalists, in the vote's order."""
        order = sorted(self.candidates, key=lambda candidate: candidate.place)
        return tuple(candidate.number for candidate in order if candidate.finalist)

    @cached_property
    def evidence(self) -> Evidence | None:
        """What the tests say of the chosen patch; None: none is chosen."""
        of = self.instance
        if of.chosen is None or not self.candidates:
            return None
        what = (of.key, self.matrix, of.chosen, self.finalists)
        return self._reader.read(
            lambda session: evidence(session.connection(), *what, reason=of.reason)
        )

    @cached_property
    def vote_grid(self) -> VoteGrid:
        """The votes in rows and columns."""
        return vote_grid(self.candidates, self.tests, self.votes)

    @cached_property
    def trajectories(self) -> tuple[TrajectoryRecord, ...]:
        """All trajectories, in the order of work, without their texts."""
        own = TrajectoryTable.instance_id == self.instance.key
        found = self._reader.read(lambda session: conversations.trajectories(session, own))
        return tuple(sorted(found, key=_place))

    @cached_property
    def conversations(self) -> tuple[StoredConversation, ...]:
        """All trajectories with their texts, in the order of work."""
        found = self._reader.read(lambda s: conversations.conversations(s, self.instance.key))
        return tuple(sorted(found, key=lambda talk: _place(talk.trajectory)))

    def find(self, key: str) -> StoredConversation | None:
        """One trajectory with its texts, if it exists. The others are not read."""
        found = self._reader.read(lambda s: conversations.conversations(s, self.instance.key, key))
        return found[0] if found else None

    def conversation(self, key: str) -> StoredConversation:
        """The same, for a trajectory that must exist.

        Raises:
            UsageError: there is no such trajectory.
        """
        found = self.find(key)
        if found is None:
            raise missing([one.key for one in self.trajectories], key, "trajectory")
        return found

    @cached_property
    def calls(self) -> tuple[CallRecord, ...]:
        """The requests to the model server, each once."""
        return self._reader.read(lambda session: conversations.calls(session, self.instance.key))

    @cached_property
    def executions(self) -> tuple[ExecutionRecord, ...]:
        """The executions, in the order in which they ended."""
        return self._reader.read(
            lambda session: conversations.executions(session, self.instance.key)
        )

    @cached_property
    def grades(self) -> tuple[GradeRecord, ...]:
        """The grades of the candidates' patches."""
        on = rows.on_instance(self.instance)
        return self._reader.read(lambda session: rows.grades(session, on))

    @cached_property
    def context(self) -> str:
        """The issue and files that conversations begin with; "" if there are none."""
        return self._reader.read(lambda session: conversations.context(session, self.instance.key))

    def of_kind(self, *kinds: Kind) -> list[StoredConversation]:
        """The conversations of these kinds, in the order of work."""
        return [talk for talk in self.conversations if talk.kind in kinds]

    def of_sample(self, number: int) -> list[StoredConversation]:
        """A sample's conversations."""
        return [talk for talk in self.conversations if talk.trajectory.sample == number]

    @property
    def numbers(self) -> list[int]:
        """The samples that have a trajectory."""
        return sorted({one.sample for one in self.trajectories if one.sample is not None})

    @property
    def chosen_sample(self) -> int | None:
        """The first sample that wrote the chosen patch; None if no sample did."""
        for candidate in self.candidates:
            if candidate.chosen and candidate.samples:
                return candidate.samples[0]
        return None


def _place(trajectory: TrajectoryRecord) -> tuple[bool, int, int, Sequence[object]]:
    """A sort key: one sample after the other, numbers as numbers."""
    kind, sample = _ORDER.index(trajectory.kind), trajectory.sample or 0
    after = kind > max(map(_ORDER.index, _OF_SAMPLES))
    parts = re.split(r"(\d+)", trajectory.key)
    natural = [int(part) if part.isdigit() else part for part in parts]
    return after, sample, kind, natural
