"""The results of an instance: samples, candidates, tests, votes, the chosen patch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from data.patches.parts import parts_of
from data.paths import show_path
from runs.store.blobs import put_text
from runs.store.dialect import insert_missing, upsert
from runs.store.evidence import evidence
from runs.store.instances import mark_instance
from runs.store.journal import execution_key
from runs.store.registry import Status
from runs.store.tables import (
    CandidateTable,
    EditedFileTable,
    InstanceTable,
    RegressionFileTable,
    SampleTable,
    SourceTable,
    TestTable,
    VoteTable,
    now,
)
from selection.votes import broken_tests, discriminating_votes, paper_votes, regression_votes

if TYPE_CHECKING:
    from agent.strategies.protocol import Sample
    from sandbox.protocol import Script
    from selection.matrix import Matrix
    from selection.solution import Solution


def save_sample(connection: sa.Connection, instance: int, sample: Sample, known: set[str]) -> None:
    """Store how a sample ended. The numbers of its test and candidate are known later."""
    row = {
        "instance_id": instance,
        "number": sample.number,
        "outcome": sample.outcome,
        **_script(connection, sample.script, known),
        "diff": _put_diff(connection, sample.patch.diff, known) if sample.patch else None,
        "patch": sample.patch.digest if sample.patch else None,
        "finished_at": now(),
    }
    upsert(connection, SampleTable, ("instance_id", "number"), row)


def save_solution(
    connection: sa.Connection, instance: int, solution: Solution, known: set[str]
) -> None:
    """Store the results of an instance in place of earlier ones."""
    for table in (CandidateTable, TestTable, SourceTable, VoteTable, RegressionFileTable):
        connection.execute(sa.delete(table).where(table.instance_id == instance))
    ours = sa.update(SampleTable).where(SampleTable.instance_id == instance)
    connection.execute(ours.values(candidate=None, test=None, error=""))
    for number, trace in solution.excluded.items():
        _link_samples(connection, instance, (number,), error=trace)
    _save_candidates(connection, instance, solution, known)
    _save_tests(connection, instance, solution.matrix, known)
    _save_votes(connection, instance, solution.matrix)
    _save_regression_files(connection, instance, solution.matrix)
    choice = solution.ranking.choice
    values: dict[str, Any] = {
        "context_files": json.dumps(list(solution.context_files)),
        "samples": solution.samples,
        "chosen": None,
        "reason": "",
        "patch": None,
        "support": None,
    }
    if choice is not None:
        values["chosen"] = choice.number
        values["reason"] = solution.ranking.decided_by
        values["patch"] = put_text(connection, choice.patch.diff, known)
        finalists = solution.finalists
        what = (solution.matrix, choice.number, finalists)
        weighed = evidence(connection, instance, *what, reason=solution.ranking.decided_by)
        values["support"] = weighed.support
    connection.execute(sa.update(InstanceTable).where(InstanceTable.id == instance).values(values))
    mark_instance(connection, instance, Status.PATCHED if choice else Status.NO_PATCH)


def _save_candidates(
    connection: sa.Connection, instance: int, solution: Solution, known: set[str]
) -> None:
    matrix, choice = solution.matrix, solution.ranking.choice
    heard, flagged = matrix.heeding()
    paper = paper_votes(heard) | paper_votes(flagged)
    discriminating = discriminating_votes(heard) | discriminating_votes(flagged)
    regression = regression_votes(heard) | {c.number: 0 for c in flagged.candidates}
    broken = broken_tests(matrix)
    for place, standing in enumerate(solution.standings, 1):
        candidate = standing.candidate
        row = {
            "instance_id": instance,
            "number": candidate.number,
            "diff": _put_diff(connection, candidate.patch.diff, known),
            "patch": candidate.patch.digest,
            "support": candidate.support,
            "size": candidate.size,
            "paper_votes": paper[candidate.number],
            "discriminating_votes": discriminating[candidate.number],
            "regression_votes": regression[candidate.number],
            "broken_tests": broken[candidate.number],
            "agreement": standing.agreement,
            "place": place,
            "finalist": candidate.number in solution.finalists,
            "chosen": choice is not None and choice.number == candidate.number,
        }
        connection.execute(sa.insert(CandidateTable).values(row))
        _link_samples(connection, instance, candidate.samples, candidate=candidate.number)
        _save_sources(connection, instance, "candidate", candidate.number, candidate.sources)


def _put_diff(connection: sa.Connection, diff: str, known: set[str]) -> str:
    """Store a diff and which files it edits; its digest."""
    digest = put_text(connection, diff, known)
    paths = dict.fromkeys(part.path for part in parts_of(diff).sections)
    for place, path in enumerate(paths, 1):
        row = {"diff": digest, "place": place, "path": show_path(path)}
        insert_missing(connection, EditedFileTable, row)
    return digest


def _save_tests(connection: sa.Connection, instance: int, matrix: Matrix, known: set[str]) -> None:
    for test in matrix.tests:
        row = {
            "instance_id": instance,
            "number": test.number,
            **_script(connection, test.script, known),
            "discriminates": matrix.discriminates(test),
            "kind": test.kind,
            "label": test.label,
            "flaky": test.flaky,
        }
        connection.execute(sa.insert(TestTable).values(row))
        _link_samples(connection, instance, test.samples, test=test.number)
        _save_sources(connection, instance, "test", test.number, test.sources)


def _script(
    connection: sa.Connection, script: Script | None, known: set[str]
) -> dict[str, str | None]:
    """The columns that a script is stored in."""
    if script is None:
        return dict.fromkeys(("script", "interpreter", "suffix"))
    text = put_text(connection, script.text, known)
    return {"script": text, "interpreter": script.interpreter, "suffix": script.suffix}


def _link_samples(
    connection: sa.Connection, instance: int, samples: tuple[int, ...], **values: int | str
) -> None:
    connection.execute(
        sa.update(SampleTable)
        .where(SampleTable.instance_id == instance, SampleTable.number.in_(samples))
        .values(values)
    )


def _save_sources(
    connection: sa.Connection, instance: int, kind: str, number: int, names: tuple[str, ...]
) -> None:
    for place, name in enumerate(names, 1):
        row = {"instance_id": instance, "kind": kind, "number": number, "place": place}
        connection.execute(sa.insert(SourceTable).values(name=name, **row))


def _save_votes(connection: sa.Connection, instance: int, matrix: Matrix) -> None:
    scripts = {test.number: test.script for test in matrix.tests}
    for (candidate, test), cell in matrix.cells.items():
        row = {
            "instance_id": instance,
            "candidate": candidate,
            "test": test,
            "verdict": cell.verdict,
            "execution_id": execution_key(connection, instance, scripts[test], cell.patch),
            "broken": cell.broken,
        }
        connection.execute(sa.insert(VoteTable).values(row))


def _save_regression_files(connection: sa.Connection, instance: int, matrix: Matrix) -> None:
    for place, file in enumerate(matrix.regression_files, 1):
        row = {
            "instance_id": instance,
            "place": place,
            "path": file.path,
            "test": file.test,
            "passing": file.passing,
            "reason": file.reason,
        }
        connection.execute(sa.insert(RegressionFileTable).values(row))
