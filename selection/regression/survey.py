"""Asks the test files near the edits what passes before any edit, and makes votes of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agent.slots import together
from data.patches.patch import UNEDITED
from sandbox.protocol import Ending
from selection.candidates import Test, TestKind
from selection.matrix import MATRIX
from selection.regression.nearby import nearest_tests
from selection.regression.runners import runner_of
from selection.regression.scripts import read_survey, survey_script, vote_script

if TYPE_CHECKING:
    from agent.workbench import Workbench
    from sandbox.protocol import Execution, Script
    from selection.candidates import Candidate
    from selection.regression.runners import Runner
    from selection.regression.scripts import Survey
    from selection.settings import SelectionSettings

TRIED = 2
"""Files looked at for each that may vote: the next nearest stand in for those that cannot."""


@dataclass(frozen=True, slots=True)
class RegressionFile:
    """A test file of the repository's own near the edits."""

    path: str
    test: Test | None = None
    """None: it has no vote."""
    passing: int | None = None
    """Tests in it that pass on the unedited code; None: not known one by one."""
    reason: str = ""
    """Why it has no vote."""


async def regression_files(
    bench: Workbench,
    candidates: tuple[Candidate, ...],
    settings: SelectionSettings,
    *,
    first: int,
) -> tuple[RegressionFile, ...]:
    """The nearest test files, up to `settings.regression_files` of them with a vote.

    Their tests are numbered from `first`. A file votes if it runs, is quick enough,
    and says the same of the unedited code twice.

    Raises:
        SandboxError: the engine failed.
        Interrupted: a person asked to stop.
    """
    wanted = settings.regression_files
    if not wanted or not candidates:
        return ()
    near = await asyncio.to_thread(nearest_tests, bench.codebase, candidates)
    waiting = near[: TRIED * wanted]
    found: list[RegressionFile] = []
    scripts: set[Script] = set()
    while waiting and len(scripts) < wanted:
        asked, waiting = waiting[: wanted - len(scripts)], waiting[wanted - len(scripts) :]
        for file in await together(*(_look(bench, path, settings) for path in asked)):
            if file.test is None or file.test.script not in scripts:
                found.append(file)
            if file.test is not None:
                scripts.add(file.test.script)
    return _numbered(found, first)


async def _look(bench: Workbench, path: str, settings: SelectionSettings) -> RegressionFile:
    runner = runner_of(bench.codebase, path, settings.regression_command)
    if runner is None:
        return RegressionFile(path, reason="it cannot be told how it is run")
    asked = await _run(bench, survey_script(runner, path), "survey")
    longest = settings.regression_seconds
    if runner.command:
        return _whole(path, runner, asked, longest)
    survey = read_survey(asked)
    reason = _no_survey(asked) if survey is None else _unfit(survey, longest)
    if survey is None or reason:
        return RegressionFile(path, reason=reason)
    script = vote_script(runner, path, survey)
    again = await _run(bench, script, "vote")
    if not again.passed:
        return RegressionFile(path, reason="it says something else of the same code the next time")
    return RegressionFile(path, _test(path, script), survey.passed)


def _whole(path: str, runner: Runner, asked: Execution, longest: float) -> RegressionFile:
    """A file whose exit code is all that is known: the survey was the vote."""
    if not asked.passed:
        return RegressionFile(path, reason=f"it fails before the edit ({_ending(asked)})")
    if asked.duration_s > longest:
        return RegressionFile(path, reason=f"it takes {asked.duration_s:.0f} s")
    return RegressionFile(path, _test(path, survey_script(runner, path)))


def _no_survey(asked: Execution) -> str:
    last = asked.output.rstrip().rpartition("\n")[2]
    return f"it could not be run ({_ending(asked)}): {last[:200]}".removesuffix(": ")


def _unfit(survey: Survey, longest: float) -> str:
    """Why a file cannot vote; "" if it can."""
    if survey.cpu_s > longest:
        return f"it takes {survey.cpu_s:.0f} s"
    if survey.failed is None:
        return f"{survey.failing} of its tests fail before the edit"
    if not survey.passed:
        failing = f", {survey.failing} fail" if survey.failing else ""
        return f"no test in it passes before the edit{failing}"
    return ""


def _ending(asked: Execution) -> str:
    if asked.ending is Ending.EXITED:
        return f"exit code {asked.exit_code}"
    return asked.ending.value.replace("_", " ")


async def _run(bench: Workbench, script: Script, purpose: str) -> Execution:
    return await bench.execute(script, UNEDITED, trajectory=MATRIX, turn=0, purpose=purpose)


def _test(path: str, script: Script) -> Test:
    return Test(0, script, kind=TestKind.REGRESSION, label=path)


def _numbered(found: list[RegressionFile], first: int) -> tuple[RegressionFile, ...]:
    number = first
    numbered = []
    for file in found:
        if file.test is None:
            numbered.append(file)
            continue
        numbered.append(replace(file, test=replace(file.test, number=number)))
        number += 1
    return tuple(numbered)
