"""Works through the instances of a run: bounded, resumable, stoppable."""

from __future__ import annotations

import asyncio
import errno
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.outcome import Outcome
from agent.slots import Interrupted, together
from agent.unforeseen import FORESEEN, named, trace_of
from data.errors import SandboxError, TroopError, UnexpectedError, UsageError
from data.patches.applying import apply_diff
from runs.run.solve import solve_instance
from runs.store.registry import Status
from runs.words import counted
from selection.candidates import Entry
from selection.regression.survey import why_no_vote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.strategies.protocol import Sample
    from data.codebases.codebase import Codebase
    from data.instances.instance import Instance
    from data.predictions.predictions import Prediction
    from runs.run.shift import Shift
    from runs.run.workshop import Workshop
    from runs.store.ownership import Claim
    from runs.store.registry import InstanceHandle, RunHandle
    from sandbox.protocol import Script


@dataclass(slots=True)
class Tally:
    """How a run ended."""

    status: Status = Status.FINISHED
    """FINISHED: every instance has ended; FAILED: something around some of them broke, and the
    same command tries those again; INTERRUPTED: a person stopped it, and the same command
    continues."""
    errors: dict[str, TroopError] = field(default_factory=dict)
    """By instance id, for the instances that failed."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What comes from outside the run, by instance id."""

    candidates: Mapping[str, Sequence[Prediction]] = field(default_factory=dict)
    """Other systems' predictions."""
    tests: Mapping[str, Sequence[tuple[str, Script]]] = field(default_factory=dict)
    """Test scripts, each after the name of the stored run that it comes from."""


class Batch:
    """Runs `solve_instance` over many instances."""

    def __init__(self, workshop: Workshop, run: RunHandle, shift: Shift, outside: Outside) -> None:
        self._workshop = workshop
        self._shift = shift
        self._store = workshop.store
        self._display = workshop.display
        self._run = run
        self._outside = outside
        self._tally = Tally()
        self._many = False

    async def solve(self, instances: Sequence[Instance], rows: Sequence[InstanceHandle]) -> Tally:
        """Bring every instance to its end, or wait until other workers have done so.

        One instance's failure does not stop the others. The first Ctrl-C lets what is
        in flight end, the second stops at once; both leave a run that can be resumed.

        Raises:
            ModelError: the model server cannot be used; the run can be resumed.
            StoreError: the database failed, or another process holds an instance, and this one
                is not to wait for it.
        """
        try:
            with self._workshop.interruptible():
                await self._all(list(zip(instances, rows, strict=True)))
        except (Interrupted, asyncio.CancelledError):
            self._tally.status = Status.INTERRUPTED
        return self._tally

    async def _all(self, pairs: Sequence[tuple[Instance, InstanceHandle]]) -> None:
        self._many = len(pairs) > 1
        for _, row in pairs:
            self._display.enter(row.instance_id, row.status)
        work = [(given, row) for given, row in pairs if not row.status.final]
        if work and self._workshop.provider is not None:
            self._workshop.provider.expect([given for given, _ in work])
        await together(*(self._one(order, *pair) for order, pair in enumerate(work)))

    async def _one(self, order: int, given: Instance, row: InstanceHandle) -> None:
        ended = await self._shift.work(
            order,
            row,
            lambda worker: self._store.claim(worker, row, given),
            lambda claim: self._try(order, given, claim),
        )
        if ended is None:
            return
        self._display.ended(row.instance_id, ended.status, ended.error)
        if ended.status is Status.FAILED:
            self._fail(row.instance_id, SandboxError(ended.error))

    async def _try(self, order: int, given: Instance, claim: Claim) -> None:
        try:
            await self._solve(order, given, claim)
        except (SandboxError, UnexpectedError, UsageError) as error:
            self._shift.finishing(claim)
            await self._store.mark(claim, Status.FAILED, error.message)
            # For a single instance, the command shows the error when it ends.
            said = error.message if self._many else ""
            self._display.ended(claim.instance_id, Status.FAILED, said)
            self._fail(claim.instance_id, error)
        except (TroopError, Interrupted):
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise  # it is the same for all instances
            await self._unexpected(claim, error)

    async def _unexpected(self, claim: Claim, error: Exception) -> None:
        """End the work on an instance with an error that nobody foresaw, and keep its trace."""
        what = f"An unexpected error ended the work: {named(error)}"
        where = f"troop show {self._run.name} {claim.instance_id}"
        failure = UnexpectedError(what, hint=f"Please report it. Its trace: {where}")
        self._shift.finishing(claim)
        await self._store.mark(claim, Status.FAILED, f"{what}\n{trace_of(error)}")
        self._display.ended(claim.instance_id, Status.FAILED, what if self._many else "")
        self._fail(claim.instance_id, failure)

    def _fail(self, instance_id: str, error: TroopError) -> None:
        self._tally.status = Status.FAILED
        self._tally.errors[instance_id] = error

    async def _solve(self, order: int, given: Instance, claim: Claim) -> None:
        config = self._workshop.config
        failed: list[int] = []

        async def keep(sample: Sample) -> None:
            if sample.outcome is Outcome.FAILED:
                failed.append(sample.number)
            await self._store.save_sample(claim, sample)

        async with self._workshop.bench(order, self._run.name, given, claim) as bench:
            tests = self._outside.tests.get(given.instance_id, ())
            if tests or config.asks_model:
                await bench.try_sandbox()
            solution = await solve_instance(
                bench,
                config,
                claim.samples,
                keep,
                outside=await asyncio.to_thread(self._entries, given, bench.codebase),
                outside_tests=tests,
            )
            failed += solution.excluded
            if failed and not solution.matrix.candidates:
                raise self._nothing_but_errors(claim, failed)
            self._shift.finishing(claim)
            await self._store.save_solution(claim, solution)
        why = why_no_vote(
            solution.matrix.regression_files, wanted=config.selection.regression_files
        )
        if why and solution.matrix.candidates:
            self._display.note(f"{claim.instance_id}: {why}")
        status = Status.PATCHED if solution.ranking.choice else Status.NO_PATCH
        self._display.ended(claim.instance_id, status, "")

    def _nothing_but_errors(self, claim: Claim, failed: Sequence[int]) -> UnexpectedError:
        """No patch came out, and that is no result, because unexpected errors ended samples."""
        numbers = counted(len(set(failed)), "sample")
        return UnexpectedError(
            f"No patch came out, because unexpected errors ended {numbers}.",
            hint=f"Please report it. The traces: troop show {self._run.name} {claim.instance_id}"
            f" --sample {min(failed)}",
        )

    def _entries(self, given: Instance, codebase: Codebase) -> list[Entry]:
        """Other systems' candidates. One that cannot be used is left out, with a note."""
        entries = []
        for prediction in self._outside.candidates.get(given.instance_id, ()):
            system = prediction.model_name_or_path
            try:
                applied = apply_diff(prediction.model_patch, codebase)
            except UsageError as error:
                self._leave_out(given, system, error.message)
            except FORESEEN:
                raise
            except Exception as error:  # noqa: BLE001 - the other candidates go on
                self._leave_out(given, system, named(error))
            else:
                for note in applied.notes:
                    self._display.note(f"{given.instance_id}: {system}: {note}")
                entries.append(Entry(applied.patch, source=system))
        return entries

    def _leave_out(self, given: Instance, system: str, why: str) -> None:
        self._display.note(f"{given.instance_id}: The candidate of {system} is left out: {why}")
