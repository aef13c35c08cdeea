"""When a patch resolves an instance: the rule of the SWE-bench harness 5 (`harness/grading.py`).

Every test of FAIL_TO_PASS passes and every test of PASS_TO_PASS passes or is
skipped. A test that the log does not mention has failed; one that fails as
expected (xfail) has passed. Harness 4 differs in three points: a skipped test
does not count, shortened names are not completed, and the exit code of the
test command is ignored.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runs.grading.nouns import Counts
from runs.grading.parsers import ERROR, FAILED, PARSERS, PASSED, SKIPPED, XFAIL
from runs.grading.signs import why_unproven

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.instances.grading import GradingSpec
    from runs.grading.parsers import Statuses

BEGIN = ">>>>> Start Test Output"
END = ">>>>> End Test Output"
EXIT_CODE = ">>>>> Test Exit Code"
APPLY_FAILED = ">>>>> Patch Apply Failed"
_BAD = (APPLY_FAILED, ">>>>> Reset Failed", ">>>>> Tests Errored", ">>>>> Tests Timed Out")


@dataclass(frozen=True, slots=True)
class Resolution:
    """The result of a log."""

    resolved: bool
    why: str = ""
    """What is wrong with the log as a whole; "" if it was read."""
    tests: dict[str, dict[str, list[str]]] | None = None
    """List -> "success" and "failure" -> tests; None if the log was not read."""

    def counts(self, name: str) -> Counts | None:
        """The counts of FAIL_TO_PASS or PASS_TO_PASS; None if no test was counted."""
        if self.tests is None:
            return None
        return Counts(len(self.tests[name]["success"]), len(self.tests[name]["failure"]))

    def report(self) -> str:
        """The resolution as JSON, in the form of the harness's reports."""
        whole = {"resolved": self.resolved, "why": self.why, "tests_status": self.tests}
        return json.dumps(whole, indent=2)


@dataclass(frozen=True, slots=True)
class RunnerOutput:
    """What the test command printed."""

    output: str
    code: int | None = None
    """Its exit code; None: unknown."""
    command: str = ""
    """The lines that ran it; "": unknown."""


def resolution(spec: GradingSpec, log: str, run: RunnerOutput | None) -> Resolution:
    """Read the log of an evaluation script.

    `run`: what the test command printed; None: it was not begun, or did not end.

    Raises:
        KeyError: there is no parser with the name that `spec` gives.
    """
    bad = next((sign for sign in _BAD if sign in log), "")
    if bad:
        return Resolution(resolved=False, why=f'the log says "{bad}"')
    if run is None:
        return Resolution(resolved=False, why="the tests were not begun, or not ended")
    statuses, why = _statuses(run, spec.log_parser)
    if why:
        return Resolution(resolved=False, why=why)
    lenient = spec.eval_type == "fail_only"
    tests = {
        "FAIL_TO_PASS": _sorted(spec.fail_to_pass, statuses, {PASSED, XFAIL}, lenient=lenient),
        "PASS_TO_PASS": _sorted(
            spec.pass_to_pass, statuses, {PASSED, XFAIL, SKIPPED}, lenient=lenient
        ),
    }
    if any(each["failure"] for each in tests.values()):
        return Resolution(resolved=False, tests=tests)
    why = _why_unproven(run, statuses, {*spec.fail_to_pass, *spec.pass_to_pass})
    return Resolution(not why, why, tests if not why else None)


def _statuses(run: RunnerOutput, parser: str) -> tuple[Statuses, str]:
    """Status by test, or why the output says nothing."""
    statuses = PARSERS[parser](run.output)
    if not statuses:
        return statuses, "the log names no test"
    failed = any(status in {FAILED, ERROR} for status in statuses.values())
    if run.code and not failed:
        # What a patch prints itself must not count as the runner's report.
        why = f"the tests ended with exit code {run.code}, but the log names none that failed"
        return statuses, why
    return statuses, ""


def _why_unproven(run: RunnerOutput, statuses: Statuses, wanted: set[str]) -> str:
    """Why a log in which all is well does not show that the tests ran; "" if it does."""
    known = {_known_as(test, statuses) for test in wanted}
    torn = sorted(known & statuses.torn)
    if torn:
        return f"the log says both that {torn[0]} passed and that it failed"
    passed = sum(statuses.get(test) == PASSED for test in known)
    return why_unproven(run.command, run.output, passed)


def _sorted(
    tests: Sequence[str], statuses: Statuses, good: set[str], *, lenient: bool
) -> dict[str, list[str]]:
    sides: dict[str, list[str]] = {"success": [], "failure": []}
    for test in tests:
        if lenient:
            right = statuses.get(test) != FAILED
        else:
            right = statuses.get(_known_as(test, statuses), FAILED) in good
        sides["success" if right else "failure"].append(test)
    return sides


def _known_as(test: str, statuses: Statuses) -> str:
    """The log's name of a test: some names in the datasets are cut off within the parameters.

    Such a name stands for all tests whose names begin with it, if they agree.
    """
    if test in statuses or test.count("[") <= test.count("]"):
        return test
    longer = [name for name in statuses if name.startswith(test)]
    if len({statuses[name] in {PASSED, XFAIL} for name in longer}) == 1:
        return longer[0]
    return test
