"""Asks a stored run's open questions: journaled as trajectories of its instances, resumable."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from agent.context import ContextReader
from agent.conversation import Conversation
from agent.prompting import render
from agent.slots import together
from data.errors import SandboxError, TroopError, UsageError
from data.instances.instance import Environment, Instance
from data.patches.applying import apply_diff
from runs.compare.questions import MODEL, SELECTION
from runs.run.config import Config, load_config
from runs.run.session import alive, me, open_client
from runs.run.warnings import warnings_to
from runs.run.workshop import Workshop
from runs.show.live import Display
from runs.store.registry import Status
from runs.store.store import Store
from selection.judge import TURNS, judge
from selection.selector import decide
from selection.settings import SelectionSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from agent.workbench import Workbench
    from data.codebases.codebase import Codebase
    from runs.compare.questions import Question
    from runs.store.reading import Reader
    from runs.store.records import InstanceRecord, RunRecord
    from runs.store.registry import InstanceHandle, RunHandle
    from sandbox.protocol import SandboxProvider
    from selection.votes import Standing

_NOT_SETTINGS = ("replay", "sandbox", "candidates", "tests")
"""What a stored configuration holds beside settings."""


def stored_config(run: RunRecord, file: Path | None, overrides: Mapping[str, object]) -> Config:
    """The configuration of a stored run, with a file of settings and some others over it.

    A run that left its choice to the votes gets the usual number of turns.

    Raises:
        UsageError: a setting is unknown or has the wrong type.
    """
    stored = {k: v for k, v in run.config.items() if k not in _NOT_SETTINGS}
    if not stored.get("selection.turns"):
        stored["selection.turns"] = SelectionSettings().turns
    fixed = {"engine.sandbox": run.sandbox, "samples.count": 0}
    return load_config(file, {**overrides, **fixed}, beneath=stored)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What is to be asked, and of whom."""

    database: str
    """A SQLAlchemy URL."""
    run: RunRecord
    config: Config
    questions: Sequence[Question]
    dataset: str = ""
    """Where the instances are, when another place than the run has stored."""
    split: str | None = None


class Asker:
    """Asks the questions of one run, several instances at a time."""

    def __init__(
        self, inquiry: Inquiry, reader: Reader, store: Store, run: RunHandle, workshop: Workshop
    ) -> None:
        self._inquiry = inquiry
        self._config = inquiry.config
        self._reader = reader
        self._store = store
        self._run = run
        self._workshop = workshop
        self.errors: dict[str, TroopError] = {}
        """By instance id, for those that could not be asked."""

    async def ask_all(self, given: Mapping[str, Instance]) -> None:
        """Ask everything; `given` are the instances whose questions need a sandbox.

        Raises:
            ModelError: the model server cannot be used; what was answered is stored.
            StoreError: the database failed.
            Interrupted: a person asked to stop.
        """
        by_instance: dict[str, list[Question]] = {}
        for question in self._inquiry.questions:
            by_instance.setdefault(question.instance_id, []).append(question)
        for name in by_instance:
            self._workshop.display.enter(name, Status.WAITING)
        await together(
            *(
                self._instance(order, questions, given.get(name))
                for order, (name, questions) in enumerate(by_instance.items())
            )
        )

    async def _instance(
        self, order: int, questions: list[Question], given: Instance | None
    ) -> None:
        name = questions[0].instance_id
        status, said = Status.FINISHED, ""
        try:
            async with self._workshop.instances.hold(order):
                row = await self._store.find(self._run, name)
                await self._ask(order, row, questions, given)
        except (SandboxError, UsageError) as error:
            self.errors[name] = error
            status, said = Status.FAILED, error.message
        self._workshop.display.ended(name, status, said)

    async def _ask(
        self, order: int, row: InstanceHandle, questions: list[Question], given: Instance | None
    ) -> None:
        prefix = self._reader.story(questions[0].instance).context
        if given is None:
            about = _bare(self._reader, questions[0].instance)
            bench = self._workshop.bare_bench(order, about, row)
            await together(*(self._one(bench, prefix, question) for question in questions))
            return
        await self._store.find(self._run, row.instance_id, given)  # refuses another issue or commit
        async with self._workshop.bench(order, self._run.name, given, row) as bench:
            if not prefix:
                reader = ContextReader(bench, self._config.context, self._config.model.name)
                prefix = (await reader.gather()).text
            if any(question.method == SELECTION for question in questions):
                await bench.try_sandbox()
            await together(*(self._one(bench, prefix, question) for question in questions))

    async def _one(self, bench: Workbench, prefix: str, question: Question) -> None:
        settings = self._config.selection
        talk = Conversation(
            bench,
            question.trajectory,
            model=self._config.model.name,
            temperature=settings.temperature,
            max_tokens=settings.max_tokens,
            system=render("system"),
            prefix=prefix,
        )
        if question.method == MODEL:
            bench.observer.stage(question.trajectory.kind, TURNS)
            await talk.end(await judge(talk, question.options))
            return
        bench.observer.stage(question.trajectory.kind, settings.turns)
        finalists = await asyncio.to_thread(_with_files, question.finalists, bench.codebase)
        decision = await decide(
            talk, question.matrix, finalists, turns=settings.turns, limits=self._config.limits
        )
        await talk.end(decision.outcome)


async def inquire(
    inquiry: Inquiry, reader: Reader, console: Console, provider: SandboxProvider | None = None
) -> dict[str, TroopError]:
    """Ask what is asked for; the errors by instance. Answers are in the database.

    Raises:
        ModelError: the model server cannot be used; what was answered is stored.
        SandboxError: there is no engine.
        StoreError: the database failed, or another process drives the run.
        UsageError: the instances cannot be found.
        Interrupted, asyncio.CancelledError: a person stopped it.
    """
    async with AsyncExitStack() as stack:
        store = stack.enter_context(Store(inquiry.database))
        run = await store.claim(inquiry.run.name, me(), alive)
        given = await asyncio.to_thread(_needing_sandbox, inquiry, reader)
        display, stop = Display(console), asyncio.Event()
        display.title = f"{run.name} asked again ({inquiry.config.model.name})"
        client = open_client(inquiry.config.model, display, stop)
        stack.push_async_callback(client.close)
        await client.check(inquiry.config.model.name)
        if given:
            provider = await _entered(stack, inquiry.config, provider)
            display.note(f"scripts run in: {provider.describe()}")
            provider.expect(list(given.values()))
        workshop = Workshop(
            store, inquiry.config, client=client, provider=provider, display=display, stop=stop
        )
        asker = Asker(inquiry, reader, store, run, workshop)
        stack.enter_context(display)
        stack.enter_context(warnings_to(display.note))
        with workshop.interruptible():
            await asker.ask_all(given)
    return asker.errors


async def _entered(
    stack: AsyncExitStack, config: Config, provider: SandboxProvider | None
) -> SandboxProvider:
    if provider is None:
        from sandbox.choose import choose_provider

        provider = await choose_provider(config.engine.sandbox, config.images)
    await stack.enter_async_context(provider)
    return provider


def _needing_sandbox(inquiry: Inquiry, reader: Reader) -> dict[str, Instance]:
    """The instances where scripts will run, or whose files nobody has read yet."""
    needing = {
        question.instance_id: question.instance
        for question in inquiry.questions
        if question.method == SELECTION or not reader.story(question.instance).context
    }
    if not needing:
        return {}
    dataset = inquiry.dataset or inquiry.run.dataset
    if Path(dataset).is_dir():
        return {name: _own(reader, one, Path(dataset)) for name, one in needing.items()}
    from data.instances.loaders import load_instances, pick_instances

    loaded = load_instances(dataset, split=inquiry.split)
    return {one.instance_id: one for one in pick_instances(loaded, list(needing))}


def _own(reader: Reader, instance: InstanceRecord, repository: Path) -> Instance:
    """An instance of a person's own repository, as a run without further settings made it."""
    from data.instances.repository import own_repository

    return own_repository(repository, reader.text(instance.issue), image=instance.image or None)


def _bare(reader: Reader, instance: InstanceRecord) -> Instance:
    """What a conversation says of its instance: where its code lies does not matter to it."""
    return Instance(
        instance.instance_id,
        instance.repo,
        instance.base_commit,
        reader.text(instance.issue),
        Environment(image=instance.image or None),
    )


def _with_files(finalists: Sequence[Standing], codebase: Codebase) -> list[Standing]:
    """The finalists with patches that can be executed; what is stored of them are diffs.

    Raises:
        UsageError: one does not apply, which is to say that the codebase is another.
    """
    return [
        replace(
            standing,
            candidate=replace(
                standing.candidate,
                patch=apply_diff(standing.candidate.patch.diff, codebase).patch,
            ),
        )
        for standing in finalists
    ]
