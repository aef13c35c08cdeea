"""The store: journal, runs, views, and what is said when a database cannot be used."""

import asyncio
import gc
import os
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from agent.journal import Kind, RecordedEnding, TrajectoryId, TurnPrompt
from agent.model import Choice, Finish, Message, ModelRequest, Reply, Response, Usage
from agent.outcome import Outcome
from agent.strategies.protocol import Sample
from data.errors import StoreError, UsageError
from data.patches.patch import UNEDITED, FileChange, Patch
from runs.store import database
from runs.store.database import HEAD, open_database, open_reading, sqlite_url
from runs.store.environments import stored_environment
from runs.store.ownership import Terms
from runs.store.query import ask
from runs.store.reading import Reader
from runs.store.registry import RunSpec, Status
from runs.store.store import Store
from runs.store.tables import Base
from sandbox.protocol import Ending, Execution, Script
from selection.matrix import Matrix
from selection.selectors.protocol import Ranking
from selection.solution import Solution
from tests.support import claims
from tests.support.views import view
from tests.support.waiting import HANG_S
from tests.support.world import instance

TESTING = TrajectoryId("sample-1/testing", Kind.TESTING, 1)
OTHER = TrajectoryId("sample-2/testing", Kind.TESTING, 2)
SELECTION = TrajectoryId("selection", Kind.SELECTION)
SCRIPT = Script("print(1)\n")
RAN = Execution(Ending.EXITED, 2, "out \x00 \udcff", 7, 0.25)


def spec(**changes) -> RunSpec:
    values = {
        "name": "",
        "dataset": "d.jsonl",
        "model": "m",
        "sandbox": "plain",
        "replayed": False,
        "config": {"context.tokens": 4},
        "config_digest": "1",
        "owner": "me",
        "version": "0",
        "samples": 4,
    }
    return RunSpec(**values | changes)


async def begun(store: Store, **changes):
    return await claims.begun(store, spec(**changes), instance())


def request(*siblings: str) -> ModelRequest:
    return ModelRequest(TESTING.key, 0, "m", (Message("user", "hi"),), 0.5, 10, siblings)


def prompt(trajectory: TrajectoryId = TESTING, turn: int = 0) -> TurnPrompt:
    return TurnPrompt(trajectory, turn, "digest", f"prompt {turn}", "system", "context")


async def test_names_that_are_not_utf8_are_stored_and_recalled(url):
    key = "relevance/caf\udce9 \0.py"
    odd = TrajectoryId(key, Kind.RELEVANCE)
    with Store(url) as store:
        _, row = await begun(store, dataset="rows-\udcff.jsonl")
        journal = store.journal(row)
        reply = Response((Choice("yes", Finish.STOP),), None, 1.5)
        await journal.record_call(request(), reply, [prompt(odd)], None)
        await journal.record_ending(odd, "done")
        assert journal.recall_turn(key, 0).reply.choice.text == "yes"
    with Store(url) as store:
        _, row = await begun(store, dataset="rows-\udcff.jsonl")
        journal = store.journal(row)
        assert journal.recall_turn(key, 0).reply.choice.text == "yes"
        assert journal.recall_ending(key).outcome == "done"
    assert ask(url, "SELECT dataset FROM runs").rows == [("rows-\\udcff.jsonl",)]


async def test_what_is_recorded_is_recalled_after_opening_again(url):
    usage = Usage(1000, 100, 400)
    with Store(url) as store:
        _, row = await begun(store)
        journal = store.journal(row)
        reply = Response((Choice("yes \U0001f600", Finish.STOP, "thought"),), usage, 1.5)
        await journal.record_call(request(), reply, [prompt()], 0.001)
        await journal.record_execution(SCRIPT, UNEDITED, RAN)
        await journal.record_use(TESTING, 1, "before", SCRIPT, UNEDITED)
        await journal.record_ending(TESTING, "done")
        assert journal.recall_turn(TESTING.key, 0).reply.choice.text == "yes \U0001f600"
    with Store(url) as store:
        _, row = await begun(store)
        journal = store.journal(row)
        recalled = journal.recall_turn(TESTING.key, 0)
        assert recalled.digest == "digest"
        assert recalled.reply == Reply(Choice("yes \U0001f600", Finish.STOP), usage, 0.001)
        assert journal.recall_ending(TESTING.key) == RecordedEnding("done", "yes \U0001f600")
        assert journal.recall_ending(OTHER.key) is None
        assert journal.recall_execution(SCRIPT, UNEDITED) == RAN
        assert journal.recall_turn(TESTING.key, 1) is None
        assert journal.recall_execution(Script("other"), UNEDITED) is None
    with Reader(url) as reader:
        (turn,) = view(reader, "turns")
        assert turn["cost_usd"] == 0.001
        story = reader.story(reader.instance(turn["run"], "calc"))
        talk = story.conversation(TESTING.key)
        assert (talk.system, talk.prefix) == ("system", "context")
        assert (talk.kind, talk.trajectory.outcome) == (Kind.TESTING, "done")
        (seen,) = talk.turns[0].executions
        assert (seen.execution, seen.script) == (RAN, SCRIPT)


async def test_one_request_for_several_trajectories_is_counted_once(url):
    with Store(url) as store:
        _, row = await begun(store)
        journal = store.journal(row)
        choices = (Choice("a", Finish.STOP), Choice("b", Finish.STOP))
        response = Response(choices, Usage(100, 20), 0.1)
        await journal.record_call(request(OTHER.key), response, [prompt(), prompt(OTHER)], 0.00012)
        assert journal.recall_turn(OTHER.key, 0).reply.choice.text == "b"
    with Reader(url) as reader:
        (stage,) = view(reader, "cost_by_stage")
        assert (stage["calls"], stage["prompt_tokens"]) == (1, 100)
        assert stage["cost_usd"] == pytest.approx(120 / 1e6)


async def test_recording_twice_is_no_error_where_it_may_happen(url):
    with Store(url) as store:
        _, row = await begun(store)
        journal = store.journal(row)
        for _ in range(2):
            await journal.record_execution(SCRIPT, UNEDITED, RAN)
            await journal.record_use(TESTING, 1, "before", SCRIPT, UNEDITED)
            await journal.record_ending(TESTING, "done")
    with Reader(url) as reader:
        assert len(view(reader, "executions")) == 1


async def test_a_text_is_stored_once_however_often_it_is_used(url):
    with Store(url) as store:
        _, row = await begun(store)
        journal = store.journal(row)
        for turn in range(5):
            response = Response((Choice("the same" * 100, Finish.STOP),), None, 0.1)
            await journal.record_call(request(), response, [prompt(turn=turn)], None)
    with Reader(url) as reader:
        replies = {row["reply"] for row in view(reader, "turns")}
        assert len(replies) == 1


async def test_one_refused_write_does_not_take_others_with_it(url):
    with Store(url) as store:
        _, row = await begun(store)
        journal = store.journal(row)
        response = Response((Choice("a", Finish.STOP),), None, 0.1)
        await journal.record_call(request(), response, [prompt()], None)
        work = [journal.record_call(request(), response, [prompt(turn=t)], None) for t in (0, 1, 2)]
        ended = await asyncio.gather(*work, return_exceptions=True)
    assert isinstance(ended[0], StoreError)  # turn 0 is there already
    assert ended[1:] == [None, None]
    with Reader(url) as reader:
        assert sorted(row["turn"] for row in view(reader, "turns")) == [0, 1, 2]
        assert all(reader.text(row["reply"]) == "a" for row in view(reader, "turns"))


async def test_a_write_that_fails_after_its_caller_was_cancelled_prints_nothing(url):
    printed, go_on = [], threading.Event()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: printed.append(context))

    def fail(_connection):
        go_on.wait(HANG_S)
        raise StoreError("It fails.")

    with Store(url) as store:
        waiting = asyncio.ensure_future(store._writer.write(fail))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        go_on.set()
    await asyncio.sleep(0.01)  # the writer's thread has ended; its answer is taken now
    gc.collect()
    assert printed == []


async def test_the_same_command_continues_the_same_run(url):
    with Store(url) as store:
        first, _ = await begun(store)
        again, _ = await begun(store)
        other, _ = await begun(store, config_digest="2", config={"context.tokens": 5})
        assert (first.name, first.resumed) == ("d-m-1", False)
        assert (again.key, again.resumed) == (first.key, True)
        assert other.name == "d-m-2"


async def test_a_named_run_with_another_configuration_is_refused(url):
    with Store(url) as store:
        await begun(store, name="mine")
        with pytest.raises(UsageError, match=r"context\.tokens: 4 in the run, 5 now"):
            await begun(store, name="mine", config={"context.tokens": 5})
        with pytest.raises(UsageError, match="There is a run mine already"):
            await store.begin_run(spec(name="mine"), fresh=True)


async def test_a_run_grows_and_keeps_what_was_bought(url):
    with Store(url) as store:
        found = [
            await store.begin_run(spec(samples=samples, samples_given=given), fresh=False)
            for samples, given in ((4, False), (10, False), (2, True), (6, True), (4, True))
        ]
    assert [run.samples for run in found] == [4, 4, 4, 6, 6]
    assert len({run.key for run in found}) == 1
    with Reader(url) as reader:
        assert reader.run(found[0].name).samples == 6


async def with_selection(store: Store, samples: int):
    """A run whose samples have ended and whose selection trajectory has a reply."""
    run, row = await begun(store, samples=samples)
    for number in range(1, samples + 1):
        await store.save_sample(row, Sample(number, Outcome.NO_EDIT, SCRIPT, UNEDITED))
    await ask_selection(store, row)
    return run, row


async def ask_selection(store: Store, row) -> None:
    response = Response((Choice("chosen", Finish.STOP),), None, 0.1)
    journal = store.journal(row)
    await journal.record_call(request(), response, [prompt(SELECTION)], None)


async def grown(store: Store, samples: int):
    """The instance, claimed to be brought to its end, in the run with so many samples bought."""
    wanted = spec(samples=samples, samples_given=True)
    terms = Terms(60, take_over=True)
    _, worker, (row,) = await store.begin(wanted, [instance()], terms, fresh=False)
    return await store.claim(worker, row)


async def test_an_instance_chosen_from_fewer_samples_waits_again(url):
    """Its selection is asked anew; what was answered before is kept under another key."""
    nothing = Solution(0, (), Matrix("calc", (), (), {}), (), (), Ranking((), ""))
    with Store(url) as store:
        _, row = await with_selection(store, 2)
        await store.save_solution(row, replace(nothing, samples=2))
        assert (await grown(store, 2)).status is Status.NO_PATCH
        for samples in (3, 4):
            row = await grown(store, samples)
            assert row.samples == samples
        assert store.journal(row).recall_turn("selection", 0) is None
        await ask_selection(store, row)  # where the other is known to the writer
        await store.save_solution(row, replace(nothing, samples=4))
        assert (await grown(store, 4)).status is Status.NO_PATCH
    with Reader(url) as reader:
        talks = {row["trajectory"]: row["turns"] for row in view(reader, "trajectories")}
        assert talks == {"selection": 1, "selection-of-2": 1}
        assert view(reader, "instances")[0]["samples"] == 4


async def test_an_interrupted_selection_is_asked_again_with_more_samples(url):
    with Store(url) as store:
        await with_selection(store, 2)
        row = await grown(store, 2)
        assert store.journal(row).recall_turn("selection", 0) is not None
        row = await grown(store, 3)
        assert store.journal(row).recall_turn("selection", 0) is None
    with Reader(url) as reader:
        (talk,) = view(reader, "trajectories")
        assert talk["trajectory"] == "selection-of-2"


async def test_looking_an_instance_up_does_not_grow_it(url):
    with Store(url) as store:
        run, row = await with_selection(store, 2)
        await store.mark(row, Status.PATCHED)
        run = await store.begin_run(spec(samples=3, samples_given=True), fresh=False)
        found = await store.find(run, "calc", instance())
        assert found.status is Status.PATCHED
        with pytest.raises(UsageError, match="has changed since"):
            await store.find(run, "calc", replace(instance(), problem_statement="another"))
        row = await claims.claimed(store, run, found)
        assert store.journal(row).recall_turn("selection", 0) is not None


async def test_environments_and_samples_are_stored_whole(url, tmp_path):
    given = instance()
    moved = replace(given, environment=replace(given.environment, source=tmp_path))
    patch = Patch.of("d\n", (FileChange("a", b"b"),))
    script = Script("1", "node", ".js")
    with Store(url) as store:
        _, worker, (entered,) = await store.begin(spec(), [given], Terms(60), fresh=False)
        row = await store.claim(worker, entered, moved)
        await store.save_sample(row, Sample(1, Outcome.DONE, script, patch))
    with Reader(url) as reader:
        (stored,) = view(reader, "instances")
        assert stored_environment(stored["environment"]) == moved.environment
        (sample,) = view(reader, "samples")
        assert (sample["interpreter"], sample["suffix"]) == ("node", ".js")
        assert sample["patch"] == patch.digest


@pytest.mark.parametrize("there", [False, True])
def test_several_processes_that_begin_a_run_at_once_share_it(url, there):
    open_database(url).dispose()
    if there:
        with Store(url) as store:
            asyncio.run(begun(store, name="r"))
    barrier = threading.Barrier(4)

    def begin(owner: str) -> tuple[int, int, bool]:
        with Store(url) as store:
            barrier.wait()
            given = [instance("a"), instance("b")]
            work = store.begin(spec(name="r", owner=owner), given, Terms(60), fresh=False)
            run, worker, rows = asyncio.run(work)
            return run.key, worker.key, tuple(row.key for row in rows)

    with ThreadPoolExecutor() as threads:
        runs, workers, rows = zip(*threads.map(begin, "abcd"), strict=True)
    assert len(set(runs)) == 1
    assert len(set(workers)) == 4
    assert len(set(rows)) == 1


async def test_a_changed_issue_is_refused(url):
    with Store(url) as store:
        run, _ = await begun(store)
        changed = instance()
        object.__setattr__(changed, "problem_statement", "another")
        with pytest.raises(UsageError, match="has changed since"):
            await store.enter(run, [changed])


async def test_a_changed_codebase_is_refused(url):
    with Store(url) as store:
        _, row = await begun(store)
        await store.check_codebase(row, "one")
        await store.check_codebase(row, "one")
        with pytest.raises(UsageError, match="codebase of calc has changed"):
            await store.check_codebase(row, "two")


async def test_what_was_running_when_the_run_ended_was_interrupted(url):
    with Store(url) as store:
        run, row = await begun(store)
        await store.mark(row, Status.RUNNING)
        store.leave(row.worker, Status.INTERRUPTED)
    with Reader(url) as reader:
        assert reader.instance(run.name, "calc").status is Status.INTERRUPTED
        assert reader.run(run.name).status is Status.INTERRUPTED


async def test_after_the_end_of_a_run_another_is_written(url):
    with Store(url) as store:
        run, row = await begun(store)
        store.leave(row.worker)
        again, _ = await asyncio.wait_for(begun(store), 30)
        assert again.key == run.key


async def test_a_closed_store_refuses_to_write(url):
    with Store(url) as store:
        _, row = await begun(store)
        journal = store.journal(row)
    with pytest.raises(StoreError, match="closed"):
        await asyncio.wait_for(store.mark(row, Status.PATCHED), 30)
    with pytest.raises(StoreError, match="closed"):
        await asyncio.wait_for(journal.record_ending(TESTING, "done"), 30)
    with pytest.raises(StoreError, match="closed"):
        store.leave(row.worker)
    store.close()


def test_the_migrations_make_the_tables(new_url):
    engine = open_database(new_url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()
    folder = Path(database.__file__).parent / "migrations"
    assert ScriptDirectory(str(folder)).get_current_head() == HEAD


def test_a_file_that_is_not_a_database_is_not_changed(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("not a database, and longer than a header of one hundred bytes" * 10)
    before = file.read_bytes()
    with pytest.raises(StoreError, match="not a database") as caught:
        open_database(sqlite_url(file))
    assert "--db" in caught.value.hint
    assert file.read_bytes() == before


def test_another_programs_database_is_not_changed(tmp_path):
    file = tmp_path / "other.db"
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    with pytest.raises(StoreError, match="not one of Troop's"):
        open_database(sqlite_url(file))


def test_a_newer_database_is_not_changed(tmp_path):
    file = tmp_path / "troop.db"
    open_database(sqlite_url(file)).dispose()
    with sqlite3.connect(file) as newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
    newer.close()
    with pytest.raises(StoreError, match="newer version of Troop") as caught:
        open_reading(sqlite_url(file))
    assert "upgrade" in caught.value.hint


def test_a_missing_database_is_reported_when_reading(tmp_path):
    with pytest.raises(StoreError, match="There is no database"):
        open_reading(sqlite_url(tmp_path / "none.db"))


def test_a_damaged_database_is_reported(tmp_path):
    file = tmp_path / "troop.db"
    open_database(sqlite_url(file)).dispose()
    with file.open("r+b") as damaged:
        damaged.seek(100)
        damaged.write(os.urandom(8000))
    with pytest.raises(StoreError):
        open_database(sqlite_url(file))


FULL_DISK = """
import asyncio, resource, signal, sys
from runs.store.database import sqlite_url
from runs.store.store import Store
from data.errors import StoreError
from pathlib import Path
from tests.runs.store.test_store import begun, prompt, request
from agent.model import Choice, Finish, Response
from agent.prices import Prices
import random

async def main():
    stored = 0
    with Store(sqlite_url(Path(sys.argv[1]))) as store:
        _, row = await begun(store)
        journal = store.journal(row)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
        try:
            for turn in range(100):
                text = "".join(random.choices("abcdefghijklmnop", k=50_000))
                response = Response((Choice(text, Finish.STOP),), None, 0.1)
                await journal.record_call(request(), response, [prompt(turn=turn)], None)
                stored += 1
        except StoreError as error:
            print(stored, bool(error.hint))

asyncio.run(main())
"""


@pytest.mark.slow
def test_a_full_disk_is_reported_and_loses_nothing(tmp_path):
    """The limit on file size stands for the disk: writes beyond it fail in the middle."""
    file = tmp_path / "troop.db"
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    stored, told = done.stdout.split()
    assert told == "True", done.stderr
    assert int(stored) > 3
    with Reader(sqlite_url(file)) as reader:
        turns = view(reader, "turns")
        assert len(turns) == int(stored)
        assert all(len(reader.text(turn["reply"])) == 50_000 for turn in turns)


OLDER = """
INSERT INTO run VALUES (1,'r','finished','2026-01-01',NULL,'me','0','d','m','plain',0,'{}','1');
INSERT INTO instance VALUES
    (1,1,'i','','','','d','p','c','solved','',NULL,NULL,'',NULL,'',NULL);
INSERT INTO test (id,instance_id,number,script,samples,discriminates) VALUES (1,1,1,'s','1',1);
INSERT INTO execution
    (id,instance_id,script,script_text,patch,diff,ending,exit_code,output,output_bytes,duration_s,
     created_at)
    VALUES (1,1,'s','s','p','','exited',0,'o',0,0.5,'2026-01-01');
INSERT INTO vote (id,instance_id,candidate,test,verdict,execution_id) VALUES (1,1,0,1,'pass',1);
"""


def test_an_older_database_is_brought_up_to_date_with_what_it_holds(tmp_path):
    file = tmp_path / "troop.db"
    engine = create_engine(sqlite_url(file))
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    with sqlite3.connect(file) as older:
        older.executescript(OLDER)
    older.close()
    with Reader(sqlite_url(file)) as reader:
        (test,) = view(reader, "tests")
        (vote,) = view(reader, "votes")
        (execution,) = view(reader, "executions")
    assert (test["kind"], test["label"], test["flaky"]) == ("generated", "", 0)
    assert (vote["verdict"], vote["broken"]) == ("pass", None)
    assert execution["repeat"] == 0


async def test_an_execution_that_is_repeated_is_another(url):
    with Store(url) as store:
        _, row = await begun(store)
        journal = store.journal(row)
        for repeat, code in enumerate((2, 0)):
            ran = Execution(Ending.EXITED, code, "", 0, 0.1)
            await journal.record_execution(SCRIPT, UNEDITED, ran, repeat)
            await journal.record_use(TESTING, repeat, "repeat", SCRIPT, UNEDITED, repeat=repeat)
        assert journal.recall_execution(SCRIPT, UNEDITED, 2) is None
    with Store(url) as store:
        _, row = await begun(store)
        journal = store.journal(row)
        codes = [journal.recall_execution(SCRIPT, UNEDITED, repeat).exit_code for repeat in (0, 1)]
    assert codes == [2, 0]
    with Reader(url) as reader:
        seen = view(reader, "trajectory_executions", purpose="repeat")
        assert [(row["turn"], row["exit_code"]) for row in seen] == [(0, 2), (1, 0)]
        assert [row["repeat"] for row in view(reader, "executions")] == [0, 1]
