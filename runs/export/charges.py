"""What model calls used and cost, counted once each.

A call with n > 1 serves the first turn of several trajectories, and the server
gives its usage only as a whole. It is counted at the first of these turns and
nowhere else, so that sums are right and nothing is invented.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runs.store.conversations import StoredConversation
    from runs.store.records import CallRecord, TurnRecord

T = TypeVar("T", int, float)


@dataclass(frozen=True, slots=True)
class Charge:
    """Tokens and dollars of some calls; None: unknown for at least one of them."""

    calls: int
    prompt_tokens: int | None
    completion_tokens: int | None
    cached_tokens: int | None
    cost_usd: float | None


class Charges:
    """At which turn of an instance each call is counted."""

    def __init__(self, talks: Iterable[StoredConversation]) -> None:
        self._leaders: dict[int, TurnRecord] = {}
        for talk in talks:
            for turn in talk.turns:
                self._leaders.setdefault(turn.record.call.number, turn.record)

    def leader(self, turn: TurnRecord) -> str:
        """The trajectory at which a turn's call is counted."""
        return self._leaders[turn.call.number].trajectory

    def counts(self, turn: TurnRecord) -> bool:
        """Whether the turn's call is counted at this turn."""
        return self._leaders[turn.call.number] == turn

    def total(self, talks: Iterable[StoredConversation]) -> Charge:
        """Add up the calls that are counted in these trajectories."""
        turns = (turn.record for talk in talks for turn in talk.turns)
        calls = [turn.call for turn in turns if self.counts(turn)]
        return Charge(
            calls=len(calls),
            prompt_tokens=_sum([call.prompt_tokens for call in calls]),
            completion_tokens=_sum([call.completion_tokens for call in calls]),
            cached_tokens=_sum([call.cached_tokens for call in calls]),
            cost_usd=_sum([cost(call) for call in calls]),
        )


def cost(call: CallRecord) -> float | None:
    """What a call cost in US dollars; None: unknown, or it was replayed.

    The store prices a replayed call as if it had been made, which it was not.
    """
    return None if call.replayed else call.cost_usd


def _sum(values: Sequence[T | None]) -> T | None:
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None
