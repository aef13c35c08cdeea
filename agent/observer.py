"""What progress displays are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from agent.journal import Kind, TrajectoryId
    from agent.model import Response
    from sandbox.protocol import Execution


class Observer(Protocol):
    """Told what happens in one instance, for people to watch. Must not fail or block."""

    def stage(self, kind: Kind, total: int) -> None:
        """A stage begins that has `total` steps."""

    def step(self, kind: Kind) -> None:
        """One step of the stage is done."""

    def sample(self, number: int, state: str) -> None:
        """A sample came to a new state, for example "testing 2"."""

    def call(self, response: Response, cost_usd: float | None) -> None:
        """The server answered a call, which cost so many US dollars (None: unknown)."""

    def recalled(self) -> None:
        """A turn was answered from the journal, not by the server."""

    def execution(self, execution: Execution, *, recalled: bool) -> None:
        """A script was run, or recalled from the journal."""

    def saw(self, trajectory: TrajectoryId, purpose: str, execution: Execution) -> None:
        """A trajectory was given the result of an execution."""


class Unobserved:
    """`Observer` where nobody watches."""

    def stage(self, kind: Kind, total: int) -> None:
        """See `Observer`."""

    def step(self, kind: Kind) -> None:
        """See `Observer`."""

    def sample(self, number: int, state: str) -> None:
        """See `Observer`."""

    def call(self, response: Response, cost_usd: float | None) -> None:
        """See `Observer`."""

    def recalled(self) -> None:
        """See `Observer`."""

    def execution(self, execution: Execution, *, recalled: bool) -> None:
        """See `Observer`."""

    def saw(self, trajectory: TrajectoryId, purpose: str, execution: Execution) -> None:
        """See `Observer`."""
