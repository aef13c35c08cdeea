"""The race: candidates and tests join as they are made, and every test runs on every candidate.

Its matrix may be asked for at any time. Numbers do not depend on who came first: samples come
in the order of their numbers, then candidates and tests from outside in the order given.
"""

from __future__ import annotations

import functools
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from agent.journal import Kind, TrajectoryId
from agent.observer import Stage
from agent.slots import together
from agent.unforeseen import FORESEEN, named, trace_of
from data.errors import UsageError
from data.patches.changes import changed_lines
from data.patches.litter import litter_of, without_litter
from data.patches.patch import UNEDITED, Patch
from selection.candidates import Entry, Test, TestKind, meaning, merge_candidates, merge_tests
from selection.flags import flags_of
from selection.flaky import gave_another, mark_flaky, repeated_cells
from selection.matrix import UNEDITED_ROW, Cell, Matrix, RegressionFile, Verdict, verdict
from selection.regression.scripts import broken_tests
from selection.regression.survey import survey_tests

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from agent.strategies.protocol import Sample
    from agent.workbench import Workbench
    from sandbox.protocol import Execution, Script
    from selection.candidates import Candidate
    from selection.settings import SelectionSettings

_LOGGER = logging.getLogger(__name__)
MATRIX = TrajectoryId("matrix", Kind.MATRIX)
"""The trajectory that the matrix's executions are stored under."""


class Unfit(Exception):
    """A candidate cannot take part; `__cause__` is why."""

    def __init__(self, patch: Patch) -> None:
        super().__init__(patch.digest)
        self.patch = patch


class Race(Protocol):
    """What a selector chooses from."""

    async def matrix(self) -> Matrix:
        """The whole matrix: missing verdicts are run."""

    async def context(self) -> str:
        """The beginning of conversations about the instance: its issue, then files."""


class StoredRace:
    """A race that has ended."""

    def __init__(self, matrix: Matrix, context: Callable[[], Awaitable[str]]) -> None:
        self._matrix = matrix
        self._context = context

    async def matrix(self) -> Matrix:
        """See `Race`."""
        return self._matrix

    async def context(self) -> str:
        """See `Race`."""
        return await self._context()


class GrowingRace:
    """A race that candidates and tests can still join.

    Every method that runs something raises `SandboxError` if the engine fails (which is
    never a verdict), and `Interrupted` if a person asks to stop. A candidate that cannot be
    laid over the repository, or that leads to an error nobody foresaw, is excluded.
    """

    def __init__(
        self,
        bench: Workbench,
        settings: SelectionSettings,
        context: Callable[[], Awaitable[str]],
    ) -> None:
        self._context = context
        self._bench = bench
        self._settings = settings
        self._samples: dict[int, Sample] = {}
        self._outside: list[Entry] = []
        self._outside_tests: list[tuple[str, Script]] = []
        self._patches: dict[str, Patch] = {}
        """By meaning, the patches that tests already run on while samples still work."""
        self._scripts: list[Script] = []
        self._votes: dict[tuple[Script, str], Execution] = {}
        """By script and by digest of the patch that it was run on."""
        self._known: tuple[int, Matrix] | None = None
        """The last matrix, and how many had joined when it was made."""
        self._unfit: dict[str, str] = {}
        """By digest of the patches that are excluded, the trace of what happened."""

    @property
    def excluded(self) -> Mapping[int, str]:
        """By the number of a sample whose patch is excluded, the trace of what happened."""
        return {
            number: self._unfit[sample.patch.digest]
            for number, sample in sorted(self._samples.items())
            if sample.patch.digest in self._unfit
        }

    async def add_sample(self, sample: Sample) -> None:
        """Let a sample's test and edit join. Returns when their first verdicts are known."""
        self._samples[sample.number] = sample
        await self._grow(sample.script, sample.patch)

    async def add_candidate(self, entry: Entry) -> None:
        """Let a candidate from outside join."""
        self._outside.append(entry)
        await self._grow(None, entry.patch)

    async def add_test(self, script: Script, source: str) -> None:
        """Let a test from outside join."""
        self._outside_tests.append((source, script))
        await self._grow(script, UNEDITED)

    async def matrix(self) -> Matrix:
        """See `Race`. Repository tests vote too, and flaky tests are found."""
        joined = len(self._samples) + len(self._outside) + len(self._outside_tests)
        if self._known is None or self._known[0] != joined:
            self._known = (joined, await self._now())
        return self._known[1]

    async def context(self) -> str:
        """See `Race`."""
        return await self._context()

    async def _now(self) -> Matrix:
        while True:  # each time with fewer candidates
            try:
                return await self._whole()
            except Unfit as error:
                self._exclude(error)

    async def _whole(self) -> Matrix:
        samples = [self._samples[number] for number in sorted(self._samples)]
        scripts = [(s.number, s.script) for s in samples if s.script is not None]
        tests = merge_tests(scripts, self._outside_tests)
        entries = [*(Entry(s.patch, s.number) for s in samples), *self._outside]
        candidates = merge_candidates(e for e in entries if e.patch.digest not in self._unfit)
        files, own = await self._own_tests(candidates, len(tests) + 1)
        matrix = await self._filled(candidates, (*tests, *own), files)
        return mark_flaky(matrix, await self._flaky(matrix))

    async def _grow(self, script: Script | None, patch: Patch) -> None:
        """Run a new script on all patches so far, and a new patch on all scripts so far."""
        try:
            with _for(patch):
                _examine(patch)
            await self._run_new(script, patch)
        except Unfit as error:
            self._exclude(error)

    def _exclude(self, error: Unfit) -> None:
        """Go on without a candidate."""
        cause = error.__cause__
        assert isinstance(cause, Exception)  # noqa: S101 - `_for` gave it one
        self._unfit[error.patch.digest] = trace_of(cause)
        self._patches = {m: p for m, p in self._patches.items() if p.digest != error.patch.digest}
        numbers = [number for number, s in self._samples.items() if s.patch == error.patch]
        sources = [entry.source for entry in self._outside if entry.patch == error.patch]
        whose = ", ".join([*(f"sample {number}" for number in sorted(numbers)), *sources])
        _LOGGER.warning("The candidate of %s is left out: %s", whose or "nobody", named(cause))

    async def _run_new(self, script: Script | None, patch: Patch) -> None:
        cells: list[tuple[Script, Patch]] = []
        if script is not None and script not in self._scripts:
            self._scripts.append(script)
            cells += [(script, known) for known in (UNEDITED, *self._patches.values())]
        if patch and meaning(patch) not in self._patches:
            self._patches[meaning(patch)] = patch
            cells += [(known, patch) for known in self._scripts]
        await together(*(self._vote(*cell, cell[1]) for cell in dict.fromkeys(cells)))

    async def _own_tests(
        self, candidates: tuple[Candidate, ...], first: int
    ) -> tuple[tuple[RegressionFile, ...], list[Test]]:
        """The repository test files near the edits, and those that vote, from number `first` on."""
        found: list[RegressionFile] = []
        tests: list[Test] = []
        bench, settings = self._bench, self._settings
        if candidates and settings.regression_files:
            bench.observer.stage(Stage.REPOSITORY_TESTS, 0)
        for file in await survey_tests(bench.codebase, candidates, settings, self._survey):
            number = None
            if file.script is not None:
                number = first + len(tests)
                tests.append(Test(number, file.script, kind=TestKind.REGRESSION, label=file.path))
            found.append(RegressionFile(file.path, number, file.passing, file.reason))
        return tuple(found), tests

    async def _filled(
        self,
        candidates: tuple[Candidate, ...],
        tests: tuple[Test, ...],
        files: tuple[RegressionFile, ...],
    ) -> Matrix:
        rows = {UNEDITED_ROW: UNEDITED} | {c.number: c.patch for c in candidates}
        places = [(row, test) for test in tests for row in rows]
        self._bench.observer.stage(Stage.MATRIX, len(places))
        cells = await together(*(self._cell(rows[row], test) for row, test in places))
        filled = {(row, test.number): cell for (row, test), cell in zip(places, cells, strict=True)}
        return Matrix(self._bench.instance.instance_id, candidates, tests, filled, files)

    async def _cell(self, patch: Patch, test: Test) -> Cell:
        with _for(patch):
            laid = _laid_for(test, patch)
        execution = await self._vote(test.script, laid, patch)
        self._bench.observer.step(Stage.MATRIX)
        said, broken = verdict(execution), None
        if test.kind is TestKind.REGRESSION and said is Verdict.FAIL:
            with _for(patch):
                broken = broken_tests(execution.output)
        return Cell(said, execution, laid, broken)

    async def _flaky(self, matrix: Matrix) -> set[int]:
        """The numbers of the tests whose verdict changes when they are run again."""
        asked = [
            (test, matrix.cells[row, test.number], repeat)
            for test in matrix.tests
            for row in repeated_cells(matrix, test)
            for repeat in range(1, self._settings.repeats + 1)
        ]
        if asked:
            self._bench.observer.stage(Stage.REPEATS, len(asked))
        again = await together(*(self._again(*one) for one in asked))
        return {
            test.number
            for (test, cell, _), execution in zip(asked, again, strict=True)
            if gave_another(cell, execution)
        }

    async def _again(self, test: Test, cell: Cell, repeat: int) -> Execution:
        execution = await self._run(test.script, cell.patch, "repeat", repeat)
        self._bench.observer.step(Stage.REPEATS)
        return execution

    async def _vote(self, script: Script, laid: Patch, patch: Patch) -> Execution:
        """Run `script` on what is `laid` of the candidate `patch`."""
        key = (script, laid.digest)
        if key not in self._votes:
            with _for(patch):
                self._votes[key] = await self._run(script, laid, "vote")
        return self._votes[key]

    async def _survey(self, script: Script, purpose: str) -> Execution:
        execution = await self._run(script, UNEDITED, purpose)
        if purpose == "survey":
            self._bench.observer.step(Stage.REPOSITORY_TESTS)
        return execution

    async def _run(self, script: Script, patch: Patch, purpose: str, repeat: int = 0) -> Execution:
        return await self._bench.execute(
            script, patch, trajectory=MATRIX, turn=0, purpose=purpose, repeat=repeat
        )


@contextmanager
def _for(patch: Patch) -> Iterator[None]:
    """What goes wrong inside is the fault of the candidate `patch`, unless that is empty."""
    try:
        yield
    except UsageError as error:
        raise (Unfit(patch) if patch else error) from error
    except FORESEEN:
        raise
    except Exception as error:
        raise (Unfit(patch) if patch else error) from error


def _examine(patch: Patch) -> None:
    """Do once what is done with every candidate, so that an odd one is found at once."""
    if patch:
        meaning(patch)
        flags_of(patch.diff)
        litter_of(patch.diff)
        changed_lines(patch.diff)
        _without_tests(patch)


@functools.lru_cache(maxsize=256)
def _without_tests(patch: Patch) -> Patch:
    cleaned = without_litter(patch.diff, scratch=False, tests=True)
    taken = {litter.path for litter in cleaned.taken}
    if not taken:
        return patch
    return Patch.of(cleaned.diff, tuple(c for c in patch.files if c.path not in taken))


def _laid_for(test: Test, patch: Patch) -> Patch:
    """The patch that a test is run on.

    Repository tests run as they were before the edit: a candidate's changes to
    tests are left out.
    """
    return _without_tests(patch) if test.kind is TestKind.REGRESSION else patch
