"""The scripts that run a test file: first a survey before the edit, then the vote."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.protocol import Script

if TYPE_CHECKING:
    from sandbox.protocol import Execution
    from selection.regression.runners import Runner

_BROKEN = re.compile(
    r"^(\d{1,9}) of \d{1,9} tests that passed before the edit do not pass$", re.MULTILINE
)
_COMMAND = """(
{command}
)
code=$?
case $code in
0) exit 0 ;;
126 | 127) exit 1 ;;
*) echo "exit code $code"; exit 2 ;;
esac
"""


@dataclass(frozen=True, slots=True)
class Survey:
    """What a test file says before the edit."""

    passed: int
    failing: int
    failed: tuple[str, ...] | None
    """Names of the tests that fail; None: there are too many to list."""
    cpu_s: float = 0.0
    """Processor seconds that it took, which do not depend on what else runs."""
    marks: str = ""
    """The names of the tests that pass, each as a few characters; "": there are too many."""


def survey_script(runner: Runner, path: str) -> Script:
    """The script that finds out which tests of a file pass before any edit.

    If the runner is a command, the survey is also the vote.
    """
    if runner.command:
        return Script(_COMMAND.format(command=runner.command), "sh", ".sh")
    return _inside({"runner": runner.inside, "file": path})


def vote_script(runner: Runner, path: str, survey: Survey) -> Script:
    """The script that exits with 0 if what passed in the survey still passes, else with 2."""
    if runner.command:
        return survey_script(runner, path)
    order = {
        "runner": runner.inside,
        "file": path,
        "known": list(survey.failed or ()),
        "expected": survey.passed,
        "marks": survey.marks,
    }
    return _inside(order)


def read_survey(execution: Execution) -> Survey | None:
    """What a survey's output says; None: the survey failed."""
    if not execution.passed:
        return None
    last = execution.output.rstrip().rpartition("\n")[2]
    try:
        told = json.loads(last)
        failed = told.get("failed")
        return Survey(
            int(told["passed"]),
            int(told["failing"]),
            None if failed is None else tuple(map(str, failed)),
            float(told["cpu_s"]),
            str(told.get("marks", "")),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def broken_tests(output: str) -> int | None:
    """How many tests an edit broke, as the vote printed; None: it does not say."""
    found = _BROKEN.findall(output)  # the last, because what the tests printed stands before it
    # 0 is not a count of broken tests, so whatever printed it was not our program.
    return (int(found[-1]) or None) if found else None


def _inside(order: dict[str, object]) -> Script:
    return Script(f"{_program()}\n\nmain({order!r})\n")


@functools.cache
def _program() -> str:
    return (Path(__file__).parent / "inside.py").read_text(encoding="utf-8")
