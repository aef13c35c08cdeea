"""One instance from end to end: context, samples, matrix, vote, selection, patch.

A plain function over a journal: run again, it goes on where it stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.context import Context, ContextReader
from agent.conversation import Conversation
from agent.journal import Kind, TrajectoryId
from agent.prompting import render
from agent.sample import Sampler
from agent.scripts import make_script
from selection.candidates import Entry, merge_candidates, merge_tests
from selection.flaky import find_flaky
from selection.matrix import GrowingMatrix, fill_matrix
from selection.regression.survey import regression_files
from selection.selector import Decision, Reason, decide
from selection.settings import ASKING
from selection.votes import rank

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from agent.sample import SampleResult
    from agent.workbench import Workbench
    from runs.run.config import Config
    from selection.candidates import Candidate
    from selection.regression.survey import RegressionFile
    from selection.votes import Matrix, Standing

NO_CONTEXT = Context((), "")
"""Where no model is asked: nobody reads files then."""


@dataclass(frozen=True, slots=True)
class Solution:
    """What an instance came to, with the evidence."""

    context_files: tuple[str, ...]
    samples: tuple[SampleResult, ...]
    matrix: Matrix
    standings: tuple[Standing, ...]
    """All candidates in the vote's order."""
    finalists: tuple[int, ...]
    """Numbers of the candidates that were chosen between."""
    decision: Decision | None
    """None: there was no candidate."""
    regression_files: tuple[RegressionFile, ...] = ()
    """The repository's own test files that were looked at, nearest first."""


async def solve_instance(
    bench: Workbench,
    config: Config,
    outside: Sequence[Entry],
    on_sample: Callable[[SampleResult], Awaitable[None]],
    outside_tests: Sequence[tuple[str, str]] = (),
) -> Solution:
    """Solve one instance.

    Args:
        bench: the instance's effects.
        config: settings.
        outside: candidates from other systems; they join the race as they are.
        on_sample: awaited when a sample has ended.
        outside_tests: scripts from elsewhere, each behind its source; they vote with the samples'.

    Raises:
        ModelError: the model server cannot be used.
        SandboxError: the engine failed.
        StoreError: the database failed.
        Interrupted: a person asked to stop.
    """
    reader = ContextReader(bench, config.context, config.model.name)
    context = await reader.gather() if config.samples.strategy != "none" else NO_CONTEXT
    growing = GrowingMatrix(bench)
    for entry in outside:
        await growing.add(None, entry.patch)

    async def sample_done(result: SampleResult) -> None:
        await on_sample(result)
        await growing.add(result.script, result.patch)

    sampler = Sampler(
        bench, context, model=config.model, settings=config.samples, limits=config.limits
    )
    samples = await sampler.run(sample_done)
    entries = [Entry(s.patch, s.number) for s in samples] + list(outside)
    candidates = merge_candidates(entries)
    matrix, files = await _vote(bench, config, candidates, samples, outside_tests)
    standings = rank(matrix, config.selection.votes)
    finalists = standings[: config.selection.finalists]
    asks = config.selection.selector in ASKING
    if config.samples.strategy == "none" and asks and len(finalists) > 1:
        context = await reader.gather()
    return Solution(
        context_files=tuple(file.path for file in context.files),
        samples=tuple(samples),
        matrix=matrix,
        standings=standings,
        finalists=tuple(s.candidate.number for s in finalists),
        decision=await _decide(bench, config, context, matrix, finalists),
        regression_files=files,
    )


async def _vote(
    bench: Workbench,
    config: Config,
    candidates: tuple[Candidate, ...],
    samples: Sequence[SampleResult],
    outside_tests: Sequence[tuple[str, str]],
) -> tuple[Matrix, tuple[RegressionFile, ...]]:
    """All tests on all candidates, the repository's own among them, and which are flaky."""
    others = [(source, make_script(bench.language, text)) for source, text in outside_tests]
    scripts = [(s.number, s.script) for s in samples if s.script is not None]
    tests = merge_tests(scripts, others)
    files = await regression_files(bench, candidates, config.selection, first=len(tests) + 1)
    own = tuple(file.test for file in files if file.test is not None)
    matrix = await fill_matrix(bench, candidates, tests + own)
    return await find_flaky(bench, matrix, config.selection.repeats), files


async def _decide(
    bench: Workbench,
    config: Config,
    context: Context,
    matrix: Matrix,
    finalists: Sequence[Standing],
) -> Decision | None:
    if not finalists:
        return None
    if len(finalists) == 1:
        only = len(matrix.candidates) == 1
        return Decision(finalists[0].candidate, Reason.ONLY_CANDIDATE if only else Reason.VOTE)
    settings = config.selection
    if settings.selector not in ASKING:
        return Decision(finalists[0].candidate, Reason.VOTE)
    bench.observer.stage(Kind.SELECTION, settings.turns)
    talk = Conversation(
        bench,
        TrajectoryId("selection", Kind.SELECTION),
        model=config.model.name,
        temperature=settings.temperature,
        max_tokens=settings.max_tokens,
        system=render("system"),
        prefix=context.text,
    )
    decision = await decide(talk, matrix, finalists, turns=settings.turns, limits=config.limits)
    await talk.end(decision.outcome)
    return decision
