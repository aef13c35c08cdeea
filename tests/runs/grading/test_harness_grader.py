"""Driving the harness: rounds, reports of every kind, stopping. Its place is taken by a program."""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from data.errors import SandboxError
from data.folders import cache_folder
from runs.grading.harness import find_harness
from runs.grading.harness_grader import HarnessGrader
from runs.grading.nouns import Counts, GradeOutcome, GradingTask
from runs.grading.reports import read_report
from runs.grading.rounds import in_rounds, run_id
from tests.support.docker import require_docker
from tests.support.fake_harness import fake_harness, patch
from tests.support.graded import spec_of
from tests.support.waiting import eventually_async

if TYPE_CHECKING:
    from pathlib import Path

    from runs.grading.nouns import Grade


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def grader(place: Path) -> HarnessGrader:
    require_docker()  # what is left behind is looked for there
    python = str(fake_harness(place / "fake"))
    return HarnessGrader(find_harness(python), workers=2, timeout_s=7)


def task(place: Path, word: str, *, number: int = 1, instance: str = "tiny__calc-1") -> GradingTask:
    return GradingTask.of(spec_of(place, instance_id=instance), patch(word, number=number))


async def grades_of(grader: HarnessGrader, *tasks: GradingTask) -> list[Grade]:
    async with aclosing(grader.grade(tasks)) as grades:
        return [grade async for grade in grades]


def calls(place: Path) -> list[list[str]]:
    """The command lines of the rounds."""
    lines = (place / "fake" / "calls.txt").read_text().splitlines()
    return [words for line in lines if (words := json.loads(line))[0] == "-m"]


WORDS = {
    "resolved": GradeOutcome.RESOLVED,
    "unresolved": GradeOutcome.UNRESOLVED,
    "refused": GradeOutcome.APPLY_FAILED,
    "timeout": GradeOutcome.TIMEOUT,
    "infra": GradeOutcome.ERROR,
    "damaged": GradeOutcome.ERROR,
    "other": GradeOutcome.ERROR,
    "silent": GradeOutcome.ERROR,
}


@pytest.mark.docker
async def test_what_the_harness_leaves_is_read_as_what_it_is(
    grader: HarnessGrader, place: Path
) -> None:
    tasks = [task(place, word, instance=f"tiny__{word}-1") for word in WORDS]
    found = {grade.task.instance_id: grade for grade in await grades_of(grader, *tasks)}
    by_word = {word: found[f"tiny__{word}-1"] for word in WORDS}
    assert {word: grade.outcome for word, grade in by_word.items()} == WORDS
    assert by_word["resolved"].fail_to_pass == Counts(1, 0)
    assert by_word["unresolved"].pass_to_pass == Counts(0, 1)
    assert by_word["resolved"].log == "what the tests printed"
    assert json.loads(by_word["resolved"].report)["tiny__resolved-1"]["resolved"]
    assert "another patch" in by_word["other"].detail
    assert "damaged" in by_word["damaged"].detail
    assert "out of memory" in by_word["infra"].detail
    assert by_word["silent"].detail.endswith("NotFoundError: gone")
    assert "7 seconds" in by_word["timeout"].detail
    assert len(calls(place)) == 1
    assert not list((cache_folder() / "grading").iterdir())


@pytest.mark.docker
async def test_several_patches_of_an_instance_never_share_a_round(
    grader: HarnessGrader, place: Path
) -> None:
    words = ("resolved", "unresolved", "resolved")
    tasks = [task(place, word, number=number) for number, word in enumerate(words)]
    tasks.append(task(place, "resolved", instance="tiny__other-1"))
    found = await grades_of(grader, *tasks)
    assert {grade.task.diff: grade.outcome.value for grade in found[:]} == {
        each.diff: word for each, word in zip(tasks, (*words, "resolved"), strict=True)
    }
    names = [words[words.index("--run_id") + 1] for words in calls(place)]
    assert len(set(names)) == len(names) == 3


def test_rounds_and_their_names(place: Path) -> None:
    tasks = [task(place, "resolved", number=n, instance=i) for n in range(2) for i in ("a", "b")]
    tasks.append(task(place, "resolved", number=9, instance="a"))
    rounds = in_rounds(tasks)
    assert [[each.instance_id for each in one] for one in rounds] == [["a", "b"], ["a", "b"], ["a"]]
    first, second = (run_id(one).rpartition("-")[0] for one in rounds[:2])
    assert first != second
    assert first == run_id(rounds[0]).rpartition("-")[0]  # the same content
    assert run_id(rounds[0]) != run_id(rounds[0])  # another process may be at it


@pytest.mark.docker
async def test_a_harness_that_cannot_start_gives_no_verdict(
    grader: HarnessGrader, place: Path
) -> None:
    with pytest.raises(SandboxError, match="the engine is gone"):
        await grades_of(grader, task(place, "crash"))


@pytest.mark.docker
async def test_what_was_graded_before_a_crash_counts(grader: HarnessGrader, place: Path) -> None:
    first, last = task(place, "resolved"), task(place, "crash", instance="tiny__last-1")
    async with aclosing(grader.grade([first, last])) as grades:
        assert (await anext(grades)).outcome is GradeOutcome.RESOLVED
        with pytest.raises(SandboxError):
            await anext(grades)


@pytest.mark.docker
async def test_stopping_ends_the_harness_and_leaves_nothing(
    grader: HarnessGrader, place: Path
) -> None:
    first, slow = task(place, "resolved"), task(place, "slow", instance="tiny__slow-1")
    found: list[Grade] = []

    async def work() -> None:
        async with aclosing(grader.grade([first, slow])) as grades:
            async for grade in grades:
                found.append(grade)  # noqa: PERF401 - it is cancelled

    working = asyncio.create_task(work())
    pid_file = place / "fake" / "slow"
    await eventually_async(lambda: found and pid_file.exists() and pid_file.read_text())
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert [grade.outcome for grade in found] == [GradeOutcome.RESOLVED]  # stored as it came
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)
    assert not list((cache_folder() / "grading").iterdir())


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"tiny__calc-1": 3}', '{"other": {"resolved": true}}', "\x00"]
)
def test_an_incomplete_report_is_not_read_yet(place: Path, text: str) -> None:
    (place / "report.json").write_text(text)
    assert read_report(task(place, "resolved"), place) is None


def test_a_report_must_say_true_or_false(place: Path) -> None:
    one = task(place, "resolved")
    (place / "patch.diff").write_text(one.diff)
    (place / "report.json").write_text(json.dumps({one.instance_id: {"resolved": "yes"}}))
    grade = read_report(one, place)
    assert grade is not None
    assert grade.resolved is None
