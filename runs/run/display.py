"""The protocol by which a run is shown to people; `runs.show.live` implements it for terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

from agent.observer import Unobserved

if TYPE_CHECKING:
    from types import TracebackType

    from agent.observer import Observer
    from runs.store.registry import Status


class Display(Protocol):
    """Shows what happens. Its methods must not fail or block."""

    title: str

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def enter(self, instance_id: str, status: Status) -> None:
        """The run has this instance. An earlier command may have brought it to its end."""

    def opening(self, instance_id: str, waits_for: str) -> None:
        """What an instance waits for before work begins; "": it no longer waits."""

    def observer(self, instance_id: str, samples: int) -> Observer:
        """Work on an instance begins. Gives the observer of its effects."""

    def ended(self, instance_id: str, status: Status, error: str) -> None:
        """An instance has come to its end."""

    def note(self, message: str) -> None:
        """Show something that a person should know."""

    def retrying(self, reason: str, wait_s: float) -> None:
        """The model server did not answer; the call is tried again after `wait_s` seconds."""

    def stopping(self, waits_for: str) -> None:
        """What a requested stop waits for; it replaces what was shown before.

        "": it no longer waits. This may be called every second: a display that prints lines shows
        one in ten.
        """


class Quiet:
    """A `Display` that shows nothing. Override the methods that you need."""

    title = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def enter(self, instance_id: str, status: Status) -> None:
        """See `Display`."""

    def opening(self, instance_id: str, waits_for: str) -> None:
        """See `Display`."""

    def observer(self, instance_id: str, samples: int) -> Observer:  # noqa: ARG002 - no use for it
        """See `Display`."""
        return Unobserved()

    def ended(self, instance_id: str, status: Status, error: str) -> None:
        """See `Display`."""

    def note(self, message: str) -> None:
        """See `Display`."""

    def retrying(self, reason: str, wait_s: float) -> None:
        """See `Display`."""

    def stopping(self, waits_for: str) -> None:
        """See `Display`."""
