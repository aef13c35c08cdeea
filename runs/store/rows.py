"""Records of runs and of the results of instances, made from rows of the tables.

The database sorts by numbers; names are sorted here, so that no order depends on how
a database compares texts.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from agent.outcome import Outcome
from data.patches.patch import Patch
from runs.store.blobs import Texts, get_texts
from runs.store.environments import stored_environment
from runs.store.ownership import holders
from runs.store.records import (
    CandidateRecord,
    GradeRecord,
    InstanceRecord,
    RegressionFileRecord,
    RunRecord,
    SampleRecord,
    TestRecord,
    VoteRecord,
)
from runs.store.registry import Status
from runs.store.tables import (
    CallTable,
    CandidateTable,
    ExecutionTable,
    GradeTable,
    InstanceTable,
    RegressionFileTable,
    RunTable,
    SampleTable,
    SourceTable,
    TestTable,
    VoteTable,
)
from sandbox.protocol import Ending, Execution, Script
from selection.candidates import TestKind
from selection.matrix import Cell, Verdict
from selection.support import Support

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    Where = sa.ColumnElement[bool]


def runs(session: Session, *where: Where) -> tuple[RunRecord, ...]:
    """Runs with their counts, in the order in which they began."""
    instances = sa.select(sa.func.count()).where(InstanceTable.run_id == RunTable.id)
    patched = instances.where(InstanceTable.status == Status.PATCHED)
    of_run = CallTable.instance_id == InstanceTable.id, InstanceTable.run_id == RunTable.id
    query = (
        sa.select(
            RunTable,
            instances.scalar_subquery(),
            patched.scalar_subquery(),
            patched.where(InstanceTable.support.is_not(None)).scalar_subquery(),
            patched.where(InstanceTable.support == Support.SUPPORTED).scalar_subquery(),
            sa.select(sa.func.count()).where(*of_run).scalar_subquery(),
            sa.select(sa.func.sum(CallTable.cost_usd)).where(*of_run).scalar_subquery(),
        )
        .where(*where)
        .order_by(RunTable.created_at, RunTable.id)
    )
    return tuple(
        RunRecord(
            name=row.name,
            status=Status(row.status),
            created_at=utc(row.created_at),
            finished_at=None if row.finished_at is None else utc(row.finished_at),
            dataset=row.dataset,
            model=row.model,
            sandbox=row.sandbox,
            replayed=row.replayed,
            troop_version=row.troop_version,
            owner=row.owner,
            samples=row.samples,
            config=json.loads(row.config),
            instances=count,
            patched=found,
            weighed=weighed,
            supported=supported,
            calls=calls,
            cost_usd=cost,
            workers=tuple(holders(session.connection(), row.id)),
        )
        for row, count, found, weighed, supported, calls, cost in session.execute(query).all()
    )


def instances(session: Session, *where: Where) -> tuple[InstanceRecord, ...]:
    """Instances of runs, ordered by id."""
    of_instance = CallTable.instance_id == InstanceTable.id
    query = (
        sa.select(
            InstanceTable,
            RunTable.name,
            sa.select(sa.func.sum(CallTable.cost_usd)).where(of_instance).scalar_subquery(),
        )
        .join(RunTable, RunTable.id == InstanceTable.run_id)
        .where(*where)
    )
    found = (
        InstanceRecord(
            key=row.id,
            run=run,
            instance_id=row.instance_id,
            repo=row.repo,
            base_commit=row.base_commit,
            image=row.image,
            environment=stored_environment(row.environment) if row.environment else None,
            status=Status(row.status),
            error=row.error,
            started_at=None if row.started_at is None else utc(row.started_at),
            finished_at=None if row.finished_at is None else utc(row.finished_at),
            issue=row.problem,
            context_files=tuple(json.loads(row.context_files or "[]")),
            samples=row.samples,
            chosen=row.chosen,
            reason=row.reason,
            patch=row.patch,
            support=None if row.support is None else Support(row.support),
            cost_usd=cost,
        )
        for row, run, cost in session.execute(query)
    )
    return tuple(sorted(found, key=lambda one: (one.run, one.instance_id)))


def samples(session: Session, key: int) -> tuple[SampleRecord, ...]:
    """The samples of an instance that have ended."""
    table = SampleTable
    query = sa.select(table).where(table.instance_id == key).order_by(table.number)
    own = table.instance_id == key
    texts = _texts(session, sa.select(table.script).where(own), sa.select(table.diff).where(own))
    return tuple(
        SampleRecord(
            number=row.number,
            outcome=Outcome(row.outcome),
            test=row.test,
            candidate=row.candidate,
            script=None
            if row.script is None
            else Script(texts[row.script], row.interpreter or "", row.suffix or ""),
            diff=None if row.diff is None else texts[row.diff],
            finished_at=utc(row.finished_at),
            error=row.error,
        )
        for row in session.scalars(query)
    )


def candidates(session: Session, key: int) -> tuple[CandidateRecord, ...]:
    """The candidates of an instance."""
    table = CandidateTable
    query = sa.select(table).where(table.instance_id == key).order_by(table.number)
    texts = _texts(session, sa.select(table.diff).where(table.instance_id == key))
    writers, sources = _writers(session, key, "candidate"), _sources(session, key, "candidate")
    return tuple(
        CandidateRecord(
            number=row.number,
            place=row.place,
            chosen=row.chosen,
            finalist=row.finalist,
            discriminating_votes=row.discriminating_votes,
            paper_votes=row.paper_votes,
            regression_votes=row.regression_votes,
            broken_tests=row.broken_tests,
            agreement=row.agreement,
            support=row.support,
            samples=tuple(writers[row.number]),
            sources=tuple(sources[row.number]),
            size=row.size,
            diff=texts[row.diff],
            patch=row.patch,
        )
        for row in session.scalars(query)
    )


def tests(session: Session, key: int) -> tuple[TestRecord, ...]:
    """The tests of an instance."""
    table = TestTable
    query = sa.select(table).where(table.instance_id == key).order_by(table.number)
    texts = _texts(session, sa.select(table.script).where(table.instance_id == key))
    writers, sources = _writers(session, key, "test"), _sources(session, key, "test")
    return tuple(
        TestRecord(
            number=row.number,
            kind=TestKind(row.kind),
            label=row.label,
            flaky=row.flaky,
            discriminates=row.discriminates,
            samples=tuple(writers[row.number]),
            sources=tuple(sources[row.number]),
            script=Script(texts[row.script], row.interpreter, row.suffix),
        )
        for row in session.scalars(query)
    )


def votes(session: Session, key: int) -> tuple[VoteRecord, ...]:
    """The votes of an instance, ordered by candidate and test."""
    query = (
        sa.select(VoteTable, ExecutionTable)
        .join(ExecutionTable, ExecutionTable.id == VoteTable.execution_id)
        .where(VoteTable.instance_id == key)
        .order_by(VoteTable.candidate, VoteTable.test)
    )
    found = session.execute(query).all()
    voted = sa.select(VoteTable.execution_id).where(VoteTable.instance_id == key)
    own = ExecutionTable.id.in_(voted)
    texts = _texts(
        session,
        sa.select(ExecutionTable.output).where(own),
        sa.select(ExecutionTable.diff).where(own),
    )
    return tuple(VoteRecord(v.candidate, v.test, _cell(v, ran, texts), ran.id) for v, ran in found)


def _cell(vote: VoteTable, ran: ExecutionTable, texts: Texts) -> Cell:
    execution = Execution(
        Ending(ran.ending), ran.exit_code, texts.of(ran.output), ran.output_bytes, ran.duration_s
    )
    return Cell(Verdict(vote.verdict), execution, Patch(texts.of(ran.diff), ran.patch), vote.broken)


def regression_files(session: Session, key: int) -> tuple[RegressionFileRecord, ...]:
    """The repository's own test files that were considered, the nearest to the edits first."""
    table = RegressionFileTable
    query = sa.select(table).where(table.instance_id == key).order_by(table.place)
    return tuple(
        RegressionFileRecord(row.place, row.path, row.test, row.passing, row.reason)
        for row in session.scalars(query)
    )


def grades(session: Session, *where: Where) -> tuple[GradeRecord, ...]:
    """Grades, each once, ordered by instance, patch and grader."""
    found = (
        GradeRecord(
            instance_id=row.instance_id,
            patch=row.patch,
            grader=row.grader,
            grader_version=row.grader_version,
            diff=row.diff,
            outcome=row.outcome,
            resolved=row.resolved,
            detail=row.detail,
            fail_to_pass=row.fail_to_pass,
            fail_to_pass_failing=row.fail_to_pass_failing,
            pass_to_pass=row.pass_to_pass,
            pass_to_pass_failing=row.pass_to_pass_failing,
            inputs=row.inputs,
            timeout_s=row.timeout_s,
            duration_s=row.duration_s,
            report=row.report,
            log=row.log,
            created_at=utc(row.created_at),
        )
        for row in session.scalars(sa.select(GradeTable).where(*where))
    )
    return tuple(sorted(found, key=lambda one: (one.instance_id, one.patch, one.grader)))


def on_run(name: str) -> Where:
    """The condition that a grade is of the patch of a candidate of this run."""
    return _on_candidate(
        CandidateTable.instance_id == InstanceTable.id,
        InstanceTable.run_id == RunTable.id,
        InstanceTable.instance_id == GradeTable.instance_id,
        RunTable.name == name,
    )


def on_instance(instance: InstanceRecord) -> Where:
    """The condition that a grade is of the patch of a candidate of this instance."""
    own = CandidateTable.instance_id == instance.key
    return (GradeTable.instance_id == instance.instance_id) & _on_candidate(own)


def _on_candidate(*where: Where) -> Where:
    return sa.exists().where(CandidateTable.diff == GradeTable.diff, *where)


def _writers(session: Session, key: int, kind: str) -> defaultdict[int, list[int]]:
    """The numbers of the samples, by the number of their candidate or test."""
    table = SampleTable
    number = table.candidate if kind == "candidate" else table.test
    query = sa.select(number, table.number).where(table.instance_id == key)
    found = defaultdict[int, list[int]](list)
    for of, sample in session.execute(query.order_by(table.number)):
        if of is not None:
            found[of].append(sample)
    return found


def _sources(session: Session, key: int, kind: str) -> defaultdict[int, list[str]]:
    """The names of the sources, by the number of the candidate or test."""
    table = SourceTable
    own = (table.instance_id == key, table.kind == kind)
    query = sa.select(table.number, table.name).where(*own).order_by(table.number, table.place)
    found = defaultdict[int, list[str]](list)
    for of, name in session.execute(query):
        found[of].append(name)
    return found


def _texts(session: Session, *digests: sa.SelectBase) -> Texts:
    return get_texts(session.connection(), sa.union(*digests))


def utc(stored: datetime) -> datetime:
    """A stored time, which has no zone, as UTC."""
    return stored.replace(tzinfo=UTC)
