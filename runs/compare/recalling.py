"""A workbench over what a stored run has recorded, where nothing can be asked or executed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.observer import Unobserved
from agent.prices import Prices
from agent.slots import Slots
from agent.workbench import Workbench
from data.codebases.codebase import Codebase
from data.instances.instance import Environment, Instance
from runs.store.journal import RecalledJournal, load_ending

if TYPE_CHECKING:
    from agent.journal import RecordedEnding
    from runs.store.reading import Reader
    from runs.store.story import Story
    from sandbox.protocol import Limits


def recalling_bench(reader: Reader, story: Story, limits: Limits) -> Workbench:
    """The workbench of one instance of a stored run."""

    def ending(trajectory: str) -> RecordedEnding | None:
        key = story.instance.key
        return reader.read(lambda session: load_ending(session.connection(), key, trajectory))

    nobody = Slots(1)
    return Workbench(
        whole_or_bare(story),
        Codebase("", {}),
        client=None,
        sandbox=None,
        journal=RecalledJournal(ending),
        observer=Unobserved(),
        prices=Prices(),
        model_slots=nobody,
        sandbox_slots=nobody,
        limits=limits,
    )


def whole_or_bare(story: Story) -> Instance:
    """The instance; of one that an older version began, what a conversation says of it."""
    of = story.instance
    bare = Environment(image=of.image or None)
    return story.whole or Instance(of.instance_id, of.repo, of.base_commit, story.issue, bare)
