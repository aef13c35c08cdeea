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
"""Stands for the test file in a person's own command."""

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
    """What chooses between the finalists. "selection": a trajectory that writes tests of its own;
    "model": one that reads the diffs; the others ask no model (`troop select --help`)."""
    votes: VoteRule = "regression"
    """Who the finalists are. "regression": tests that do not pass before the edit count, and
    nearby test files of the repository's own that still pass; "regression-first": who breaks
    least of these goes first; "discriminating": without them; "paper": all the samples' tests
    count."""
    regression_files: CountOrZero = 4
    """Test files of the repository's own near the edits that vote; 0: none."""
    regression_seconds: SecondsOrZero = 20.0
    """A test file that takes longer than this on the unedited code has no vote: processor time,
    or wall-clock time where a command runs it; 0: none has."""
    regression_command: Command = ""
    """How test files are run, say "make test FILES={files}": 0 is a pass; "": found out."""
    repeats: CountOrZero = 1
    """Times that each test is run again to see whether it is flaky, on the unedited code and on
    a candidate that it passed; 0: never."""
    finalists: Count = 3
    """Candidates that are chosen between."""
    turns: Count = 10
    """Replies of the selection trajectory."""
    temperature: Temperature = 0.0
    """For choosing; "none": not sent."""
    max_tokens: Size = 4096
    """Completion tokens of one reply of the selection trajectory."""
