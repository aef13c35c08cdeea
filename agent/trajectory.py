"""A trajectory: the one loop that reads a model's reply, acts on it, and answers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Generic, Never, Protocol, TypeVar

from agent.model import ContextExceeded, RequestRejected
from agent.outcome import Outcome
from agent.phrases import replies_left
from agent.prompting import render
from agent.replies import Unreadable
from agent.unforeseen import FORESEEN, named, trace_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.conversation import Conversation, SharedFirstTurn
    from agent.model import Choice

_LOGGER = logging.getLogger(__name__)
T = TypeVar("T")
Step = TypeVar("Step")


class Task(Protocol[Step]):
    """The part that differs between trajectories; the loop around it is `converse`.

    It keeps its results as it goes, so that a trajectory that is cut short does not lose them.
    """

    reminder: str
    """The format of a reply, shown to the model if one could not be read."""

    def opening(self) -> str:
        """The first prompt."""

    async def read(self, choice: Choice) -> Step | None:
        """What a reply asks for; None: the trajectory is done.

        Raises:
            Unreadable: it cannot be read, or makes no sense at this point.
        """

    async def act(self, talk: Conversation, step: Step, left: int) -> str:
        """Do what the reply asks for. Returns the next prompt; `left` replies are left after it."""

    def out_of_turns(self) -> Outcome:
        """How it ends when its replies are used up."""


async def converse(
    talk: Conversation, task: Task[Step], *, turns: int, first: SharedFirstTurn | None = None
) -> Outcome:
    """Run a trajectory to its end, and store how it ended.

    An error that nobody foresaw ends the trajectory, and nothing else.

    Args:
        talk: its conversation.
        task: what the trajectory does.
        turns: how many replies there may be, at least 1.
        first: gives the first reply, if several trajectories share that request.

    Raises:
        ModelError, SandboxError, StoreError, Interrupted.
    """
    trace = ""
    try:
        outcome = await _take_turns(talk, task, turns, first)
    except ContextExceeded:
        outcome = Outcome.CONTEXT_EXCEEDED
    except RequestRejected as error:
        _LOGGER.warning("The server refuses requests: %s", error)
        outcome = Outcome.REJECTED
    except FORESEEN:
        raise
    except Exception as error:  # noqa: BLE001 - whatever one reply leads to, the others go on
        _LOGGER.warning("An unexpected error ended %s: %s", talk.key, named(error))
        outcome, trace = Outcome.FAILED, trace_of(error)
    await talk.end(outcome, trace)
    return outcome


async def _take_turns(
    talk: Conversation, task: Task[Step], turns: int, first: SharedFirstTurn | None
) -> Outcome:
    reply = await (first.reply(talk) if first else talk.ask(task.opening()))
    for left in reversed(range(turns)):
        try:
            step = await task.read(reply.choice)
        except Unreadable as error:
            prompt = _again(error, task.reminder, left)
        else:
            if step is None:
                return Outcome.DONE
            prompt = await task.act(talk, step, left)
        if left:
            reply = await talk.ask(prompt)
    return task.out_of_turns()


def _again(error: Unreadable, reminder: str, left: int) -> str:
    values = {"reason": str(error), "reminder": reminder}
    return render(error.prompt, replies_left=replies_left(left), **values)


class Answer(Generic[T]):
    """A task that ends with the first reply that can be read: a verdict, a ranking, a choice."""

    def __init__(
        self,
        prompt: str,
        reminder: str,
        read: Callable[[Choice], T],
        *,
        out_of_turns: Outcome = Outcome.UNREADABLE,
    ) -> None:
        self.reminder = reminder
        self.value: T | None = None
        """The answer; None: there is none yet."""
        self._prompt = prompt
        self._read = read
        self._out_of_turns = out_of_turns

    def opening(self) -> str:
        """See `Task`."""
        return self._prompt

    async def read(self, choice: Choice) -> None:
        """See `Task`."""
        self.value = self._read(choice)

    async def act(self, talk: Conversation, step: Never, left: int) -> str:
        """See `Task`: there are no steps."""
        raise AssertionError(talk.key, step, left)

    def out_of_turns(self) -> Outcome:
        """See `Task`."""
        return self._out_of_turns
