"""What can be set about selection. The defaults are CodeMonkeys' (arXiv 2501.14723, 3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from agent.settings import STRICT

VoteRule = Literal["regression", "regression-first", "discriminating", "paper"]


@dataclass(frozen=True, slots=True)
class SelectionSettings:
    """How one candidate is chosen."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    selector: str = "selection"
    """Who chooses: any of the names of `troop select --help`."""
    votes: VoteRule = "regression"
    """"regression": tests that do not pass before the edit count, and nearby test files of the
    repository's own that still pass; "regression-first": who breaks least of these goes first;
    "discriminating": without them; "paper": all the samples' tests count."""
    regression_files: int = 4
    """Test files of the repository's own near the edits that vote; 0: none."""
    regression_seconds: float = 20.0
    """A test file that takes longer than this on the unedited code has no vote: processor time,
    or wall-clock time where a command runs it."""
    regression_command: str = ""
    """How test files are run, say "make test FILES={files}": 0 is a pass; "": found out."""
    repeats: int = 1
    """Times that each test is run again to see whether it is flaky, on the unedited code and on
    a candidate that it passed; 0: never."""
    finalists: int = 3
    """Candidates that the selection trajectory chooses between."""
    turns: int = 10
    """Replies of the selection trajectory."""
    temperature: float | None = 0.0
    max_tokens: int = 4096
