"""Both graders on a real engine: one tiny benchmark, the verdicts that it must get."""

from __future__ import annotations

import os
import sys
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from data.errors import UsageError
from runs.grading.harness import find_harness
from runs.grading.harness_grader import HarnessGrader
from runs.grading.nouns import Counts, GradeOutcome, GradingTask
from runs.grading.preflight import NO_EDIT
from runs.grading.sandbox_grader import SandboxGrader
from tests.support import graded
from tests.support.docker import python_image
from tests.support.graded import graded_image, spec_of

if TYPE_CHECKING:
    from pathlib import Path

    from runs.grading.nouns import Grade, Grader

__all__ = ["graded_image", "python_image"]

pytestmark = pytest.mark.docker

EXPECTED = {
    graded.RIGHT: GradeOutcome.RESOLVED,
    graded.WRONG: GradeOutcome.UNRESOLVED,
    graded.BREAKS: GradeOutcome.UNRESOLVED,
    graded.ELSEWHERE: GradeOutcome.APPLY_FAILED,
    graded.CHEATS: GradeOutcome.UNRESOLVED,
    graded.TOUCHES_TESTS: GradeOutcome.UNRESOLVED,
    graded.RIGHT.rstrip("\n"): GradeOutcome.RESOLVED,
    NO_EDIT: GradeOutcome.UNRESOLVED,
}


async def grades_of(grader: Grader, tasks: list[GradingTask]) -> dict[str, Grade]:
    async with aclosing(grader.grade(tasks)) as grades:
        return {grade.task.diff: grade async for grade in grades}


@pytest.fixture
def tasks(graded_image: str, tmp_path: Path) -> list[GradingTask]:
    spec = spec_of(tmp_path)
    return [GradingTask.of(spec, diff) for diff in EXPECTED]


def outcomes(found: dict[str, Grade]) -> dict[str, GradeOutcome]:
    return {
        diff: found[GradingTask.of(found[graded.RIGHT].task.spec, diff).diff].outcome
        for diff in EXPECTED
    }


async def test_the_sandbox_says_what_a_patch_is_worth(tasks: list[GradingTask]) -> None:
    grader = SandboxGrader("1", workers=2, timeout_s=60, label="test")
    found = await grades_of(grader, tasks)
    assert outcomes(found) == EXPECTED
    right = found[graded.RIGHT]
    assert (right.fail_to_pass, right.pass_to_pass) == (Counts(1, 0), Counts(1, 0))
    assert found[graded.BREAKS].pass_to_pass == Counts(0, 1)
    assert "exit code 1" in found[graded.CHEATS].detail
    assert "Start Test Output" in right.log


async def test_a_patch_that_never_ends_is_a_time_out(tasks: list[GradingTask]) -> None:
    task = replace(tasks[0], diff=graded.HANGS)
    grader = SandboxGrader("1", workers=1, timeout_s=2, label="test")
    (grade,) = (await grades_of(grader, [task])).values()
    assert grade.outcome is GradeOutcome.TIMEOUT
    assert grade.resolved is False


async def test_a_test_command_is_used_if_there_is_no_script(
    graded_image: str, tmp_path: Path
) -> None:
    patch = "diff --git a/more.txt b/more.txt\nnew file mode 100644\n--- /dev/null\n"
    spec = spec_of(
        tmp_path,
        eval_script=None,
        log_parser="pytest",
        test_patch=patch + "+++ b/more.txt\n@@ -0,0 +1 @@\n+more\n",
        test_cmd="cat more.txt && python check.py",
    )
    grader = SandboxGrader("1", workers=1, timeout_s=60, label="test")
    found = await grades_of(
        grader, [GradingTask.of(spec, graded.RIGHT), GradingTask.of(spec, graded.WRONG)]
    )
    assert [grade.outcome for grade in found.values()] == [
        GradeOutcome.RESOLVED,
        GradeOutcome.UNRESOLVED,
    ]
    assert "\nmore\n" in found[graded.RIGHT].log


async def test_a_broken_environment_is_an_error_and_other_patches_are_graded(
    tasks: list[GradingTask], tmp_path: Path
) -> None:
    gone = spec_of(tmp_path, instance_id="tiny__gone-1", repo_dir="/gone")
    grader = SandboxGrader("1", workers=2, timeout_s=60, label="test")
    found = await grades_of(grader, [GradingTask.of(gone, graded.WRONG), tasks[0]])
    assert found[graded.WRONG].outcome is GradeOutcome.ERROR
    assert "/gone" in found[graded.WRONG].detail
    assert found[graded.RIGHT].outcome is GradeOutcome.RESOLVED


async def test_the_official_harness_says_the_same(tasks: list[GradingTask]) -> None:
    python = os.environ.get("TROOP_HARNESS_PYTHON", sys.executable)
    try:
        harness = find_harness(python)
    except UsageError as error:
        pytest.skip(f"{error.message} (TROOP_HARNESS_PYTHON names another)")
    if harness.major < 5:
        pytest.skip(f"swebench {harness.version} grades only the projects that it knows")
    found = await grades_of(HarnessGrader(harness, workers=4, timeout_s=60), tasks)
    assert outcomes(found) == EXPECTED
    assert found[graded.RIGHT].fail_to_pass == Counts(1, 0)
