"""How far samples are, and how they ended, in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent.journal import Kind
    from sandbox.protocol import Execution


@dataclass(slots=True)
class SampleProgress:
    """How far one sample is."""

    number: int
    kind: Kind | None = None
    """The trajectory that it is in; None: it has not begun."""
    turn: int = 0
    endings: dict[Kind, Outcome] = field(default_factory=dict)
    """How its trajectories ended."""
    outcome: Outcome | None = None
    """How the sample itself ended."""
    seen: dict[str, Execution] = field(default_factory=dict)
    """The latest execution by purpose."""
    begun: set[Kind] = field(default_factory=set)
    """Trajectories whose beginning was reported."""

    @property
    def mark(self) -> Outcome | None:
        """The outcome that its mark shows: "done" only if all of its trajectories were done."""
        others = (ending for ending in self.endings.values() if ending is not Outcome.DONE)
        return next(others, Outcome.DONE) if self.outcome is Outcome.DONE else self.outcome

    @property
    def words(self) -> str:
        """For example "editing, turn 3" or "done, but testing out of turns"."""
        if self.outcome is None:
            return f"{self.kind}, turn {self.turn}" if self.kind else "waiting"
        but = [
            f"{kind} {plainly(ending)}"
            for kind, ending in self.endings.items()
            if self.outcome is Outcome.DONE and ending is not Outcome.DONE
        ]
        return ", but ".join([plainly(self.outcome), *but])


def plainly(outcome: Outcome) -> str:
    """For example "out of turns"."""
    return outcome.value.replace("_", " ")


def endings(samples: Iterable[SampleProgress]) -> str:
    """How samples ended, counted: "8 done, 2 out of turns"."""
    counted = Counter(sample.words for sample in samples if sample.outcome)
    return ", ".join(f"{count} {words}" for words, count in counted.most_common())
