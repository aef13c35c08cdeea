"""What model calls used and cost, counted once each.

A call with n > 1 serves the first turn of several trajectories, and the server
says what it used as a whole. It is counted at the first of these turns and
nowhere else, so that sums are right and nothing is made up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runs.store.reading import Conversation, Row


@dataclass(frozen=True, slots=True)
class Charge:
    """Tokens and dollars of some calls; None: of at least one of them it is unknown."""

    calls: int = 0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    cost_usd: float | None = None


class Charges:
    """Which call is counted at which turn of an instance."""

    def __init__(self, talks: Iterable[Conversation]) -> None:
        self._leaders: dict[int, tuple[str, int]] = {}
        for talk in talks:
            for turn in talk.turns:
                self._leaders.setdefault(turn.row["call"], _place(turn.row))

    def leader(self, row: Row) -> str:
        """The trajectory at which a turn's call is counted."""
        return self._leaders[row["call"]][0]

    def counts(self, row: Row) -> bool:
        """Whether a turn's call is counted at this turn."""
        return self._leaders[row["call"]] == _place(row)

    def total(self, talks: Iterable[Conversation]) -> Charge:
        """Add up the calls that are counted in these trajectories."""
        rows = [turn.row for talk in talks for turn in talk.turns if self.counts(turn.row)]
        return Charge(
            calls=len(rows),
            prompt_tokens=_whole(rows, "prompt_tokens"),
            completion_tokens=_whole(rows, "completion_tokens"),
            cached_tokens=_whole(rows, "cached_tokens"),
            cost_usd=_sum([cost(row) for row in rows]),
        )


def cost(row: Row) -> float | None:
    """What a turn's call cost in US dollars; None: unknown, or it was replayed.

    The store prices a replayed call as if it had been made, which it was not.
    """
    return None if row["replayed"] else row["cost_usd"]


def _place(row: Row) -> tuple[str, int]:
    return row["trajectory"], row["turn"]


def _sum(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None


def _whole(rows: list[Row], column: str) -> int | None:
    found = _sum([row[column] for row in rows])
    return None if found is None else int(found)
