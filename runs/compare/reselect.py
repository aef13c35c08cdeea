"""Selection over a stored run: selectors choose from its races, with the same journal.

Nothing is generated or executed here. A selector that asks a model is answered from the journal, or
its choice stays open. `runs/compare/asking.py` asks for open choices.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agent.workbench import NotRecordedError
from runs.compare.oracle import ORACLE, oracle
from runs.compare.recalling import recalling_bench
from selection.race import StoredRace
from selection.selectors import SELECTORS
from selection.selectors.protocol import SelectorContext

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runs.compare.grades import Grades
    from runs.run.config import Config
    from runs.store.reading import Reader
    from runs.store.records import InstanceRecord
    from runs.store.story import Story
    from sandbox.protocol import Limits
    from selection.candidates import Candidate
    from selection.matrix import Matrix
    from selection.selectors.protocol import Ranking, Selector


@dataclass(frozen=True, slots=True)
class Reselected:
    """One instance with the choices of all selectors."""

    instance_id: str
    matrix: Matrix
    chosen: int | None
    """The number of the candidate that the run chose; None: it chose none."""
    reason: str
    """What decided, as the run stored it."""
    rankings: Mapping[str, Ranking]
    """The rankings by selector."""
    grades: Mapping[int, bool] | None = None
    """Resolved or not, by candidate number; None if no grades were given."""
    open: tuple[str, ...] = ()
    """Selectors whose model has not been asked yet."""

    def answered(self, rankings: Mapping[tuple[str, str], Ranking]) -> Reselected:
        """The same, with `rankings` by instance and selector in place of open choices."""
        more = {name: rankings[self.instance_id, name] for name in self.open}
        return replace(self, rankings={**self.rankings, **more}, open=())

    def choice(self, selector: str) -> Candidate | None:
        """The candidate that a selector chooses."""
        return self.rankings[selector].choice

    def agrees(self, selector: str) -> bool:
        """Whether a selector chooses the same as the run."""
        choice = self.choice(selector)
        return choice is not None and choice.number == self.chosen

    @property
    def ungraded(self) -> int:
        """How many candidates have no grade."""
        return len(self.matrix.candidates) - len(self.grades or ())


def make_selectors(names: Iterable[str], config: Config, *, seed: int = 0) -> dict[str, Selector]:
    """The selectors with these names, without the oracle."""
    context = SelectorContext(config.selection, config.model.name, seed, anew=True)
    return {name: SELECTORS[name](context) for name in names if name != ORACLE}


def ended(instances: Iterable[InstanceRecord]) -> list[InstanceRecord]:
    """The instances that have ended, with a patch or without one."""
    return [one for one in instances if one.status.final]


async def reselect(
    reader: Reader,
    instances: Iterable[InstanceRecord],
    selectors: Mapping[str, Selector],
    limits: Limits,
) -> list[Reselected]:
    """Let selectors choose from instances that have ended (`ended`).

    `limits` are the limits of executions, on which a model's answers depend.

    Raises:
        StoreError: the database fails or is damaged.
    """
    return [await _one(reader.story(one), selectors, limits) for one in instances]


async def _one(story: Story, selectors: Mapping[str, Selector], limits: Limits) -> Reselected:
    race, bench = stored_race(story), recalling_bench(story, limits)
    rankings: dict[str, Ranking] = {}
    unanswered = []
    for name, selector in selectors.items():
        try:
            rankings[name] = await selector.choose(race, bench)
        except NotRecordedError:
            unanswered.append(name)
    of = story.instance
    return Reselected(
        of.instance_id, story.matrix, of.chosen, of.reason, rankings, open=tuple(unanswered)
    )


def stored_race(story: Story) -> StoredRace:
    """The race that an instance ended with."""

    async def context() -> str:
        return await asyncio.to_thread(lambda: story.context)

    return StoredRace(story.matrix, context)


def graded(
    found: Sequence[Reselected], grades: Grades, *, by_oracle: bool = False
) -> list[Reselected]:
    """Add the grades to choices made before. `by_oracle` adds the oracle's choice."""
    given = [replace(one, grades=grades.of(one.instance_id, one.matrix)) for one in found]
    if not by_oracle:
        return given
    return [
        replace(one, rankings={**one.rankings, ORACLE: oracle(one.grades or {}).rank(one.matrix)})
        for one in given
    ]
