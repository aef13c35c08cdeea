"""What a selector is: a way to choose one candidate of a race."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from agent.workbench import Workbench
    from selection.candidates import Candidate
    from selection.race import Race
    from selection.settings import SelectionSettings


class Reason(enum.StrEnum):
    """What decided, as stored."""

    ONLY_CANDIDATE = "only_candidate"
    VOTE = "vote"
    """The votes, or another rule that asks no model."""
    SELECTION = "selection"
    """A model chose it."""
    FALLBACK = "fallback"
    """A model was asked and gave no usable answer: the vote's order decided."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """What a selector makes of a race."""

    candidates: tuple[Candidate, ...]
    """Best first; the first is the choice."""
    reason: str
    """Why the first is first, for people; "": there is no candidate."""
    decided_by: Reason = Reason.VOTE

    @property
    def choice(self) -> Candidate | None:
        """The chosen candidate; None: there was none."""
        return self.candidates[0] if self.candidates else None


class Needs(enum.IntEnum):
    """What a selector needs besides the race."""

    NOTHING = 0
    MODEL = 1
    SANDBOX = 2
    """A model, and a sandbox for the scripts that it writes."""


@dataclass(frozen=True, slots=True)
class SelectorContext:
    """What every selector is made with."""

    settings: SelectionSettings
    model: str = ""
    """The model's name, for selectors that ask one."""
    seed: int = 0
    """For selectors that choose at random."""
    anew: bool = False
    """Whether a stored race is chosen from again. Conversations are then named after all that their
    answers depend on, so that each is asked only once."""


class Selector(Protocol):
    """Ranks the candidates of a race. It never sees a grade."""

    needs: Needs

    async def choose(self, race: Race, bench: Workbench) -> Ranking:
        """The ranking, with its reasons.

        It is deterministic except for its effects, which go through the workbench: a
        question that was answered before is answered from the journal.

        Raises:
            ModelError, SandboxError, StoreError, Interrupted.
            NotRecordedError: the bench only recalls, and this was never answered.
        """
