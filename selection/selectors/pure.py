"""Selectors that ask no model: pure functions over the matrix of a race."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from selection.selectors.protocol import Needs, Ranking, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.workbench import Workbench
    from selection.candidates import Candidate
    from selection.matrix import Matrix
    from selection.race import Race


class Pure:
    """A `Selector` made from a function over the matrix; flagged candidates come last."""

    needs = Needs.NOTHING

    def __init__(self, rank: Callable[[Matrix], Ranking]) -> None:
        self.rank = rank

    async def choose(self, race: Race, bench: Workbench) -> Ranking:  # noqa: ARG002
        """See `Selector`."""
        heard, flagged = (await race.matrix()).heeding()
        if not flagged.candidates:
            return self.rank(heard)
        if not heard.candidates:
            return self.rank(flagged)
        first = self.rank(heard)
        return replace(first, candidates=(*first.candidates, *self.rank(flagged).candidates))


def writers(*candidates: Candidate) -> str:
    """How many wrote these candidates, for people: "3 samples and 1 system"."""
    samples = sum(len(c.samples) for c in candidates)
    systems = sum(len(c.sources) for c in candidates)
    counts = ((samples, "sample"), (systems, "system"))
    said = [f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in counts if count]
    return " and ".join(said) or "nobody"


def ranking(ordered: Sequence[Candidate], reason: str) -> Ranking:
    """The ranking of candidates in this order; `reason` says why the first is first."""
    if not ordered:
        return Ranking((), "")
    only = len(ordered) == 1
    return Ranking(tuple(ordered), reason, Reason.ONLY_CANDIDATE if only else Reason.VOTE)
