"""The samples of an instance: each a testing and then an editing trajectory."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.conversation import Conversation, SharedFirstTurn
from agent.editing import Attempt, write_edit
from agent.journal import Kind, TrajectoryId
from agent.model import ContextExceeded, RequestRejected
from agent.prompting import render
from agent.slots import together
from agent.testing import Draft, opening, write_test
from data.patches.patch import UNEDITED, Patch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent.context import Context
    from agent.settings import ModelSettings, SampleSettings
    from agent.workbench import Workbench
    from sandbox.protocol import Limits, Script


class Outcome(enum.StrEnum):
    """How a trajectory or a sample ended."""

    DONE = "done"
    """The model said that it was right."""
    OUT_OF_TURNS = "out_of_turns"
    """Its last edit is a candidate all the same."""
    NO_EDIT = "no_edit"
    """It never wrote an edit that could be applied."""
    CONTEXT_EXCEEDED = "context_exceeded"
    """The conversation no longer fit the model."""
    REJECTED = "rejected"
    """The server refused a request."""


@dataclass(frozen=True, slots=True)
class SampleResult:
    """What one sample came to."""

    number: int
    """Counted from 1."""
    outcome: Outcome
    script: Script | None
    patch: Patch


class Sampler:
    """Runs the samples of one instance."""

    def __init__(
        self,
        bench: Workbench,
        context: Context,
        *,
        model: ModelSettings,
        settings: SampleSettings,
        limits: Limits,
    ) -> None:
        self._bench = bench
        self._context = context
        self._model = model
        self._settings = settings
        self._limits = limits

    async def run(self, on_done: Callable[[SampleResult], Awaitable[None]]) -> list[SampleResult]:
        """All samples at once; each awaits `on_done` as it ends, without holding up the others.

        Raises:
            ModelError, SandboxError, Interrupted.
        """
        talks = [self._talk(Kind.TESTING, n) for n in range(1, self._settings.count + 1)]
        if self._settings.strategy == "none":
            return []
        prompt = opening(self._bench, self._limits)
        first = SharedFirstTurn(talks, prompt, self._model.samples_per_call)

        async def one(talk: Conversation) -> SampleResult:
            result = await self._sample(talk, first)
            self._bench.observer.sample(result.number, result.outcome)
            await on_done(result)
            return result

        _, *results = await together(first.ask_all(), *(one(talk) for talk in talks))
        return [result for result in results if result is not None]

    async def _sample(self, talk: Conversation, first: SharedFirstTurn) -> SampleResult:
        number = talk.id.sample or 0
        draft, ending = await self._write_test(talk, first)
        await talk.end(ending)
        if ending in {Outcome.CONTEXT_EXCEEDED, Outcome.REJECTED} and draft.script is None:
            return SampleResult(number, ending, None, UNEDITED)
        if self._settings.strategy == "tests-only":
            return SampleResult(number, ending, draft.script, UNEDITED)
        talk = self._talk(Kind.EDITING, number)
        attempt, ending = await self._write_edit(talk, draft)
        await talk.end(ending)
        return SampleResult(number, ending, attempt.script, attempt.patch)

    async def _write_test(
        self, talk: Conversation, first: SharedFirstTurn
    ) -> tuple[Draft, Outcome]:
        draft = Draft()
        try:
            reply = await first.reply(talk)
            await write_test(talk, reply, draft, turns=self._settings.testing_turns)
        except ContextExceeded:
            return draft, Outcome.CONTEXT_EXCEEDED
        except RequestRejected:
            return draft, Outcome.REJECTED
        return draft, Outcome.DONE if draft.finished else Outcome.OUT_OF_TURNS

    async def _write_edit(self, talk: Conversation, draft: Draft) -> tuple[Attempt, Outcome]:
        attempt = Attempt(draft.script)
        turns = self._settings.editing_turns
        try:
            await write_edit(talk, draft, attempt, turns=turns, limits=self._limits)
        except ContextExceeded:
            return attempt, Outcome.CONTEXT_EXCEEDED
        except RequestRejected:
            return attempt, Outcome.REJECTED
        if not attempt.patch:
            return attempt, Outcome.NO_EDIT
        return attempt, Outcome.DONE if attempt.finished else Outcome.OUT_OF_TURNS

    def _talk(self, kind: Kind, number: int) -> Conversation:
        settings = self._settings
        testing = kind is Kind.TESTING
        return Conversation(
            self._bench,
            TrajectoryId(f"sample-{number}/{kind}", kind, number),
            model=self._model.name,
            temperature=settings.temperature,
            max_tokens=settings.testing_max_tokens if testing else settings.editing_max_tokens,
            system=render("system"),
            prefix=self._context.text,
        )
