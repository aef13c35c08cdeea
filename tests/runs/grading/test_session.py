"""Grades in the database: what is graded again and what is not, views, and who reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from data.patches.patch import Patch
from runs.compare.grades import Grades
from runs.grading.nouns import Counts, Grade, GradeOutcome, GradingTask
from runs.grading.session import Step, grade_all
from runs.grading.stored import LOG_CHARS, verdicts
from runs.store.database import sqlite_url
from runs.store.reading import Reader
from selection.candidates import Candidate
from selection.matrix import Matrix
from tests.support.graded import BREAKS, RIGHT, WRONG, spec_of
from tests.support.views import view

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from pathlib import Path


@dataclass
class FakeGrader:
    """Says of each patch what it was told to."""

    says: dict[str, GradeOutcome] = field(default_factory=dict)
    name: str = "harness"
    version: str = "swebench 5.0.2"
    timeout_s: float = 60.0
    asked: list[str] = field(default_factory=list)

    async def grade(self, tasks: Sequence[GradingTask]) -> AsyncGenerator[Grade, None]:
        for task in tasks:
            self.asked.append(task.diff)
            outcome = self.says.get(task.diff, GradeOutcome.UNRESOLVED)
            counts = (Counts(1, 0), Counts(3, 1))
            yield Grade(task, outcome, "why", *counts, "{}", "x" * 9, 1.5)


@pytest.fixture
def database(tmp_path: Path) -> str:
    return sqlite_url(tmp_path / "troop.db")


async def run(
    database: str, grader: FakeGrader, *tasks: GradingTask, again: bool = False
) -> list[Step]:
    steps: list[Step] = []
    grader.asked.clear()
    await grade_all(tasks, grader, database, steps.append, again=again)
    return steps


async def test_equal_patches_are_graded_once_and_kept(database: str, tmp_path: Path) -> None:
    spec = spec_of(tmp_path)
    grader = FakeGrader({RIGHT: GradeOutcome.RESOLVED})
    tasks = [GradingTask.of(spec, diff) for diff in (RIGHT, RIGHT.rstrip("\n"), WRONG, RIGHT)]
    steps = await run(database, grader, *tasks)
    assert grader.asked == [RIGHT, WRONG]
    told = [(step.done, step.of, step.resolved) for step in steps]
    assert told == [(0, 2, 0), (1, 2, 1), (2, 2, 1)]
    (step,) = await run(database, grader, *tasks)
    assert (step.grade, step.of, step.known) == (None, 0, 2)
    assert grader.asked == []
    await run(database, grader, *tasks, again=True)
    assert grader.asked == [RIGHT, WRONG]


async def test_what_changes_the_verdict_is_graded_again(database: str, tmp_path: Path) -> None:
    grader = FakeGrader(
        {RIGHT: GradeOutcome.RESOLVED, BREAKS: GradeOutcome.TIMEOUT, WRONG: GradeOutcome.ERROR}
    )
    tasks = [GradingTask.of(spec_of(tmp_path), diff) for diff in (RIGHT, BREAKS, WRONG)]
    await run(database, grader, *tasks)
    await run(database, grader, *tasks)
    assert grader.asked == [WRONG]  # an error is no verdict
    grader.timeout_s = 120
    await run(database, grader, *tasks)
    assert grader.asked == [BREAKS, WRONG]  # it has more time now
    changed = GradingTask.of(spec_of(tmp_path, eval_script="true"), RIGHT)
    await run(database, grader, changed)
    assert grader.asked == [RIGHT]
    sandbox = FakeGrader({RIGHT: GradeOutcome.RESOLVED}, name="sandbox")
    await run(database, sandbox, changed)
    assert sandbox.asked == [RIGHT]  # another grader has its own


async def test_an_empty_patch_is_not_run(database: str, tmp_path: Path) -> None:
    grader = FakeGrader()
    task = GradingTask.of(spec_of(tmp_path), "")
    known = await grade_all([task], grader, database, lambda _: None)
    assert grader.asked == []
    assert known[task.key].outcome is GradeOutcome.EMPTY
    assert known[task.key].resolved is False


async def test_work_before_an_error_is_stored(database: str, tmp_path: Path) -> None:
    class Broken(FakeGrader):
        async def grade(self, tasks: Sequence[GradingTask]) -> AsyncGenerator[Grade, None]:
            async for grade in FakeGrader.grade(self, tasks[:1]):
                yield grade
            raise RuntimeError

    tasks = [GradingTask.of(spec_of(tmp_path), diff) for diff in (RIGHT, WRONG)]
    with pytest.raises(RuntimeError):
        await grade_all(tasks, Broken(), database, lambda _: None)
    grader = FakeGrader()
    await run(database, grader, *tasks)
    assert grader.asked == [WRONG]


async def test_stored_grades_are_those_that_select_knows(database: str, tmp_path: Path) -> None:
    spec = spec_of(tmp_path)
    told = FakeGrader({RIGHT: GradeOutcome.RESOLVED, BREAKS: GradeOutcome.ERROR})
    await run(database, told, *(GradingTask.of(spec, diff) for diff in (RIGHT, WRONG, BREAKS)))
    other = FakeGrader(
        {WRONG: GradeOutcome.RESOLVED, BREAKS: GradeOutcome.RESOLVED}, name="sandbox"
    )
    await run(database, other, *(GradingTask.of(spec, diff) for diff in (WRONG, BREAKS)))
    with Reader(database) as reader:
        grades = Grades(verdicts(reader))
        assert verdicts(reader, "no-such-run") == {}
    candidates = tuple(
        Candidate(number, Patch.of(diff, ()), (number,))
        for number, diff in enumerate((RIGHT, WRONG, BREAKS), 1)
    )
    found = grades.of("tiny__calc-1", Matrix("tiny__calc-1", candidates, (), {}))
    assert found == {1: True, 2: False, 3: True}  # the harness first, and errors are none


async def test_the_view_and_what_is_stored(database: str, tmp_path: Path) -> None:
    class Verbose(FakeGrader):
        async def grade(self, tasks: Sequence[GradingTask]) -> AsyncGenerator[Grade, None]:
            for task in tasks:
                yield Grade(task, GradeOutcome.RESOLVED, log="a" * LOG_CHARS + "end", report="{}")

    await run(database, Verbose(), GradingTask.of(spec_of(tmp_path), RIGHT))
    with Reader(database) as reader:
        (row,) = view(reader, "grades", instance_id="tiny__calc-1")
        assert (row["run"], row["candidate"], row["resolved"]) == (None, None, 1)
        assert (row["judge"], row["outcome"]) == ("harness", "resolved")
        log = reader.text(row["log"])
    assert len(log) < LOG_CHARS + 100
    assert log.endswith("end")


async def test_a_patch_that_no_file_can_hold_does_not_apply(database: str, tmp_path: Path) -> None:
    task, grader = GradingTask.of(spec_of(tmp_path), f"{WRONG}\udc80\ud800"), FakeGrader()
    graded = await grade_all([task], grader, database, lambda _step: None)
    assert graded[task.key].outcome is GradeOutcome.APPLY_FAILED
    assert grader.asked == []
