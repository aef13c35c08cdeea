"""Runs the test files near the edits before any edit, and turns them into tests that vote."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.slots import together
from agent.unforeseen import FORESEEN, named
from sandbox.protocol import Ending
from selection.regression.nearby import nearest_tests
from selection.regression.runners import runner_of
from selection.regression.scripts import read_survey, survey_script, vote_script
from selection.settings import PLACEHOLDER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from data.codebases.codebase import Codebase
    from sandbox.protocol import Execution, Script
    from selection.candidates import Candidate
    from selection.matrix import RegressionFile
    from selection.regression.runners import Runner
    from selection.regression.scripts import Survey
    from selection.settings import SelectionSettings

    _Run = Callable[[Script, str], Awaitable[Execution]]

_LOGGER = logging.getLogger(__name__)
NO_RUNNER = "no runner was recognised for it"
_NO_RUNNER = {NO_RUNNER, "it cannot be told how it is run"}
"""As it is stored, and as version 0.1.0 stored it."""
TRIED = 2
"""How many files are tried for each that may vote, because some of the nearest cannot."""


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What was found about a repository test file near the edits."""

    path: str
    script: Script | None = None
    """The script that votes; None: it has no vote."""
    passing: int | None = None
    """How many of its tests pass before the edit; None: they are not known one by one."""
    reason: str = ""
    """Why it has no vote."""


def why_no_vote(files: Sequence[RegressionFile], *, wanted: int) -> str:
    """Why none of the repository's own tests has a vote, as a sentence; "" if one has.

    `wanted`: how many files may vote. Each file has a reason of its own beside it.
    """
    if any(file.test is not None for file in files):
        return ""
    begin = "The repository's own tests have no vote"
    if not wanted:
        return f"{begin}, because selection.regression_files is 0."
    named = f"--set 'selection.regression_command=make check FILE={PLACEHOLDER}'"
    if not files:
        return (
            f"{begin}, because no file near the edits was recognised as one that a known runner"
            f" runs. If there are tests, name the command that runs them: {named}"
        )
    if any(file.reason in _NO_RUNNER for file in files):
        return (
            f"{begin}, because no runner was recognised. Name the command that runs them: {named}"
        )
    return f"{begin}: none of the test files near the edits can be used."


async def survey_tests(
    codebase: Codebase,
    candidates: tuple[Candidate, ...],
    settings: SelectionSettings,
    run: _Run,
) -> list[Surveyed]:
    """The nearest test files, up to `settings.regression_files` of them with a vote.

    A file votes if it runs, is quick enough, and gives the same result twice on the
    unedited code. `run` executes a script on the unedited code, for a purpose.

    Raises:
        SandboxError: the engine failed.
        Interrupted: a person asked to stop.
    """
    wanted = settings.regression_files
    if not wanted or not candidates:
        return []
    command = bool(settings.regression_command)
    near = await asyncio.to_thread(nearest_tests, codebase, candidates, own_command=command)
    waiting = near[: TRIED * wanted]
    found: list[Surveyed] = []
    scripts: set[Script] = set()
    while waiting and len(scripts) < wanted:
        asked, waiting = waiting[: wanted - len(scripts)], waiting[wanted - len(scripts) :]
        for file in await together(*(_looked(codebase, path, settings, run) for path in asked)):
            if file.script is None or file.script not in scripts:
                found.append(file)
            if file.script is not None:
                scripts.add(file.script)
    return found


async def _looked(
    codebase: Codebase, path: str, settings: SelectionSettings, run: _Run
) -> Surveyed:
    try:
        return await _look(codebase, path, settings, run)
    except FORESEEN:
        raise
    except Exception as error:
        _LOGGER.warning("%s has no vote: %s", path, named(error), exc_info=error)
        return Surveyed(path, reason=f"an unexpected error: {named(error)}")


async def _look(codebase: Codebase, path: str, settings: SelectionSettings, run: _Run) -> Surveyed:
    runner = runner_of(codebase, path, settings.regression_command)
    if runner is None:
        return Surveyed(path, reason=NO_RUNNER)
    asked = await run(survey_script(runner, path), "survey")
    longest = settings.regression_seconds
    if runner.command:
        return _whole(path, runner, asked, longest)
    survey = read_survey(asked)
    reason = _no_survey(asked) if survey is None else _unfit(survey, longest)
    if survey is None or reason:
        return Surveyed(path, reason=reason)
    script = vote_script(runner, path, survey)
    again = await run(script, "vote")
    if not again.passed:
        return Surveyed(path, reason="it is flaky: run again, it gave another verdict")
    return Surveyed(path, script, survey.passed)


def _whole(path: str, runner: Runner, asked: Execution, longest: float) -> Surveyed:
    """A file of which only the exit code is known, so that its survey was its vote."""
    if not asked.passed:
        return Surveyed(path, reason=f"it fails before the edit ({_ending(asked)})")
    if asked.duration_s > longest:
        return Surveyed(
            path,
            reason=_too_slow(asked.duration_s),
        )
    return Surveyed(path, survey_script(runner, path))


def _no_survey(asked: Execution) -> str:
    last = asked.output.rstrip().rpartition("\n")[2]
    return f"it could not be run ({_ending(asked)}): {last[:200]}".removesuffix(": ")


def _unfit(survey: Survey, longest: float) -> str:
    """Why a file cannot vote; "" if it can."""
    if survey.cpu_s > longest:
        return _too_slow(survey.cpu_s)
    if survey.failed is None:
        return f"{survey.failing} of its tests fail before the edit"
    if not survey.passed:
        failing = f", {survey.failing} fail" if survey.failing else ""
        return f"no test in it passes before the edit{failing}"
    return ""


def _too_slow(seconds: float) -> str:
    return f"it takes {seconds:.0f} s, longer than selection.regression_seconds"


def _ending(asked: Execution) -> str:
    if asked.ending is Ending.EXITED:
        return f"exit code {asked.exit_code}"
    return asked.ending.value.replace("_", " ")
