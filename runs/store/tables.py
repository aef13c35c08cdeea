"""The tables. Texts are digests into `blob`; the views in `views.py` are what people query."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

TEXT = String().with_variant(String(collation="C"), "postgresql")
"""Compared by bytes, as SQLite and Python do, whatever the database's locale is."""
DIGEST = String(64).with_variant(String(64, collation="C"), "postgresql")


def now() -> datetime:
    """The time, in UTC and without a zone, as it is stored."""
    return datetime.now(UTC).replace(tzinfo=None)


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map: ClassVar = {str: TEXT}


class BlobTable(Base):
    """A text, once, however often it is referred to."""

    __tablename__ = "blob"
    digest: Mapped[str] = mapped_column(DIGEST, primary_key=True)
    size: Mapped[int]
    data: Mapped[bytes] = mapped_column(LargeBinary)
    """See `blobs.py`."""


class RunTable(Base):
    """A batch of instances under one configuration."""

    __tablename__ = "run"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    status: Mapped[str]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    owner: Mapped[str]
    """The process that began to work on it last."""
    troop_version: Mapped[str]
    dataset: Mapped[str]
    model: Mapped[str]
    sandbox: Mapped[str]
    replayed: Mapped[bool]
    samples: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many were bought for each instance; more can be."""
    config: Mapped[str]
    """JSON: everything else that results depend on."""
    config_digest: Mapped[str] = mapped_column(DIGEST)


class WorkerTable(Base):
    """A process that works on a run, or did."""

    __tablename__ = "worker"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    """Never given twice: who still writes under an old one is found out."""
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), index=True)
    owner: Mapped[str]
    """The process (`sandbox.owner`)."""
    place: Mapped[str]
    """Where its pid has a meaning (`sandbox.owner`)."""
    pid: Mapped[int]
    host: Mapped[str]
    """The machine's name, for people; "": unknown."""
    started_at: Mapped[datetime]
    heartbeat_at: Mapped[datetime]
    """By the database server's clock, as all times here."""
    lease_s: Mapped[float]
    """Seconds after a heartbeat for which it counts as alive without another."""
    ended_at: Mapped[datetime | None]
    """When it stopped, or was found dead."""


class InstanceTable(Base):
    """One issue in one run."""

    __tablename__ = "instance"
    __table_args__ = (UniqueConstraint("run_id", "instance_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"))
    instance_id: Mapped[str]
    repo: Mapped[str]
    base_commit: Mapped[str]
    image: Mapped[str]
    environment: Mapped[str | None]
    """JSON (`environments.py`); None: an older version stored none."""
    digest: Mapped[str] = mapped_column(DIGEST)
    problem: Mapped[str] = mapped_column(DIGEST)
    codebase: Mapped[str] = mapped_column(DIGEST, default="")
    status: Mapped[str]
    error: Mapped[str] = mapped_column(default="")
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    context_files: Mapped[str] = mapped_column(default="")
    """JSON list of paths, in order."""
    chosen: Mapped[int | None]
    """Number of the chosen candidate."""
    samples: Mapped[int | None]
    """How many its candidates, tests and choice rest on; None: it has none yet."""
    reason: Mapped[str] = mapped_column(default="")
    patch: Mapped[str | None] = mapped_column(DIGEST)
    worker_id: Mapped[int | None] = mapped_column(ForeignKey("worker.id"), index=True)
    """Who works on it, and alone may write what it comes to; None: nobody."""
    support: Mapped[str | None]
    """What the tests say of the patch; None: there is none, or an older version chose it."""


class SampleTable(Base):
    """One attempt of N at an instance."""

    __tablename__ = "sample"
    __table_args__ = (UniqueConstraint("instance_id", "number"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"))
    number: Mapped[int]
    outcome: Mapped[str]
    script: Mapped[str | None] = mapped_column(DIGEST)
    interpreter: Mapped[str | None]
    suffix: Mapped[str | None]
    diff: Mapped[str | None] = mapped_column(DIGEST)
    patch: Mapped[str | None] = mapped_column(DIGEST)
    """Digest of the files that the patch results in."""
    test: Mapped[int | None]
    """The number of the test that it ended with, among the distinct ones."""
    candidate: Mapped[int | None]
    finished_at: Mapped[datetime]


class TrajectoryTable(Base):
    """One conversation with the model."""

    __tablename__ = "trajectory"
    __table_args__ = (UniqueConstraint("instance_id", "key"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"))
    key: Mapped[str]
    kind: Mapped[str]
    sample: Mapped[int | None]
    outcome: Mapped[str | None]
    system: Mapped[str | None] = mapped_column(DIGEST)
    prefix: Mapped[str | None] = mapped_column(DIGEST)
    created_at: Mapped[datetime]


class CallTable(Base):
    """One request to the model server; it serves one turn, or the first turn of several."""

    __tablename__ = "call"
    id: Mapped[int] = mapped_column(primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"), index=True)
    kind: Mapped[str]
    model: Mapped[str]
    temperature: Mapped[float | None]
    max_tokens: Mapped[int]
    n: Mapped[int]
    prompt_tokens: Mapped[int | None]
    cached_tokens: Mapped[int | None]
    completion_tokens: Mapped[int | None]
    cost_usd: Mapped[float | None]
    """None: the price or the usage is unknown."""
    duration_s: Mapped[float]
    attempts: Mapped[int]
    replayed: Mapped[bool]
    created_at: Mapped[datetime]


class TurnTable(Base):
    """One reply in one trajectory."""

    __tablename__ = "turn"
    __table_args__ = (UniqueConstraint("trajectory_id", "number"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    trajectory_id: Mapped[int] = mapped_column(ForeignKey("trajectory.id"))
    number: Mapped[int]
    call_id: Mapped[int] = mapped_column(ForeignKey("call.id"), index=True)
    request_digest: Mapped[str] = mapped_column(DIGEST)
    prompt: Mapped[str] = mapped_column(DIGEST)
    reply: Mapped[str] = mapped_column(DIGEST)
    reasoning: Mapped[str | None] = mapped_column(DIGEST)
    finish: Mapped[str]


class ExecutionTable(Base):
    """One script, run on one patch."""

    __tablename__ = "execution"
    __table_args__ = (UniqueConstraint("instance_id", "script", "patch"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"))
    script: Mapped[str] = mapped_column(DIGEST)
    """Digest of the script with its interpreter, and of `repeat` unless it is 0: what identical
    executions are told by."""
    script_text: Mapped[str] = mapped_column(DIGEST)
    interpreter: Mapped[str] = mapped_column(default="python", server_default="python")
    suffix: Mapped[str] = mapped_column(default=".py", server_default=".py")
    patch: Mapped[str] = mapped_column(DIGEST)
    """Digest of the files that the patch results in."""
    diff: Mapped[str] = mapped_column(DIGEST)
    ending: Mapped[str]
    exit_code: Mapped[int | None]
    output: Mapped[str] = mapped_column(DIGEST)
    output_bytes: Mapped[int]
    duration_s: Mapped[float]
    repeat: Mapped[int] = mapped_column(default=0, server_default="0")
    """0: the first of its kind; above: run again, to see whether it ends alike."""
    created_at: Mapped[datetime]


class SightingTable(Base):
    """A trajectory saw an execution."""

    __tablename__ = "sighting"
    __table_args__ = (UniqueConstraint("trajectory_id", "turn", "purpose", "execution_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    trajectory_id: Mapped[int] = mapped_column(ForeignKey("trajectory.id"))
    execution_id: Mapped[int] = mapped_column(ForeignKey("execution.id"), index=True)
    turn: Mapped[int]
    """How many replies the trajectory had by then."""
    purpose: Mapped[str]


class CandidateTable(Base):
    """A distinct patch in the race."""

    __tablename__ = "candidate"
    __table_args__ = (UniqueConstraint("instance_id", "number"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"))
    number: Mapped[int]
    diff: Mapped[str] = mapped_column(DIGEST)
    patch: Mapped[str] = mapped_column(DIGEST)
    support: Mapped[int]
    size: Mapped[int]
    paper_votes: Mapped[int]
    discriminating_votes: Mapped[int]
    regression_votes: Mapped[int] = mapped_column(default=0, server_default="0")
    broken_tests: Mapped[int] = mapped_column(default=0, server_default="0")
    """Of the repository's own, over all regression tests."""
    agreement: Mapped[int]
    place: Mapped[int]
    """In the vote's order, from 1."""
    finalist: Mapped[bool]
    chosen: Mapped[bool]


class EditedFileTable(Base):
    """A file that a diff of a sample or a candidate edits."""

    __tablename__ = "edited_file"
    diff: Mapped[str] = mapped_column(DIGEST, primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    """In the diff, from 1."""
    path: Mapped[str]
    """As messages show it (`data.paths.show_path`)."""


class TestTable(Base):
    """A distinct test: a script among the samples' last ones, or a file of the repository's."""

    __test__ = False
    __tablename__ = "test"
    __table_args__ = (UniqueConstraint("instance_id", "number"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"))
    number: Mapped[int]
    script: Mapped[str] = mapped_column(DIGEST)
    interpreter: Mapped[str] = mapped_column(default="python", server_default="python")
    suffix: Mapped[str] = mapped_column(default=".py", server_default=".py")
    discriminates: Mapped[bool]
    """It does not pass on the unedited code, and is not flaky."""
    kind: Mapped[str] = mapped_column(default="generated", server_default="generated")
    label: Mapped[str] = mapped_column(default="", server_default="")
    """Of a regression test, the file that it runs."""
    flaky: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """Its verdict changed when it was run again: it has no vote."""


class SourceTable(Base):
    """Where a candidate or a test comes from that is not (only) a sample's own."""

    __tablename__ = "source"
    __table_args__ = (UniqueConstraint("instance_id", "kind", "number", "place"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"))
    kind: Mapped[str]
    """Either "candidate" or "test"."""
    number: Mapped[int]
    """The candidate's or the test's."""
    place: Mapped[int]
    """From 1, in the order in which they came; a name may come twice."""
    name: Mapped[str]
    """Of a candidate, the outside system that wrote it; of a test, the stored run it is from."""


class RegressionFileTable(Base):
    """A test file of the repository's own near the edits, and whether it votes."""

    __tablename__ = "regression_file"
    __table_args__ = (UniqueConstraint("instance_id", "path"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"))
    place: Mapped[int]
    """Nearest first, from 1."""
    path: Mapped[str]
    test: Mapped[int | None]
    """The number of the test that it became; None: it has no vote."""
    passing: Mapped[int | None]
    """Its tests that pass on the unedited code; None: not known one by one."""
    reason: Mapped[str]
    """Why it has no vote."""


class VoteTable(Base):
    """What one test says of one candidate; candidate 0 is the unedited code."""

    __tablename__ = "vote"
    __table_args__ = (
        UniqueConstraint("instance_id", "candidate", "test"),
        Index("vote_execution", "execution_id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"))
    candidate: Mapped[int]
    test: Mapped[int]
    verdict: Mapped[str]
    execution_id: Mapped[int] = mapped_column(ForeignKey("execution.id"))
    broken: Mapped[int | None]
    """Tests that the candidate breaks, of a regression test that says how many."""


class GradeTable(Base):
    """What a grader says of a patch of a benchmark's instance, whichever runs hold the patch."""

    __tablename__ = "grade"
    instance_id: Mapped[str] = mapped_column(primary_key=True)
    """The benchmark's id, not a row of `instance`."""
    patch: Mapped[str] = mapped_column(DIGEST, primary_key=True)
    """Digest of the diff without line ends at its end, as `runs.compare.grades` knows patches."""
    grader: Mapped[str] = mapped_column(primary_key=True)
    """Either "harness" or "sandbox"."""
    diff: Mapped[str] = mapped_column(DIGEST, index=True)
    """Digest of the diff with a line end, as candidates have it. The text is not stored here."""
    inputs: Mapped[str] = mapped_column(DIGEST)
    """Digest of all that the verdict depends on besides the patch."""
    grader_version: Mapped[str]
    outcome: Mapped[str]
    resolved: Mapped[bool | None]
    detail: Mapped[str]
    fail_to_pass: Mapped[int | None]
    fail_to_pass_failing: Mapped[int | None]
    pass_to_pass: Mapped[int | None]
    pass_to_pass_failing: Mapped[int | None]
    report: Mapped[str] = mapped_column(DIGEST)
    log: Mapped[str] = mapped_column(DIGEST)
    timeout_s: Mapped[float]
    duration_s: Mapped[float | None]
    created_at: Mapped[datetime]
