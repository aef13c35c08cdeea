"""What an instance came to: samples, candidates, tests, votes, the chosen patch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from data.patches.patch import UNEDITED
from runs.store.blobs import put_text
from runs.store.dialect import upsert
from runs.store.journal import execution_key
from runs.store.registry import Status, mark_instance
from runs.store.tables import Candidate, Instance, RegressionFile, Sample, Test, Vote, now
from selection.matrix import laid_for
from selection.votes import (
    UNEDITED_ROW,
    broken_tests,
    discriminating_votes,
    paper_votes,
    regression_votes,
)

if TYPE_CHECKING:
    from agent.sample import SampleResult
    from runs.run.solve import Solution
    from selection.votes import Matrix


def save_sample(
    connection: sa.Connection, instance: int, result: SampleResult, known: set[str]
) -> None:
    """Store how a sample ended; its place among tests and candidates is known later."""
    row = {
        "instance_id": instance,
        "number": result.number,
        "outcome": result.outcome,
        "script": put_text(connection, result.script.text, known) if result.script else None,
        "diff": put_text(connection, result.patch.diff, known) if result.patch else None,
        "finished_at": now(),
    }
    upsert(connection, Sample, ("instance_id", "number"), row)


def save_solution(
    connection: sa.Connection, instance: int, solution: Solution, known: set[str]
) -> None:
    """Store the outcome of an instance, replacing an earlier one."""
    for table in (Candidate, Test, Vote, RegressionFile):
        connection.execute(sa.delete(table).where(table.instance_id == instance))
    _save_candidates(connection, instance, solution, known)
    _save_tests(connection, instance, solution.matrix, known)
    _save_votes(connection, instance, solution.matrix)
    _save_regression_files(connection, instance, solution)
    decision = solution.decision
    values: dict[str, Any] = {"context_files": json.dumps(list(solution.context_files))}
    if decision is not None:
        values["chosen"] = decision.candidate.number
        values["reason"] = decision.reason
        values["patch"] = put_text(connection, decision.candidate.patch.diff, known)
    connection.execute(sa.update(Instance).where(Instance.id == instance).values(values))
    mark_instance(connection, instance, Status.SOLVED if decision else Status.UNSOLVED)


def _save_candidates(
    connection: sa.Connection, instance: int, solution: Solution, known: set[str]
) -> None:
    matrix = solution.matrix
    paper, discriminating = paper_votes(matrix), discriminating_votes(matrix)
    regression, broken = regression_votes(matrix), broken_tests(matrix)
    for place, standing in enumerate(solution.standings, 1):
        candidate = standing.candidate
        row = {
            "instance_id": instance,
            "number": candidate.number,
            "diff": put_text(connection, candidate.patch.diff, known),
            "patch": candidate.patch.digest,
            "samples": " ".join(map(str, candidate.samples)),
            "sources": " ".join(candidate.sources),
            "support": candidate.support,
            "size": candidate.size,
            "paper_votes": paper[candidate.number],
            "discriminating_votes": discriminating[candidate.number],
            "regression_votes": regression[candidate.number],
            "broken_tests": broken[candidate.number],
            "agreement": standing.agreement,
            "place": place,
            "finalist": candidate.number in solution.finalists,
            "chosen": solution.decision is not None
            and solution.decision.candidate.number == candidate.number,
        }
        connection.execute(sa.insert(Candidate).values(row))
        _link_samples(connection, instance, candidate.samples, candidate=candidate.number)


def _save_tests(connection: sa.Connection, instance: int, matrix: Matrix, known: set[str]) -> None:
    for test in matrix.tests:
        row = {
            "instance_id": instance,
            "number": test.number,
            "script": put_text(connection, test.script.text, known),
            "samples": " ".join(map(str, test.samples)),
            "sources": " ".join(test.sources),
            "discriminates": matrix.discriminates(test),
            "kind": test.kind,
            "label": test.label,
            "flaky": test.flaky,
        }
        connection.execute(sa.insert(Test).values(row))
        _link_samples(connection, instance, test.samples, test=test.number)


def _link_samples(
    connection: sa.Connection, instance: int, samples: tuple[int, ...], **values: int
) -> None:
    connection.execute(
        sa.update(Sample)
        .where(Sample.instance_id == instance, Sample.number.in_(samples))
        .values(values)
    )


def _save_votes(connection: sa.Connection, instance: int, matrix: Matrix) -> None:
    patches = {c.number: c.patch for c in matrix.candidates} | {UNEDITED_ROW: UNEDITED}
    tests = {test.number: test for test in matrix.tests}
    for (candidate, test), said in matrix.verdicts.items():
        patch = laid_for(tests[test], patches[candidate])
        row = {
            "instance_id": instance,
            "candidate": candidate,
            "test": test,
            "verdict": said,
            "execution_id": execution_key(connection, instance, tests[test].script, patch),
            "broken": matrix.broken.get((candidate, test)),
        }
        connection.execute(sa.insert(Vote).values(row))


def _save_regression_files(connection: sa.Connection, instance: int, solution: Solution) -> None:
    for place, file in enumerate(solution.regression_files, 1):
        row = {
            "instance_id": instance,
            "place": place,
            "path": file.path,
            "test": None if file.test is None else file.test.number,
            "passing": file.passing,
            "reason": file.reason,
        }
        connection.execute(sa.insert(RegressionFile).values(row))
