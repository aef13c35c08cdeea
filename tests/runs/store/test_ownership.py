"""Who may work on an instance, and write what it comes to: claims, leases, take-over."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from agent.journal import Kind, TrajectoryId, TurnPrompt
from agent.model import Choice, Finish, Message, ModelRequest, Response
from agent.outcome import Outcome
from agent.strategies.protocol import Sample
from data.errors import LeaseLost, StoreError
from data.patches.patch import UNEDITED
from runs.store.database import open_database
from runs.store.instances import Ended
from runs.store.ownership import Claim, Holder, Terms
from runs.store.reading import Reader
from runs.store.registry import Status
from runs.store.store import Store
from runs.store.tables import BlobTable, WorkerTable
from sandbox.owner import start_time, this_process
from sandbox.protocol import Ending, Execution, Script
from tests.support.recorded import spec
from tests.support.views import view
from tests.support.world import instance

pytestmark = pytest.mark.slow

HERE = Terms(60)
ELSEWHERE = replace(HERE, me=replace(this_process(), host="h", boot="b"), host="far")
CONTAINER = replace(HERE, me=replace(this_process(), namespace="1"), host="box")
TALK = TrajectoryId("sample-1/testing", Kind.TESTING, 1)
SCRIPT = Script("print(1)\n")
RAN = Execution(Ending.EXITED, 2, "out", 3, 0.25)


def dead() -> Terms:
    """Of a process of this machine that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return replace(HERE, me=replace(this_process(), pid=process.pid))


async def joined(store: Store, terms: Terms = HERE, *names: str, samples: int = 1):
    """A new worker on the run, and its instances ("calc" by default)."""
    wanted = replace(spec("r"), samples=samples, samples_given=True)
    given = [instance(name) for name in names or ("calc",)]
    _, worker, rows = await store.begin(wanted, given, terms, fresh=False)
    return worker, rows


def expire(store: Store, worker) -> None:
    """As if its heartbeats had stopped long ago."""
    with store._engine.begin() as connection:
        own = WorkerTable.id == worker.key
        beat = connection.execute(sa.select(WorkerTable.heartbeat_at).where(own)).scalar_one()
        ago = beat - timedelta(seconds=worker.terms.lease_s + 1)
        connection.execute(sa.update(WorkerTable).where(own).values(heartbeat_at=ago))


async def call(journal, turn: int = 0) -> None:
    request = ModelRequest(TALK.key, turn, "m", (Message("user", "?"),), None, 10)
    prompt = TurnPrompt(TALK, turn, f"{turn}", f"prompt {turn}", "system", "prefix")
    reply = Response((Choice(f"reply {turn}", Finish.STOP),), None, 1.0)
    await journal.record_call(request, reply, [prompt], None)


@pytest.mark.parametrize("held", ["by nobody", "by the dead"])
def test_of_several_workers_that_claim_an_instance_at_once_one_gets_it(url, held):
    open_database(url).dispose()
    with Store(url) as store:
        terms = dead() if held == "by the dead" else HERE
        worker, (row,) = asyncio.run(joined(store, terms))
        if held == "by the dead":
            assert isinstance(asyncio.run(store.claim(worker, row)), Claim)
    barrier = threading.Barrier(8)

    async def claim() -> Claim | Holder | Ended:
        with Store(url) as store:
            worker, (row,) = await joined(store)
            barrier.wait()
            return await store.claim(worker, row)

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: asyncio.run(claim()), range(8)))
    (winner,) = [one for one in found if isinstance(one, Claim)]
    assert {one.key for one in found if isinstance(one, Holder)} == {winner.worker.key}


@pytest.mark.parametrize(
    ("terms", "expired", "taken"),
    [
        (dead(), False, True),  # seen from here: at once
        (ELSEWHERE, False, False),
        (ELSEWHERE, True, True),
        (CONTAINER, False, False),
        (CONTAINER, True, True),
        (replace(HERE, me=replace(this_process(), pid=1, start="0")), True, True),
    ],
    ids=["killed", "other host", "and silent", "other container", "and silent there", "unseen"],
)
async def test_a_worker_that_is_gone_loses_the_instance(url, terms, expired, taken):
    with Store(url) as store:
        worker, (row,) = await joined(store, terms)
        held = await store.claim(worker, row)
        if expired:
            expire(store, worker)
        other, (row,) = await joined(store)
        found = await store.claim(other, row)
        assert isinstance(found, Claim if taken else Holder)
        store.leave(other)
        if taken:
            with pytest.raises(LeaseLost):
                await store.mark(held, Status.PATCHED)
            with Reader(url) as reader:
                assert all(one["ended_at"] for one in view(reader, "workers"))


@pytest.fixture
def sleeper():
    with subprocess.Popen(["sleep", "600"]) as process:
        yield replace(this_process(), pid=process.pid, start=start_time(process.pid))
        process.kill()


async def test_a_worker_that_is_seen_alive_is_never_considered_gone(url, sleeper):
    with Store(url) as store:
        worker, (row,) = await joined(store, replace(HERE, me=sleeper))
        await store.claim(worker, row)
        expire(store, worker)
        other, (row,) = await joined(store)
        found = await store.claim(other, row)
        assert isinstance(found, Holder)
        assert found.pid == sleeper.pid
        later, (row,) = await joined(store, replace(HERE, take_over=True))
        assert isinstance(await store.claim(later, row), Claim)


async def test_a_worker_that_lost_an_instance_writes_nothing_more(url):
    """Every write is refused, those of the instances that are left are not."""
    with Store(url) as first, Store(url) as second:
        worker, rows = await joined(first, HERE, "lost", "kept")
        lost, kept = [await first.claim(worker, row) for row in rows]
        journals = [first.journal(one) for one in (lost, kept)]
        await call(journals[0])
        taker, rows = await joined(second, replace(HERE, take_over=True), "lost")
        assert isinstance(await second.claim(taker, rows[0]), Claim)

        sample = Sample(1, Outcome.NO_EDIT, SCRIPT, UNEDITED)
        refused = [
            call(journals[0], 1),
            journals[0].record_execution(SCRIPT, UNEDITED, RAN),
            journals[0].record_ending(TALK, "done"),
            first.save_sample(lost, sample),
            first.check_codebase(lost, "c"),
            first.mark(lost, Status.FAILED, "broken"),
        ]
        allowed = [call(journals[1]), first.save_sample(kept, sample)]
        ended = await asyncio.gather(*refused, *allowed, return_exceptions=True)
        assert all(isinstance(one, LeaseLost) for one in ended[: len(refused)])
        assert "taken over by pid" in ended[0].message
        assert ended[len(refused) :] == [None, None]
        (told,) = first.beat(worker, [lost, kept]).items()
        assert (told[0], "taken over" in told[1].message) == (lost, True)
        first.leave(worker)  # which ends neither the other's work nor the run
    with Reader(url) as reader:
        there = {row["instance_id"]: row for row in view(reader, "instances")}
        assert (there["lost"]["status"], there["lost"]["error"]) == ("running", "")
        assert there["lost"]["worker"] == taker.key
        assert (there["kept"]["status"], there["kept"]["worker"]) == ("interrupted", None)
        assert len(view(reader, "turns")) == 2
        assert {row["instance_id"] for row in view(reader, "samples")} == {"kept"}
        assert view(reader, "executions") == []
        assert reader.run("r").state is Status.RUNNING


async def test_of_two_workers_that_take_over_the_later_one_gets_it(url):
    with Store(url) as store:
        greedy = replace(HERE, take_over=True)
        first, (row,) = await joined(store, greedy)
        await store.claim(first, row)
        second, _ = await joined(store, greedy)
        assert isinstance(await store.claim(second, row), Claim)
        assert isinstance(await store.claim(first, row), Holder)


async def test_a_worker_that_does_not_wait_is_refused_and_leaves_no_trace(url):
    with Store(url) as store:
        worker, (row,) = await joined(store)
        await store.claim(worker, row)
        with pytest.raises(StoreError, match=r"being worked on .* pid \d+ on") as caught:
            await joined(store, replace(HERE, waits=False), samples=9)
        assert "--take-over" in caught.value.hint
        await joined(store, replace(HERE, waits=False, take_over=True))
    with Reader(url) as reader:
        assert reader.run("r").samples == 1
        assert len(view(reader, "workers")) == 2


async def test_an_instance_that_another_worker_failed_on_is_not_tried_again(url):
    with Store(url) as store:
        first, (row,) = await joined(store)
        second, (seen,) = await joined(store)
        claim = await store.claim(first, row)
        await store.mark(claim, Status.FAILED, "no image")
        assert await store.claim(second, seen) == Ended(Status.FAILED, "no image")
        store.leave(first)
        store.leave(second)
        third, (row,) = await joined(store)  # the same command again
        assert isinstance(await store.claim(third, row), Claim)


async def test_samples_added_meanwhile_are_made_by_the_next_worker(url):
    with Store(url) as store:
        first, rows = await joined(store, HERE, "a", "b", samples=1)
        held = await store.claim(first, rows[0])
        await joined(store, HERE, "a", "b", samples=3)
        later = await store.claim(first, rows[1])
        assert (held.samples, later.samples) == (1, 3)


@pytest.mark.parametrize(
    ("comes_to", "otherwise", "run"),
    [
        ((Status.PATCHED, Status.NO_PATCH), Status.FAILED, Status.FINISHED),
        ((Status.PATCHED, Status.FAILED), Status.INTERRUPTED, Status.FAILED),
        ((Status.PATCHED, None), Status.INTERRUPTED, Status.INTERRUPTED),
        ((Status.PATCHED, None), Status.FAILED, Status.FAILED),
    ],
)
async def test_the_status_of_a_run_follows_from_its_instances(url, comes_to, otherwise, run):
    with Store(url) as store:
        worker, rows = await joined(store, HERE, "a", "b")
        other, _ = await joined(store, HERE, "a", "b")
        for row, status in zip(rows, comes_to, strict=True):
            claim = await store.claim(worker, row)
            if status is not None:
                await store.mark(claim, status)
        store.leave(worker, otherwise)
        with Reader(url) as reader:
            left = None in comes_to
            assert reader.run("r").status is (Status.RUNNING if left else run)
        store.leave(other, otherwise)
    with Reader(url) as reader:
        assert reader.run("r").status is run
        assert [row["worker"] for row in view(reader, "instances")] == [None, None]
        assert all(row["ended_at"] for row in view(reader, "workers"))


async def test_a_worker_that_was_considered_gone_continues_with_its_other_instances(url):
    """The database was away for longer than a lease, say."""
    with Store(url) as store:
        worker, rows = await joined(store, CONTAINER, "a", "b")
        claim = await store.claim(worker, rows[0])
        expire(store, worker)
        other, others = await joined(store, HERE, "a", "b")
        taken = await store.claim(other, others[0])
        await store.mark(taken, Status.PATCHED)
        (error,) = store.beat(worker, [claim]).values()
        assert "the lease ran out" in error.message
        later = await store.claim(worker, rows[1])
        await store.mark(later, Status.PATCHED)
    with Reader(url) as reader:
        assert {row["status"] for row in view(reader, "instances")} == {"patched"}


async def test_a_run_whose_workers_were_killed_is_shown_as_interrupted(url):
    with Store(url) as store:
        worker, (row,) = await joined(store, dead())
        await store.claim(worker, row)
    with Reader(url) as reader:
        run = reader.run("r")
        assert (run.status, run.state, run.workers) == (Status.RUNNING, Status.INTERRUPTED, ())


async def test_a_text_that_another_process_has_removed_is_stored_again(url):
    with Store(url) as store:
        worker, (row,) = await joined(store)
        journal = store.journal(await store.claim(worker, row))
        await call(journal)
        with store._engine.begin() as connection:
            connection.execute(sa.delete(BlobTable))
        await call(journal, 1)
    with Reader(url) as reader:
        last = view(reader, "turns")[-1]
        assert reader.text(last["reply"]) == "reply 1"


def test_two_processes_can_store_the_same_texts_in_opposite_orders(url):
    """PostgreSQL ends one of two transactions that wait for each other: it is tried again."""
    barrier = threading.Barrier(2)

    async def store_all(mine: str, keys: list[str]) -> None:
        with Store(url) as store:
            worker, (row,) = await joined(store, HERE, mine)
            claim = await store.claim(worker, row)
            barrier.wait()
            for key in range(30):
                names = [f"{key}-{n}" for n in keys]
                await asyncio.gather(
                    *(store.save_sample(claim, sample(n, name)) for n, name in enumerate(names))
                )

    def sample(number: int, text: str) -> Sample:
        return Sample(number, Outcome.NO_EDIT, Script(text), UNEDITED)

    open_database(url).dispose()
    orders = [("a", list("123456789")), ("b", list("987654321"))]
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda one: asyncio.run(store_all(*one)), orders))
