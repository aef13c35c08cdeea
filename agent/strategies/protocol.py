"""What a strategy is: a way to get from an issue to tests and edits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from agent.context import Context
    from agent.outcome import Outcome
    from agent.workbench import Workbench
    from data.patches.patch import Patch
    from sandbox.protocol import Script


@dataclass(frozen=True, slots=True)
class Sample:
    """What one sample made."""

    number: int
    """Counted from 1."""
    outcome: Outcome
    script: Script | None
    """Its test; None: it has none."""
    patch: Patch
    """Its edit; empty: it has none."""


class Strategy(Protocol):
    """Makes samples: independent attempts, each with a test, an edit, or both.

    Apart from its effects, a strategy is deterministic: no clock, no random numbers, no
    order that depends on timing. Every effect goes through the workbench (conversations,
    `Workbench.execute`). This is why a run can be resumed, and can be given more samples.
    """

    asks: bool
    """Whether it asks a model, in conversations that begin with the context."""

    def samples(
        self, bench: Workbench, context: Context, numbers: Sequence[int]
    ) -> AsyncGenerator[Sample]:
        """The samples with these numbers, each as it ends, in any order.

        A sample depends only on its number: the first ten of twenty are the same as
        ten. What it stores about sample n is under the trajectories "sample-n/…".

        Raises:
            ModelError, SandboxError, StoreError, Interrupted.
        """
