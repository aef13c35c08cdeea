"""The tables. Texts are digests of rows in `blob`. People query the views (`views.py`)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_UNKNOWN_TO_SQL = re.compile("[\0\ud800-\udfff]")


def sql_text(text: str) -> str:
    r"""A text as SQL can hold it: NUL is "\x00"; a lone surrogate is, for example, "\udcff"."""
    return _UNKNOWN_TO_SQL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class SqlText(sa.TypeDecorator[str]):
    """Any text, as `sql_text` has it: names that are not UTF-8 end nothing."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[str]:
        """PostgreSQL is told the order."""
        postgres = dialect.name == "postgresql"
        return dialect.type_descriptor(String(collation="C") if postgres else String())

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:  # noqa: ARG002
        """What is stored, or looked for."""
        return None if value is None else sql_text(value)


TEXT = SqlText()
"""Text compared by bytes, as in SQLite and Python, whatever the database's locale is."""
DIGEST = String(64).with_variant(String(64, collation="C"), "postgresql")


def now() -> datetime:
    """The current time as it is stored: in UTC, without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map: ClassVar = {str: TEXT}


class BlobTable(Base):
    """A text, stored once, however often it is referred to."""

    __tablename__ = "blob"
    digest: Mapped[str] = mapped_column(DIGEST, primary_key=True)
    size: Mapped[int]
    data: Mapped[bytes] = mapped_column(LargeBinary)
    """See `blobs.py`."""


class RunTable(Base):
    """Instances worked on under one configuration."""

    __tablename__ = "run"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    status: Mapped[str]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    owner: Mapped[str]
    """The process that was the last to begin work on it."""
    troop_version: Mapped[str]
    dataset: Mapped[str]
    model: Mapped[str]
    sandbox: Mapped[str]
    replayed: Mapped[bool]
    samples: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many samples were bought for each instance. More can be bought."""
    config: Mapped[str]
    """JSON: everything else that results depend on."""
    config_digest: Mapped[str] = mapped_column(DIGEST)


class WorkerTable(Base):
    """A process that works on a run, or once did."""

    __tablename__ = "worker"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    """Never used twice, so that a process which still writes under an old one is recognised."""
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), index=True)
    owner: Mapped[str]
    """The process (`sandbox.owner`)."""
    place: Mapped[str]
    """Where its pid is valid (`sandbox.owner`)."""
    pid: Mapped[int]
    host: Mapped[str]
    """The machine's name, for people; "": unknown."""
    started_at: Mapped[datetime]
    heartbeat_at: Mapped[datetime]
    """By the database server's clock, like all times in this table."""
    lease_s: Mapped[float]
    """Seconds after a heartbeat in which the process counts as alive without another one."""
    ended_at: Mapped[datetime | None]
    """When it stopped, or was found dead."""


class InstanceTable(Base):
    """One instance in one run."""

    __tablename__ = "instance"
    __table_args__ = (UniqueConstraint("run_id", "instance_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"))
    instance_id: Mapped[str]
    repo: Mapped[str]
    base_commit: Mapped[str]
    image: Mapped[str]
    environment: Mapped[str | None]
    """JSON (`environments.py`); None: stored by an older version."""
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
    """How many samples its candidates, tests and choice rest on; None: it has none yet."""
    reason: Mapped[str] = mapped_column(default="")
    patch: Mapped[str | None] = mapped_column(DIGEST)
    worker_id: Mapped[int | None] = mapped_column(ForeignKey("worker.id"), index=True)
    """The worker that works on it, the only one that may write its results; None: nobody."""
    support: Mapped[str | None]
    """What the tests say of the patch; None: no patch, or an older version chose it."""


class SampleTable(Base):
    """One of N attempts at an instance."""

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
    """The number of the test that it ended with, among the distinct tests."""
    candidate: Mapped[int | None]
    error: Mapped[str] = mapped_column(default="", server_default="")
    """The trace of an unexpected error because of which its patch is not a candidate."""
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
    error: Mapped[str] = mapped_column(default="", server_default="")
    """The trace of an unexpected error that ended it."""
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
    """Digest of the script with its interpreter, and of `repeat` unless it is 0. Identical
    executions have the same."""
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
    """0: the first time; above: the same execution again, to see whether it ends the same."""
    created_at: Mapped[datetime]


class SightingTable(Base):
    """An execution as a trajectory saw it."""

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
    """Tests of the repository's own that it breaks, over all repository tests."""
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
    """Its place in the diff, from 1."""
    path: Mapped[str]
    """The path as messages show it (`data.paths.show_path`)."""


class TestTable(Base):
    """A distinct test: the last script of a sample, or one of the repository's test files."""

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
    """It does not pass before the edit, and is not flaky."""
    kind: Mapped[str] = mapped_column(default="generated", server_default="generated")
    label: Mapped[str] = mapped_column(default="", server_default="")
    """The file that a repository test runs."""
    flaky: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """Its verdict changed when it was run again: it has no vote."""


class SourceTable(Base):
    """A source, other than a sample, of a candidate or a test."""

    __tablename__ = "source"
    __table_args__ = (UniqueConstraint("instance_id", "kind", "number", "place"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"))
    kind: Mapped[str]
    """Either "candidate" or "test"."""
    number: Mapped[int]
    """The number of the candidate or the test."""
    place: Mapped[int]
    """From 1, in the order in which the sources came. A name may come twice."""
    name: Mapped[str]
    """The outside system that wrote a candidate, or the stored run that a test comes from."""


class RegressionFileTable(Base):
    """One of the repository's own test files near the edits, and whether it votes."""

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
    """How many of its tests pass before the edit; None: not known one by one."""
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
    """How many tests the candidate breaks, if a repository test says so."""


class GradeTable(Base):
    """What a grader says of a patch for a benchmark's instance, whichever runs have the patch."""

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
    """Digest of everything that the verdict depends on besides the patch."""
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
