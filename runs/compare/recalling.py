"""A workbench on the records of a stored run. Nothing can be asked or executed with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.journal import RecordedEnding
from agent.observer import Unobserved
from agent.prices import Prices
from agent.slots import Slots
from agent.workbench import NotRecordedError, Workbench
from data.codebases.codebase import Codebase
from data.instances.instance import Environment, Instance

if TYPE_CHECKING:
    from agent.journal import RecordedTurn
    from data.patches.patch import Patch
    from runs.store.story import Story
    from sandbox.protocol import Execution, Limits, Script


def recalling_bench(story: Story, limits: Limits) -> Workbench:
    """The workbench of one instance of a stored run. `limits` are the limits of executions."""
    nobody = Slots(1)
    return Workbench(
        whole_or_bare(story),
        Codebase("", {}),
        client=None,
        sandbox=None,
        journal=_Endings(story),
        observer=Unobserved(),
        prices=Prices(),
        model_slots=nobody,
        sandbox_slots=nobody,
        limits=limits,
    )


def whole_or_bare(story: Story) -> Instance:
    """The instance. If an older version began it, it is made from what conversations say."""
    of = story.instance
    bare = Environment(image=of.image or None)
    return story.whole or Instance(of.instance_id, of.repo, of.base_commit, story.issue, bare)


class _Endings:
    """An `agent.journal.Journal` that knows how trajectories ended, which is all that is needed."""

    def __init__(self, story: Story) -> None:
        self._story = story

    def recall_ending(self, trajectory: str) -> RecordedEnding | None:
        talk = self._story.find(trajectory)
        if talk is None or talk.trajectory.outcome is None:
            return None
        return RecordedEnding(talk.trajectory.outcome, talk.turns[-1].reply if talk.turns else "")

    def recall_turn(self, trajectory: str, turn: int) -> RecordedTurn | None:
        raise NotRecordedError(trajectory, turn)

    def recall_execution(self, script: Script, patch: Patch, repeat: int = 0) -> Execution | None:
        raise NotRecordedError(script, patch, repeat)

    async def record_call(self, *effect: object, **more: object) -> None:
        raise NotRecordedError(effect, more)

    record_execution = record_use = record_ending = record_call
