"""Lets selectors that ask a model choose from stored races. Answers go into the run's journal."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from agent.context import ContextOnce
from agent.slots import together
from data.errors import SandboxError, TroopError, UsageError
from runs.compare.recalling import whole_or_bare
from runs.run.config import Config, SandboxKind, load_config
from runs.run.session import choose, open_client, terms_of
from runs.run.shift import Shift
from runs.run.stopping import Stopping
from runs.run.workshop import Workshop
from runs.store.registry import Status
from runs.store.store import Store
from selection.race import StoredRace
from selection.selectors.protocol import Needs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agent.workbench import Workbench
    from data.instances.instance import Instance
    from runs.run.display import Display
    from runs.store.ownership import Claim
    from runs.store.reading import Reader
    from runs.store.records import InstanceRecord, RunRecord
    from runs.store.registry import RunHandle
    from runs.store.story import Story
    from sandbox.protocol import SandboxProvider
    from selection.selectors.protocol import Ranking, Selector

_LEFT_OUT = ("replay", "sandbox", "candidates", "tests", "samples.strategy", "selection.selector")
"""What a stored configuration holds beside settings, and settings that choosing again does not
use: they may have values that this version does not know."""


def stored_config(
    run: RunRecord,
    file: Path | None,
    overrides: Mapping[str, object],
    tell: Callable[[Sequence[str]], None],
) -> Config:
    """The configuration of a stored run, overridden by a file of settings and by single ones.

    Raises:
        UsageError: a setting is unknown or has the wrong type.
    """
    stored = {name: value for name, value in run.config.items() if name not in _LEFT_OUT}
    return load_config(file, overrides, beneath=stored, tell=tell)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What to ask, and about which instances."""

    database: str
    """A SQLAlchemy URL."""
    run: RunRecord
    config: Config
    selectors: Mapping[str, Selector]
    open: Mapping[InstanceRecord, Sequence[str]]
    """By instance, the selectors that should choose."""
    take_over: bool = False
    """Take over instances that others work on, at once."""
    dataset: str = ""
    """Where the instances are, if not where the run has stored."""
    split: str | None = None


@dataclass(slots=True)
class Answers:
    """The outcome of an inquiry."""

    rankings: dict[tuple[str, str], Ranking] = field(default_factory=dict)
    """By instance and selector."""
    errors: dict[str, TroopError] = field(default_factory=dict)
    """By instance id, for instances about which the model could not be asked."""


async def inquire(
    inquiry: Inquiry, reader: Reader, display: Display, provider: SandboxProvider | None = None
) -> Answers:
    """Ask the model. Answers are stored in the run.

    Raises:
        ModelError: the model server cannot be used; what was answered is stored.
        SandboxError: there is no engine.
        StoreError: the database failed, or another process works on an instance.
        UsageError: the instances cannot be found.
        Interrupted, asyncio.CancelledError: a person stopped it.
    """
    config = inquiry.config
    stopping = Stopping(config, display)
    async with AsyncExitStack() as stack:
        stack.enter_context(stopping.answering())
        store = stack.enter_context(await asyncio.to_thread(Store, inquiry.database))
        run = await store.find_run(inquiry.run.name)
        given = await asyncio.to_thread(_needing_sandbox, inquiry, reader)
        client = open_client(config.model, display, stopping.event)
        stack.push_async_callback(client.close)
        if given and provider is None:
            batch = replace(config.batch, sandbox=cast(SandboxKind, inquiry.run.sandbox))
            provider = await choose(replace(config, batch=batch))
        workshop = Workshop(
            store,
            config,
            client=client,
            provider=provider if given else None,
            display=display,
            stopping=stopping,
        )
        workshop.show(stack, f"{run.name} asked again ({config.model.name})")
        await workshop.get_ready(stack)
        if provider is not None:
            provider.expect(list(given.values()))
        worker = await store.join(run, terms_of(config, take_over=inquiry.take_over))
        shift = Shift(store, worker, workshop.instances, display, stopping.event)
        shift.status = None
        await stack.enter_async_context(shift)
        asker = _Asker(inquiry, reader, workshop, run, shift, given=given)
        with workshop.interruptible():
            await asker.ask_all()
    return asker.answers


class _Asker:
    """Lets the selectors choose, several instances at a time."""

    def __init__(
        self,
        inquiry: Inquiry,
        reader: Reader,
        workshop: Workshop,
        run: RunHandle,
        shift: Shift,
        *,
        given: Mapping[str, Instance],
    ) -> None:
        self.answers = Answers()
        self._inquiry = inquiry
        self._reader = reader
        self._workshop = workshop
        self._run = run
        self._shift = shift
        self._given = given
        """The instances that need a sandbox."""

    async def ask_all(self) -> None:
        for instance in self._inquiry.open:
            self._workshop.display.enter(instance.instance_id, Status.WAITING)
        asked = enumerate(self._inquiry.open.items())
        await together(*(self._instance(order, *one) for order, one in asked))

    async def _instance(self, order: int, instance: InstanceRecord, names: Sequence[str]) -> None:
        status, said = Status.FINISHED, ""
        store, given = self._workshop.store, self._given.get(instance.instance_id)
        try:
            # Refuses an instance whose issue or commit has changed.
            row = await store.find(self._run, instance.instance_id, given)
            await self._shift.work(
                order,
                row,
                lambda worker: store.claim_ended(worker, row, given),
                lambda claim: self._ask(order, claim, self._reader.story(instance), names),
            )
        except (SandboxError, UsageError) as error:
            self.answers.errors[instance.instance_id] = error
            status, said = Status.FAILED, error.message
        self._workshop.display.ended(instance.instance_id, status, said)

    async def _ask(self, order: int, claim: Claim, story: Story, names: Sequence[str]) -> None:
        workshop = self._workshop
        given = self._given.get(story.name)
        try:
            if given is None:
                bench = workshop.bare_bench(order, whole_or_bare(story), claim)
                await self._choose(bench, story, names)
                return
            async with workshop.bench(order, self._run.name, given, claim) as bench:
                if any(self._inquiry.selectors[name].needs is Needs.SANDBOX for name in names):
                    await bench.try_sandbox()
                await self._choose(bench, story, names)
        finally:
            self._shift.finishing(claim)
            await workshop.store.let_go(claim)

    async def _choose(self, bench: Workbench, story: Story, names: Sequence[str]) -> None:
        config = self._workshop.config
        gathered = ContextOnce(bench, config.context, config.model.name)

        async def context() -> str:
            return await asyncio.to_thread(lambda: story.context) or await gathered.text()

        race = StoredRace(story.matrix, context)
        selectors = [self._inquiry.selectors[name] for name in names]
        found = await together(*(selector.choose(race, bench) for selector in selectors))
        for name, ranking in zip(names, found, strict=True):
            self.answers.rankings[story.name, name] = ranking


def _needing_sandbox(inquiry: Inquiry, reader: Reader) -> dict[str, Instance]:
    """The instances on which scripts will run, or whose files nobody has read yet."""
    stories = [
        story
        for story, names in ((reader.story(one), names) for one, names in inquiry.open.items())
        if not story.context
        or any(inquiry.selectors[name].needs is Needs.SANDBOX for name in names)
    ]
    whole = {story.name: story.whole for story in stories}
    if not inquiry.dataset and all(whole.values()):
        return {name: _still_there(one) for name, one in whole.items() if one is not None}
    dataset = inquiry.dataset or inquiry.run.dataset
    if Path(dataset).is_dir():
        return {story.name: _own(story, Path(dataset)) for story in stories}
    if not stories:
        return {}
    from data.instances.loaders import load_instances, pick_instances

    loaded = load_instances(dataset, split=inquiry.split)
    return {one.instance_id: one for one in pick_instances(loaded, list(whole))}


def _still_there(instance: Instance) -> Instance:
    source = instance.environment.source
    if source is not None and not source.is_dir():
        raise UsageError(
            f"The repository of {instance.instance_id} is no longer at {source}.",
            hint="Say where it is with --dataset PATH.",
        )
    return instance


def _own(story: Story, repository: Path) -> Instance:
    """An instance of a person's own repository, which may have moved.

    Version 0.1.0 stored only the image; then no further settings are assumed.
    """
    from data.instances.repository import own_repository, repository_top

    whole = story.whole
    if whole is None:
        return own_repository(repository, story.issue, image=story.instance.image or None)
    moved = replace(whole.environment, source=repository_top(repository))
    return replace(whole, environment=moved)
