"""Grades in the database: facts about patches, kept apart from the runs that hold the patches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runs.grading.nouns import Counts, GradeOutcome
from runs.store.blobs import digest_of, put_text
from runs.store.dialect import upsert
from runs.store.tables import GradeTable, now

if TYPE_CHECKING:
    import sqlalchemy as sa

    from runs.grading.nouns import Grade
    from runs.store.reading import Reader, Row

LOG_CHARS = 4_000_000
"""Of a log, what is stored: its beginning and its end."""
GRADERS = ("harness", "sandbox")
"""The one that is believed first, first."""


def save_grade(
    connection: sa.Connection,
    grade: Grade,
    judge: tuple[str, str],
    timeout_s: float,
    known: set[str],
) -> None:
    """Store a grade in place of an earlier one of the same patch by the same judge.

    `judge`: its name and its version. The diff itself is not stored: runs have
    those of their candidates.
    """
    instance_id, patch = grade.task.key
    sides = {"fail_to_pass": grade.fail_to_pass, "pass_to_pass": grade.pass_to_pass}
    row = {
        "instance_id": instance_id,
        "patch": patch,
        "grader": judge[0],
        "diff": digest_of(grade.task.diff),
        "inputs": grade.task.spec.digest,
        "grader_version": judge[1],
        "outcome": grade.outcome.value,
        "resolved": grade.resolved,
        "detail": grade.detail,
        **{name: side.passing if side else None for name, side in sides.items()},
        **{f"{name}_failing": side.failing if side else None for name, side in sides.items()},
        "report": put_text(connection, grade.report, known),
        "log": put_text(connection, _bounded(grade.log), known),
        "timeout_s": timeout_s,
        "duration_s": grade.duration_s,
        "created_at": now(),
    }
    upsert(connection, GradeTable, ("instance_id", "patch", "grader"), row)


@dataclass(frozen=True, slots=True)
class Stored:
    """A grade as it is stored."""

    outcome: GradeOutcome
    detail: str
    fail_to_pass: Counts | None
    pass_to_pass: Counts | None
    inputs: str
    timeout_s: float
    duration_s: float | None

    @property
    def resolved(self) -> bool | None:
        """The verdict; None: there is none."""
        return self.outcome.resolved

    def stands(self, inputs: str, timeout_s: float) -> bool:
        """Whether it need not be done again: a verdict on these inputs, with that time or more."""
        in_time = self.outcome is not GradeOutcome.TIMEOUT or self.timeout_s >= timeout_s
        return self.resolved is not None and self.inputs == inputs and in_time


def read_stored(reader: Reader, grader: str) -> dict[tuple[str, str], Stored]:
    """All grades of a grader, by instance and patch (`Task.key`)."""
    return {
        (row["instance_id"], row["patch"]): _stored(row)
        for row in reader.view("grades", judge=grader)
    }


def verdicts(reader: Reader, run: str | None = None) -> dict[tuple[str, str], bool]:
    """The verdicts on a run's candidates, or all, by instance and patch (`Task.key`).

    Where both graders have one, the harness's counts.
    """
    where = {} if run is None else {"run": run}
    found: dict[tuple[str, str], bool] = {}
    rows = reader.view("grades", **where)
    for row in sorted(rows, key=lambda row: GRADERS.index(row["judge"]), reverse=True):
        if row["resolved"] is not None:
            found[row["instance_id"], row["patch"]] = bool(row["resolved"])
    return found


def _stored(row: Row) -> Stored:
    return Stored(
        GradeOutcome(row["outcome"]),
        row["detail"],
        _counts(row, "fail_to_pass"),
        _counts(row, "pass_to_pass"),
        row["inputs"],
        row["timeout_s"],
        row["duration_s"],
    )


def _counts(row: Row, name: str) -> Counts | None:
    passing, failing = row[name], row[f"{name}_failing"]
    return None if passing is None else Counts(passing, failing)


def _bounded(log: str) -> str:
    if len(log) <= LOG_CHARS:
        return log
    half = LOG_CHARS // 2
    return f"{log[:half]}\n[... {len(log) - 2 * half} characters left out ...]\n{log[-half:]}"
