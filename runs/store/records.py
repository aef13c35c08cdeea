"""What is read from a database: frozen records, each made in one place (`rows.py`).

Times are in UTC. Texts that may be long are digests, which `Reader.text` reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runs.store.registry import Status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from agent.journal import Kind
    from agent.model import Finish
    from agent.outcome import Outcome
    from data.instances.instance import Environment
    from runs.store.ownership import Holder
    from sandbox.protocol import Ending, Execution, Script
    from selection.candidates import TestKind
    from selection.matrix import Cell, Verdict
    from selection.support import Support

_WITHOUT_EDITS = ("tests-only", "none")
"""Strategies whose samples, if there are any, write no patches."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Instances worked on under one configuration."""

    name: str
    status: Status
    created_at: datetime
    finished_at: datetime | None
    dataset: str
    model: str
    sandbox: str
    replayed: bool
    """Whether its replies came from a recording."""
    troop_version: str
    owner: str
    """The process that was the last to begin work on it."""
    samples: int
    """How many samples were asked for, for each instance."""
    config: Mapping[str, Any]
    """Everything else that results depend on."""
    instances: int
    patched: int
    """Instances that ended with a patch."""
    weighed: int
    """Of those, the instances for which it is stored what the tests say of the patch."""
    supported: int
    """Of those, the instances whose patch the tests support."""
    calls: int
    cost_usd: float | None
    """What is known of it; None: no price is known."""
    workers: tuple[Holder, ...] = ()
    """The processes that work on it now, as far as this process can see."""

    @property
    def state(self) -> Status:
        """Its status. If its workers were killed, the database still says that it is running."""
        left = self.status is Status.RUNNING and not self.workers
        return Status.INTERRUPTED if left else self.status

    @property
    def solved(self) -> int:
        """`patched`, by its former name."""
        return self.patched

    @property
    def settings(self) -> dict[str, Any]:
        """The settings by dotted name, without those for files that it was given."""
        dotted = {name: value for name, value in self.config.items() if "." in name}
        return dict(sorted({**dotted, "samples.count": self.samples}.items()))

    @property
    def edits(self) -> bool:
        """Whether its samples write patches. An ensemble's samples write tests at most."""
        return self.config.get("samples.strategy") not in _WITHOUT_EDITS


@dataclass(frozen=True, slots=True)
class InstanceRecord:
    """An instance of a run."""

    key: int
    """Its primary key."""
    run: str
    instance_id: str
    repo: str
    base_commit: str
    image: str
    environment: Environment | None
    """None: begun by an older version of Troop, which stored only the image."""
    status: Status
    error: str
    """Why it failed."""
    started_at: datetime | None
    finished_at: datetime | None
    issue: str
    """Digest of the issue's text."""
    context_files: tuple[str, ...]
    """Paths shown to the model, in order."""
    samples: int | None
    """How many samples the fields below rest on; None: they are not there yet."""
    chosen: int | None
    """Number of the chosen candidate."""
    reason: str
    """Why it was chosen: a `selection.selector.Reason`, or "" if nothing is chosen."""
    patch: str | None
    """Digest of the chosen diff."""
    support: Support | None
    """What the tests say of the chosen patch; None: no patch, or an older version chose it."""
    cost_usd: float | None
    """What is known of it; None: no price is known."""


@dataclass(frozen=True, slots=True)
class SampleRecord:
    """A sample that has ended."""

    number: int
    outcome: Outcome
    test: int | None
    """The number of its last test among the distinct tests."""
    candidate: int | None
    """The number of its patch among the candidates."""
    script: Script | None
    """Its last test."""
    diff: str | None
    """Its last patch."""
    finished_at: datetime
    error: str = ""
    """The trace of an unexpected error because of which its patch is not a candidate."""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One request to the model server, counted once, however many turns it served."""

    number: int
    kind: Kind
    model: str
    n: int
    """How many replies were asked for."""
    prompt_tokens: int | None
    cached_tokens: int | None
    completion_tokens: int | None
    cost_usd: float | None
    """None: unknown. A replayed call has the cost that a real call would have."""
    duration_s: float
    attempts: int
    replayed: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TrajectoryRecord:
    """A conversation with the model, without its texts."""

    key: str
    """For example "sample-3/editing"."""
    kind: Kind
    sample: int | None
    outcome: Outcome | None
    """How it ended; None: it has not ended."""
    turns: int
    """How many replies it has so far."""
    error: str = ""
    """The trace of an unexpected error that ended it."""


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """One reply of a trajectory."""

    trajectory: str
    number: int
    """From 0."""
    call: CallRecord
    finish: Finish
    prompt: str
    """Digest of the new part of the prompt."""
    reply: str
    """Digest."""
    reasoning: str | None
    """Digest of what a reasoning model thought, if the server gave it separately."""


@dataclass(frozen=True, slots=True)
class SeenExecution:
    """An execution as a trajectory saw it."""

    turn: int
    """How many replies the trajectory had by then."""
    purpose: str
    """For example "before" or "after" the edit, or a candidate."""
    number: int
    """The execution's number."""
    execution: Execution
    script: Script


@dataclass(frozen=True, slots=True)
class ExecutionRecord:
    """One script, run on one patch."""

    number: int
    ending: Ending
    exit_code: int | None
    duration_s: float
    output: str
    """Digest of what it printed."""
    output_bytes: int
    script: str
    """Digest of the script's text."""
    interpreter: str
    suffix: str
    diff: str
    """Digest of the patch as a diff."""
    patch: str
    """Digest of the files that the patch results in."""
    repeat: int
    """0: the first time; above: the same execution again, to see whether it ends the same."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CandidateRecord:
    """A distinct patch in the race."""

    number: int
    place: int
    """In the vote's order, from 1."""
    chosen: bool
    finalist: bool
    discriminating_votes: int
    paper_votes: int
    regression_votes: int
    broken_tests: int
    agreement: int
    support: int
    samples: tuple[int, ...]
    """The samples that wrote it."""
    sources: tuple[str, ...]
    """Outside systems that wrote it."""
    size: int
    diff: str
    """The patch itself."""
    patch: str
    """Digest of the files that it results in."""

    @property
    def systems(self) -> tuple[str, ...]:
        """Its sources, each once."""
        return tuple(dict.fromkeys(self.sources))


@dataclass(frozen=True, slots=True)
class TestRecord:
    """A distinct test."""

    __test__ = False  # not for pytest

    number: int
    kind: TestKind
    label: str
    """The file that a repository test runs."""
    flaky: bool
    discriminates: bool
    samples: tuple[int, ...]
    """The samples that ended with it."""
    sources: tuple[str, ...]
    """Stored runs that it was taken from."""
    script: Script


@dataclass(frozen=True, slots=True)
class VoteRecord:
    """What one test says of one candidate."""

    candidate: int
    """0: the unedited code."""
    test: int
    cell: Cell
    execution: int
    """The execution's number."""

    @property
    def verdict(self) -> Verdict:
        """What it says."""
        return self.cell.verdict

    @property
    def broken(self) -> int | None:
        """How many tests the candidate breaks, if a repository test says so."""
        return self.cell.broken


@dataclass(frozen=True, slots=True)
class RegressionFileRecord:
    """One of the repository's own test files that was considered."""

    place: int
    """From 1, the nearest to the edits first."""
    path: str
    test: int | None
    """The number of the test that it became; None: it has no vote."""
    passing: int | None
    """Tests in it that pass before the edit; None: not known one by one."""
    reason: str
    """Why it has no vote."""


@dataclass(frozen=True, slots=True)
class GradeRecord:
    """What a grader says of a patch, whichever runs have it."""

    instance_id: str
    patch: str
    """Digest of the diff without line ends at its end."""
    grader: str
    """Either "harness" or "sandbox"."""
    grader_version: str
    diff: str
    """Digest of the diff in the form that candidates have it."""
    outcome: str
    """The value of a `runs.grading.nouns.GradeOutcome`."""
    resolved: bool | None
    """Whether it is resolved; None: there is no verdict."""
    detail: str
    fail_to_pass: int | None
    fail_to_pass_failing: int | None
    pass_to_pass: int | None
    pass_to_pass_failing: int | None
    inputs: str
    """Digest of everything that the verdict depends on besides the patch."""
    timeout_s: float
    duration_s: float | None
    report: str
    """Digest of the grader's report, JSON."""
    log: str
    """Digest of what the tests printed."""
    created_at: datetime
