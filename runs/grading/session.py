"""Grading by one command: patches without a verdict are graded, and stored at once."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runs.grading.nouns import Grade, GradeOutcome, GradingTask
from runs.grading.stored import Stored, read_stored, save_grade
from runs.store.reading import Reader
from runs.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from runs.grading.nouns import Grader

Key = tuple[str, str]
"""(instance, digest of the patch): `GradingTask.key`."""


@dataclass(frozen=True, slots=True)
class Step:
    """The beginning of grading, or a new grade."""

    grade: Grade | None
    """None: grading begins."""
    done: int
    of: int
    """How many patches are to be graded."""
    resolved: int
    known: int
    """How many had a verdict before."""


async def grade_all(
    tasks: Sequence[GradingTask],
    grader: Grader,
    database: str,
    tell: Callable[[Step], None],
    *,
    again: bool = False,
) -> Mapping[Key, Stored]:
    """Grade the tasks that have no valid verdict in the database; all grades by key.

    Equal patches are graded once. `again`: grade even those that have a verdict.
    `tell` is called for each grade once it is stored. To stop, cancel: what is
    stored stays, and the next call continues from there.

    Raises:
        TroopError: nothing (more) can be graded.
    """
    known = dict[Key, Stored]()
    with Store(database) as store:
        with Reader(database) as reader:
            before = {} if again else read_stored(reader, grader.name)
        waiting: dict[Key, GradingTask] = {}
        for task in tasks:
            stored = before.get(task.key)
            outcome = _without_grader(task)
            if outcome is not None:
                known[task.key] = _stored(Grade(task, outcome), grader)
            elif stored is not None and stored.stands(task.spec.digest, grader.timeout_s):
                known[task.key] = stored
            else:
                waiting.setdefault(task.key, task)
        before_now, resolved = len(known), 0
        tell(Step(None, 0, len(waiting), 0, before_now))
        async with aclosing(grader.grade(list(waiting.values()))) as grades:
            async for grade in grades:
                who = (grader.name, grader.version)
                await save_grade(store, grade, who, grader.timeout_s)
                known[grade.task.key] = _stored(grade, grader)
                resolved += bool(grade.resolved)
                tell(Step(grade, len(known) - before_now, len(waiting), resolved, before_now))
    return known


def _without_grader(task: GradingTask) -> GradeOutcome | None:
    """The outcome if no grader is needed: nothing to apply, or text that no file can hold."""
    if task.empty:
        return GradeOutcome.EMPTY
    try:
        task.diff.encode("utf-8")
    except UnicodeEncodeError:
        return GradeOutcome.APPLY_FAILED
    return None


def _stored(grade: Grade, grader: Grader) -> Stored:
    return Stored(
        grade.outcome,
        grade.detail,
        grade.fail_to_pass,
        grade.pass_to_pass,
        grade.task.spec.digest,
        grader.timeout_s,
        grade.duration_s,
    )
