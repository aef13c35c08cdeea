"""What shows a run to people, as the run knows it; `runs.show.live` is the one for terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

from agent.observer import Unobserved

if TYPE_CHECKING:
    from types import TracebackType

    from agent.observer import Observer
    from runs.store.registry import Status


class Display(Protocol):
    """Shows what goes on. Must not fail or block."""

    title: str

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def enter(self, instance_id: str, status: Status) -> None:
        """The run holds this instance, which an earlier command may have ended."""

    def opening(self, instance_id: str, waits_for: str) -> None:
        """What an instance waits for before work begins; "": nothing any more."""

    def observer(self, instance_id: str, samples: int) -> Observer:
        """Work on an instance begins; what its effects are told to."""

    def ended(self, instance_id: str, status: Status, error: str) -> None:
        """An instance came to its end."""

    def note(self, message: str) -> None:
        """Something a person should know."""

    def retrying(self, reason: str, wait_s: float) -> None:
        """The model server did not answer; the call is tried again after `wait_s` seconds."""

    def stopping(self, waits_for: str) -> None:
        """A stop was asked for, and this is what it waits for; each takes the place of the last.

        "": nothing any more. It may be said every second: where lines are printed, one in ten is.
        """


class Quiet:
    """`Display` that shows nothing. To be told something, override it."""

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
