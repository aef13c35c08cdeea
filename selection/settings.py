"""What can be set about selection. The defaults are CodeMonkeys' (arXiv 2501.14723, 3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from agent.settings import STRICT

VoteRule = Literal["discriminating", "paper"]


@dataclass(frozen=True, slots=True)
class SelectionSettings:
    """How one candidate is chosen."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    votes: VoteRule = "discriminating"
    """"discriminating": only tests that do not pass before the edit count; "paper": all do."""
    finalists: int = 3
    """Candidates that the selection trajectory chooses between."""
    turns: int = 10
    """Replies of the selection trajectory; 0: the vote's order decides."""
    temperature: float | None = 0.0
    max_tokens: int = 4096
