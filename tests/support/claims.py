"""Claims on instances, for tests that write to a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runs.store.ownership import Claim, Terms

if TYPE_CHECKING:
    from data.instances.instance import Instance
    from runs.store.registry import InstanceHandle, RunHandle, RunSpec
    from runs.store.store import Store


async def begun(store: Store, spec: RunSpec, given: Instance) -> tuple[RunHandle, Claim]:
    """A run with one instance, which is claimed."""
    run = await store.begin_run(spec, fresh=False)
    (row,) = await store.enter(run, [given])
    return run, await claimed(store, run, row)


async def claimed(store: Store, run: RunHandle, row: InstanceHandle) -> Claim:
    """An instance, claimed by a new worker, whoever has it."""
    worker = await store.join(run, Terms(60, take_over=True))
    claim = await store.claim_ended(worker, row)
    assert isinstance(claim, Claim)
    return claim
