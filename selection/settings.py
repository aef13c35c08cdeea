"""What can be set about selection. The defaults are CodeMonkeys' (arXiv 2501.14723, 3.3)."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from data.bounds import (
    STRICT,
    Count,
    CountOrZero,
    OneOf,
    Rule,
    SecondsOrZero,
    Size,
    Temperature,
)

PLACEHOLDER = "{files}"
"""Stands for the test file in a command that a person gives."""

VoteRule = Literal["regression", "regression-first", "discriminating", "paper"]


def selectors() -> tuple[str, ...]:
    """The names of all ways to choose a candidate."""
    from selection.selectors import SELECTORS

    return tuple(SELECTORS)


Command = Annotated[
    str,
    Rule(
        lambda command: not command or PLACEHOLDER in command,
        f"with {PLACEHOLDER} where the test file goes, as in: pytest {PLACEHOLDER}",
    ),
]


@dataclass(frozen=True, slots=True)
class SelectionSettings:
    """How one candidate is chosen."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    selector: Annotated[str, OneOf(selectors)] = "selection"
    """What makes the choice. "selection": a trajectory that writes and runs tests of its own.
    "model": a judge that reads the diffs. The others ask no model: `troop select --help`."""
    votes: VoteRule = "regression"
    """Which tests vote on who the finalists are. "regression": generated tests that do not pass
    before the edit, and repository tests. "regression-first": the same, but fewer broken
    repository tests come before more votes. "discriminating": only generated tests that do
    not pass before the edit. "paper": all generated tests."""
    regression_files: CountOrZero = 4
    """How many of the repository's own test files vote: those nearest to the edits. 0: none."""
    regression_seconds: SecondsOrZero = 20.0
    """A repository test file that takes longer than this before the edit has no vote. It is
    measured in seconds of processor time, or of wall-clock time where it is run by a command.
    0: no file has a vote."""
    regression_command: Command = ""
    """The command that runs a repository test file, for example "make test FILES={files}". Exit
    code 0 is a pass. "": Troop finds out how the tests are run."""
    repeats: CountOrZero = 1
    """How many times a test that counts is run again, to see whether it is flaky: before the
    edit, and on one candidate that passed it. 0: never."""
    finalists: Count = 3
    """How many candidates the selection trajectory or the judge is shown."""
    turns: Count = 10
    """The most replies in the selection trajectory."""
    temperature: Temperature = 0.0
    """The temperature for the choice. "none": it is not sent."""
    max_tokens: Size = 4096
    """The longest reply in the selection trajectory, in tokens."""
