"""Both judges on a real engine: one tiny benchmark, the verdicts that it must get."""

from __future__ import annotations

import os
import sys
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from data.errors import UsageError
from runs.grading.harness import find_harness
from runs.grading.harness_judge import HarnessJudge
from runs.grading.nouns import Counts, Outcome, Task
from runs.grading.preflight import NO_EDIT
from runs.grading.sandbox_judge import SandboxJudge
from tests.support import graded
from tests.support.docker import python_image
from tests.support.graded import graded_image, spec_of

if TYPE_CHECKING:
    from pathlib import Path

    from runs.grading.nouns import Grade, Judge

__all__ = ["graded_image", "python_image"]

pytestmark = pytest.mark.docker

EXPECTED = {
    graded.RIGHT: Outcome.RESOLVED,
    graded.WRONG: Outcome.UNRESOLVED,
    graded.BREAKS: Outcome.UNRESOLVED,
    graded.ELSEWHERE: Outcome.APPLY_FAILED,
    graded.CHEATS: Outcome.UNRESOLVED,
    graded.TOUCHES_TESTS: Outcome.UNRESOLVED,
    graded.RIGHT.rstrip("\n"): Outcome.RESOLVED,
    NO_EDIT: Outcome.UNRESOLVED,
}


async def judged(judge: Judge, tasks: list[Task]) -> dict[str, Grade]:
    async with aclosing(judge.grade(tasks)) as grades:
        return {grade.task.diff: grade async for grade in grades}


@pytest.fixture
def tasks(graded_image: str, tmp_path: Path) -> list[Task]:
    spec = spec_of(tmp_path)
    return [Task.of(spec, diff) for diff in EXPECTED]


def outcomes(found: dict[str, Grade]) -> dict[str, Outcome]:
    return {
        diff: found[Task.of(found[graded.RIGHT].task.spec, diff).diff].outcome for diff in EXPECTED
    }


async def test_the_sandbox_says_what_a_patch_is_worth(tasks: list[Task]) -> None:
    judge = SandboxJudge("1", workers=2, timeout_s=60, label="test")
    found = await judged(judge, tasks)
    assert outcomes(found) == EXPECTED
    right = found[graded.RIGHT]
    assert (right.fail_to_pass, right.pass_to_pass) == (Counts(1, 0), Counts(1, 0))
    assert found[graded.BREAKS].pass_to_pass == Counts(0, 1)
    assert "exit code 1" in found[graded.CHEATS].detail
    assert "Start Test Output" in right.log


async def test_a_patch_that_never_ends_is_a_time_out(tasks: list[Task]) -> None:
    task = replace(tasks[0], diff=graded.HANGS)
    judge = SandboxJudge("1", workers=1, timeout_s=2, label="test")
    (grade,) = (await judged(judge, [task])).values()
    assert grade.outcome is Outcome.TIMEOUT
    assert grade.resolved is False


async def test_a_test_command_does_where_there_is_no_script(
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
    judge = SandboxJudge("1", workers=1, timeout_s=60, label="test")
    found = await judged(judge, [Task.of(spec, graded.RIGHT), Task.of(spec, graded.WRONG)])
    assert [grade.outcome for grade in found.values()] == [Outcome.RESOLVED, Outcome.UNRESOLVED]
    assert "\nmore\n" in found[graded.RIGHT].log


async def test_a_broken_environment_is_an_error_and_stops_nothing(
    tasks: list[Task], tmp_path: Path
) -> None:
    gone = spec_of(tmp_path, instance_id="tiny__gone-1", repo_dir="/gone")
    judge = SandboxJudge("1", workers=2, timeout_s=60, label="test")
    found = await judged(judge, [Task.of(gone, graded.WRONG), tasks[0]])
    assert found[graded.WRONG].outcome is Outcome.ERROR
    assert "/gone" in found[graded.WRONG].detail
    assert found[graded.RIGHT].outcome is Outcome.RESOLVED


async def test_the_official_harness_says_the_same(tasks: list[Task]) -> None:
    python = os.environ.get("TROOP_HARNESS_PYTHON", sys.executable)
    try:
        harness = find_harness(python)
    except UsageError as error:
        pytest.skip(f"{error.message} (TROOP_HARNESS_PYTHON names another)")
    if harness.major < 5:
        pytest.skip(f"swebench {harness.version} grades only the projects that it knows")
    found = await judged(HarnessJudge(harness, workers=4, timeout_s=60), tasks)
    assert outcomes(found) == EXPECTED
    assert found[graded.RIGHT].fail_to_pass == Counts(1, 0)
