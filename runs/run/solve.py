"""One instance from end to end: context, samples, race, choice.

A plain function over a journal: run again, it continues where it stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.context import Context, ContextOnce
from agent.observer import Stage
from agent.slots import for_each
from agent.strategies import STRATEGIES
from selection.race import GrowingRace
from selection.selectors import SELECTORS
from selection.selectors.protocol import SelectorContext
from selection.solution import Solution
from selection.votes import finalists, rank

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from agent.strategies.protocol import Sample
    from agent.workbench import Workbench
    from runs.run.config import Config
    from sandbox.protocol import Script
    from selection.candidates import Entry

NO_CONTEXT = Context((), "")
"""The context where no model is asked, because nobody reads files then."""


async def solve_instance(
    bench: Workbench,
    config: Config,
    samples: int,
    on_sample: Callable[[Sample], Awaitable[None]],
    *,
    outside: Sequence[Entry] = (),
    outside_tests: Sequence[tuple[str, Script]] = (),
) -> Solution:
    """Solve one instance.

    Args:
        bench: the instance's effects.
        config: settings.
        samples: how many samples are made.
        on_sample: awaited when a sample has ended.
        outside: other systems' candidates; they join the race as they are.
        outside_tests: scripts from elsewhere, each after its source.

    Raises:
        ModelError: the model server cannot be used.
        SandboxError: the engine failed.
        StoreError: the database failed.
        Interrupted: a person asked to stop.
    """
    context = ContextOnce(bench, config.context, config.model.name)
    race = GrowingRace(bench, config.selection, context.text)
    for entry in outside:
        await race.add_candidate(entry)
    for source, script in outside_tests:
        await race.add_test(script, source)

    async def ended(sample: Sample) -> None:
        bench.observer.sample(sample.number, sample.outcome)
        await on_sample(sample)
        bench.observer.step(Stage.SAMPLES)
        await race.add_sample(sample)

    strategy = STRATEGIES[config.samples.strategy](config.model, config.samples)
    shown = await context.get() if strategy.asks else NO_CONTEXT
    if samples:
        bench.observer.stage(Stage.SAMPLES, samples)
    await for_each(strategy.samples(bench, shown, range(1, samples + 1)), ended)

    selector = SELECTORS[config.selection.selector](
        SelectorContext(config.selection, config.model.name)
    )
    matrix = await race.matrix()
    rule = config.selection.votes
    standings = rank(matrix, rule)
    ranking = await selector.choose(race, bench)
    return Solution(
        samples=samples,
        context_files=context.files,
        matrix=matrix,
        standings=standings,
        finalists=tuple(c.number for c in finalists(matrix, rule, config.selection.finalists)),
        ranking=ranking,
        excluded=race.excluded,
    )
