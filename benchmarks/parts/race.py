"""The matrix's two ways: this project's own code, and the reference's calls for each pair."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from agent.observer import Unobserved
from agent.prices import Prices
from agent.slots import Slots, together
from agent.workbench import Workbench
from benchmarks.parts.engine_ways import Reference
from benchmarks.parts.image import bench
from benchmarks.parts.machine import BenchmarkError, metered
from benchmarks.parts.rounds import say
from benchmarks.parts.workload import REPO_DIR, Job
from data.errors import TroopError
from data.patches.applying import apply_diff, diff_files
from data.predictions.predictions import read_predictions
from runs.store.database import sqlite_url
from runs.store.ownership import Claim, Terms
from runs.store.registry import RunSpec
from runs.store.store import Store
from sandbox.docker import DockerProvider
from sandbox.docker.containers.settings import script_variables
from sandbox.docker.engine import Engine
from sandbox.owner import this_process
from sandbox.protocol import Limits
from selection.candidates import Candidate, Entry, Test, merge_candidates
from selection.matrix import Verdict
from selection.race import GrowingRace
from selection.settings import SelectionSettings
from selection.votes import rank

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from benchmarks.parts.machine import Usage
    from data.codebases.codebase import Codebase
    from data.instances.instance import Instance
    from data.patches.patch import Patch
    from sandbox.protocol import Script
    from selection.matrix import Matrix

    Verdicts = dict[tuple[int, int], Verdict]
    """(candidate number or 0 for the unedited code, test number) -> verdict."""

_CODES = {0: Verdict.PASS, 2: Verdict.FAIL}


@dataclass(frozen=True, slots=True)
class Race:
    """The candidates and the tests."""

    instance: Instance
    candidates: tuple[Candidate, ...]
    tests: tuple[Test, ...]
    real: int
    """The first so many candidates are real and distinct; the others are variants of them."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A matrix, and what it took."""

    verdicts: Verdicts
    usage: Usage
    votes: tuple[int, ...] = ()
    """Each candidate's, best first."""

    @property
    def count(self) -> int:
        """Executions."""
        return len(self.verdicts)

    @property
    def cpu(self) -> float:
        """CPU seconds per execution."""
        return self.usage.cpu / self.count


def race_of(
    kit: Path, instance: Instance, codebase: Codebase, scripts: Sequence[Script], across: int
) -> Race:
    """The kit's distinct candidates, filled up with variants of them, and the tests.

    Raises:
        BenchmarkError: the kit has no candidate that applies.
    """
    entries = []
    for prediction in read_predictions(kit / "candidates.jsonl").get(instance.instance_id, []):
        try:
            applied = apply_diff(prediction.model_patch, codebase)
        except TroopError as error:
            say(f"{prediction.model_name_or_path} is left out: {error.message}")
        else:
            entries.append(Entry(applied.patch, source=prediction.model_name_or_path))
    real = merge_candidates(entries)[:across]
    if not real:
        raise BenchmarkError(f"the kit has no candidate for {instance.instance_id}")
    patches = [candidate.patch for candidate in real]
    for number in range(len(real), across):
        patches.append(_variant(patches[number % len(real)], number, codebase))
    candidates = (Candidate(n, patch, sources=(str(n),)) for n, patch in enumerate(patches, 1))
    tests = (Test(n, script, (n,)) for n, script in enumerate(scripts[:across], 1))
    return Race(instance, tuple(candidates), tuple(tests), len(real))


def _variant(patch: Patch, number: int, codebase: Codebase) -> Patch:
    changes = {change.path: change.content for change in patch.files}
    path, content = next(
        (path, content)
        for path, content in changes.items()
        if path.endswith(".py") and content is not None
    )
    line = b"\n_variant = %d\n" % number
    return diff_files({**changes, path: content.rstrip() + line}, codebase)


async def our_way(
    kit: Path, instance: Instance, scripts: Sequence[Script], across: int, slots: int, folder: Path
) -> tuple[Race, Filled]:
    """Fill the matrix with a real run's store, workbench, Docker sandbox and race."""
    async with DockerProvider() as provider:
        sandbox = await provider.open(instance, run="benchmark-matrix")
        codebase = await sandbox.read_codebase()
        race = race_of(kit, instance, codebase, scripts, across)
        with Store(sqlite_url(folder / "troop.db")) as store:
            _, worker, (row,) = await store.begin(_spec(), [instance], Terms(60), fresh=True)
            claim = await store.claim(worker, row)
            assert isinstance(claim, Claim)
            workbench = Workbench(
                instance,
                codebase,
                client=None,
                sandbox=sandbox,
                journal=store.journal(claim),
                observer=Unobserved(),
                prices=Prices(),
                model_slots=Slots(1),
                sandbox_slots=Slots(slots),
                limits=Limits(),
            )
            with metered() as usage:
                matrix = await _filled(workbench, race)
        await sandbox.close()
    votes = tuple(standing.votes for standing in rank(matrix, "discriminating"))
    return race, Filled({place: cell.verdict for place, cell in matrix.cells.items()}, usage, votes)


async def _filled(workbench: Workbench, race: Race) -> Matrix:
    settings = SelectionSettings(regression_files=0, repeats=0)
    growing = GrowingRace(workbench, settings, cast("Callable[[], Awaitable[str]]", None))
    tests = (growing.add_test(test.script, str(test.number)) for test in race.tests)
    entries = (Entry(c.patch, source=str(c.number)) for c in race.candidates)
    await together(*tests, *map(growing.add_candidate, entries))
    return await growing.matrix()


def _spec() -> RunSpec:
    return RunSpec(
        name="benchmark",
        dataset="kit",
        model="none",
        sandbox="docker",
        replayed=False,
        config={},
        config_digest="",
        owner=str(this_process()),
        version="",
        samples=0,
    )


def their_way(race: Race, across: int, threads: int, network: str) -> Filled:
    """Fill a matrix of `across` x `across` pairs with the reference's sequence of calls."""
    environment = race.instance.environment
    if environment.repo_dir != REPO_DIR:
        raise BenchmarkError(f"the repository is not in {REPO_DIR}")
    image = str(environment.image)
    pairs = [(c, t) for t in race.tests[:across] for c in race.candidates[:across]]
    verdicts: Verdicts = {}
    with bench() as here:
        with contextlib.closing(Engine.connect()) as engine:
            variables = script_variables(engine.image(image), REPO_DIR)
        way = Reference(here, image, variables, activate=environment.activate, network=network)

        def one(pair: tuple[Candidate, Test]) -> None:
            candidate, test = pair
            code, _ = way.run(Job(candidate.patch, test.script, None))
            verdicts[candidate.number, test.number] = _CODES.get(code, Verdict.ERROR)

        with metered() as usage, ThreadPoolExecutor(threads) as pool:
            list(pool.map(one, pairs))
    return Filled(verdicts, usage)
