"""Grades in the database: facts about patches, stored apart from the runs that have them."""

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
    from runs.store.reading import Reader
    from runs.store.records import GradeRecord
    from runs.store.store import Store

LOG_CHARS = 4_000_000
"""How many characters of a log are stored: its beginning and its end."""
GRADERS = ("harness", "sandbox")
"""The graders, the most trusted first."""


async def save_grade(store: Store, grade: Grade, grader: tuple[str, str], timeout_s: float) -> None:
    """Store a grade in place of an earlier one of the same patch by the same grader.

    `grader`: its name and its version. The diff itself is not stored: runs store the
    diffs of their candidates.
    """
    instance_id, patch = grade.task.key
    sides = {"fail_to_pass": grade.fail_to_pass, "pass_to_pass": grade.pass_to_pass}
    values = {
        "instance_id": instance_id,
        "patch": patch,
        "grader": grader[0],
        "diff": digest_of(grade.task.diff),
        "inputs": grade.task.spec.digest,
        "grader_version": grader[1],
        "outcome": grade.outcome.value,
        "resolved": grade.resolved,
        "detail": grade.detail,
        **{name: side.passing if side else None for name, side in sides.items()},
        **{f"{name}_failing": side.failing if side else None for name, side in sides.items()},
        "timeout_s": timeout_s,
        "duration_s": grade.duration_s,
        "created_at": now(),
    }

    def work(connection: sa.Connection, known: set[str]) -> None:
        texts = {
            "report": put_text(connection, grade.report, known),
            "log": put_text(connection, _bounded(grade.log), known),
        }
        upsert(connection, GradeTable, ("instance_id", "patch", "grader"), values | texts)

    await store.write(work)


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
        """Whether it is a verdict on these inputs, with this time-out or a longer one."""
        in_time = self.outcome is not GradeOutcome.TIMEOUT or self.timeout_s >= timeout_s
        return self.resolved is not None and self.inputs == inputs and in_time


def read_stored(reader: Reader, grader: str) -> dict[tuple[str, str], Stored]:
    """All grades of a grader, by instance and patch (`GradingTask.key`)."""
    return {
        (record.instance_id, record.patch): _stored(record)
        for record in reader.grades(grader=grader)
    }


def verdicts(reader: Reader, run: str | None = None) -> dict[tuple[str, str], bool]:
    """The verdicts on a run's candidates, or all verdicts, by `GradingTask.key`.

    If both graders have a verdict, the harness's counts.
    """
    records = sorted(reader.grades(run), key=lambda each: GRADERS.index(each.grader), reverse=True)
    return {
        (record.instance_id, record.patch): record.resolved
        for record in records
        if record.resolved is not None
    }


def _stored(record: GradeRecord) -> Stored:
    return Stored(
        GradeOutcome(record.outcome),
        record.detail,
        _counts(record.fail_to_pass, record.fail_to_pass_failing),
        _counts(record.pass_to_pass, record.pass_to_pass_failing),
        record.inputs,
        record.timeout_s,
        record.duration_s,
    )


def _counts(passing: int | None, failing: int | None) -> Counts | None:
    return None if passing is None or failing is None else Counts(passing, failing)


def _bounded(log: str) -> str:
    if len(log) <= LOG_CHARS:
        return log
    half = LOG_CHARS // 2
    return f"{log[:half]}\n[... {len(log) - 2 * half} characters left out ...]\n{log[-half:]}"
