"""When a patch resolves an instance: the rule of the SWE-bench harness 5 (`harness/grading.py`).

Every test of FAIL_TO_PASS passes and every test of PASS_TO_PASS passes or is
skipped. A test that the log does not mention has failed; one that fails as
expected (xfail) has passed. Harness 4 differs in three points: a skipped test
does not count, shortened names are not completed, and the exit code of the
test command is ignored.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runs.grading.nouns import Counts
from runs.grading.parsers import ERROR, FAILED, PARSERS, PASSED, SKIPPED, XFAIL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.instances.grading import GradingSpec
    from runs.grading.parsers import Statuses

BEGIN = ">>>>> Start Test Output"
END = ">>>>> End Test Output"
EXIT_CODE = ">>>>> Test Exit Code"
APPLY_FAILED = ">>>>> Patch Apply Failed"
_BAD = (APPLY_FAILED, ">>>>> Reset Failed", ">>>>> Tests Errored", ">>>>> Tests Timed Out")
_EXIT_CODE = re.compile(rf"{re.escape(EXIT_CODE)}:\s*(-?\d+)")


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


def resolution(spec: GradingSpec, log: str) -> Resolution:
    """Read the log of an evaluation script.

    Raises:
        KeyError: there is no parser with the name that `spec` gives.
    """
    statuses, why = _statuses(log, spec.log_parser)
    if why:
        return Resolution(resolved=False, why=why)
    lenient = spec.eval_type == "fail_only"
    tests = {
        "FAIL_TO_PASS": _sorted(spec.fail_to_pass, statuses, {PASSED, XFAIL}, lenient=lenient),
        "PASS_TO_PASS": _sorted(
            spec.pass_to_pass, statuses, {PASSED, XFAIL, SKIPPED}, lenient=lenient
        ),
    }
    return Resolution(not any(each["failure"] for each in tests.values()), tests=tests)


def _statuses(log: str, parser: str) -> tuple[Statuses, str]:
    """Status by test, or why the log says nothing."""
    bad = next((sign for sign in _BAD if sign in log), "")
    if bad:
        return {}, f'the log says "{bad}"'
    if BEGIN not in log or END not in log:
        return {}, "the tests were not begun, or not ended"
    parse = PARSERS[parser]
    statuses = parse(log.split(BEGIN)[1].split(END, maxsplit=1)[0]) or parse(log)
    if not statuses:
        return {}, "the log names no test"
    code = _EXIT_CODE.search(log)
    failed = any(status in {FAILED, ERROR} for status in statuses.values())
    if code and int(code[1]) and not failed:
        # What a patch prints itself must not count as the runner's report.
        return {}, f"the tests ended with exit code {code[1]}, but the log names none that failed"
    return statuses, ""


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
