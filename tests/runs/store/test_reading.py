"""Records and stories: what comes back of what went in."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from sqlalchemy import create_engine, event
from sqlalchemy.pool import QueuePool

from agent.journal import Kind, TrajectoryId
from agent.outcome import Outcome
from data.errors import StoreError, UsageError
from data.instances.instance import Environment
from runs.show.instance import instance_report
from runs.store.database import sqlite_url
from runs.store.reading import Reader
from runs.store.registry import Status
from runs.store.store import Store
from runs.store.story import Story
from selection.candidates import TestKind
from selection.matrix import Verdict
from selection.selectors.protocol import Reason
from tests.support import goldens, scripted_model
from tests.support.model_server import ModelServer
from tests.support.recorded import record_talks, spec
from tests.support.world import World, instance

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def world(tmp_path_factory, make_url) -> World:
    with ModelServer(scripted_model.answer) as server:
        made = World(tmp_path_factory.mktemp("reading"), server.base_url, make_url())
        asyncio.run(made.solve(job={"name": "first"}))
    return made


@pytest.fixture
def story(world):
    with world.reader() as reader:
        yield reader.story(reader.instance("first", None))


def test_nouns_come_back_whole(story):
    assert story.whole == instance()
    assert story.issue == scripted_model.ISSUE
    assert story.context.count(scripted_model.ISSUE.strip()) == 1
    matrix = story.matrix
    assert [test.script for test in matrix.tests] == [test.script for test in story.tests]
    assert {test.script.suffix for test in story.tests} == {".py"}
    last = [sample.script for sample in story.samples]
    assert set(last) <= {test.script for test in story.tests}
    (chosen,) = [candidate for candidate in story.candidates if candidate.chosen]
    assert chosen.diff == story.patch
    assert story.chosen_sample == chosen.samples[0]


@pytest.mark.parametrize("where", [{"image": "--privileged"}, {"repo_dir": "/proc/1/root"}])
def test_an_environment_that_nobody_could_have_given_is_refused(story, where):
    """The database may be somebody else's."""
    record = replace(story.instance, environment=Environment(**where))
    with pytest.raises(UsageError, match="The stored instance 'calc': "):
        _ = Story(story._reader, record).whole


def test_records_are_typed_and_frozen(story):
    run, one = story.run, story.instance
    assert (run.status, one.status) == (Status.FINISHED, Status.PATCHED)
    assert abs(datetime.now(UTC) - run.created_at) < timedelta(hours=1)
    assert run.finished_at > run.created_at
    assert run.config["samples.editing_turns"] == 3
    assert run.settings["samples.count"] == run.samples == 4
    assert run.edits
    assert one.reason == Reason.SELECTION
    assert one.context_files
    assert isinstance(one.context_files, tuple)
    assert {sample.outcome for sample in story.samples} == {Outcome.DONE, Outcome.NO_EDIT}
    assert {vote.verdict for vote in story.votes} <= set(Verdict)
    assert {test.kind for test in story.tests} <= set(TestKind)
    assert {type(talk.kind) for talk in story.trajectories} == {Kind}
    assert {talk.outcome for talk in story.trajectories} <= {*Outcome, None}
    with pytest.raises(FrozenInstanceError):
        one.chosen = 2


def test_everything_is_in_order(story):
    for numbers in (
        [sample.number for sample in story.samples],
        [candidate.number for candidate in story.candidates],
        [test.number for test in story.tests],
        [(vote.candidate, vote.test) for vote in story.votes],
        [call.number for call in story.calls],
        [execution.number for execution in story.executions],
    ):
        assert numbers == sorted(numbers)
        assert len(numbers) > 1
    order = [talk.key for talk in story.trajectories]
    assert order == [talk.key for talk in story.conversations]  # that of work
    kinds = [
        list(Kind).index(talk.kind) for talk in story.conversations if not talk.trajectory.sample
    ]
    assert kinds == sorted(kinds)
    for talk in story.conversations:
        assert [turn.record.number for turn in talk.turns] == list(range(len(talk.turns)))
    places = [row.candidate.place for row in story.vote_grid.rows if row.candidate]
    assert places == sorted(places)


def test_a_call_for_several_replies_is_counted_once(story):
    assert len(story.calls) == story.run.calls
    turns = [turn.record for talk in story.conversations for turn in talk.turns]
    assert len(turns) > len(story.calls)
    assert {turn.call.number for turn in turns} == {call.number for call in story.calls}


@pytest.mark.slow
def test_an_instance_stored_by_an_older_version_is_incomplete(tmp_path):
    """Nothing says any more where its code was, and how it was set up."""
    troop = goldens.unpack("shell", tmp_path)
    with Reader(sqlite_url(troop.database)) as reader:
        story = reader.story(reader.instance("shell", None))
        assert story.whole is None
        assert {test.script.suffix for test in story.tests if not test.label} == {".sh"}


def test_an_unknown_name_is_reported_with_similar_names(world):
    with world.reader() as reader:
        with pytest.raises(UsageError) as caught:
            reader.run("frist")
        assert "first" in caught.value.hint
        with pytest.raises(UsageError) as caught:
            reader.instance("first", "calk")
        assert "calc" in caught.value.hint
        story = reader.story(reader.instance("first", "calc"))
        assert story.find("sample-1/testign") is None
        with pytest.raises(UsageError) as caught:
            story.conversation("sample-1/testign")
        assert "sample-1/testing" in caught.value.hint


async def test_a_missing_text_is_reported(url):
    await record_talks(url, [TrajectoryId("relevance/a.py", Kind.RELEVANCE)])
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM blob WHERE digest IN (SELECT reply FROM turn)")
    engine.dispose()
    with Reader(url) as reader:
        story = reader.story(reader.instance("r", "calc"))
        with pytest.raises(StoreError, match="lacks the text"):
            _ = story.conversations


async def test_runs_are_in_the_order_in_which_they_began(url):
    with Store(url) as store:
        for name in ("b", "a", "c"):
            await store.begin_run(spec(name), fresh=True)
    with Reader(url) as reader:
        assert [run.name for run in reader.runs()] == ["b", "a", "c"]
        assert reader.run(None).name == "c"


def test_a_page_does_not_read_what_it_does_not_show(world):
    with world.reader() as reader:
        story = reader.story(reader.instance("first", None))
        Console(quiet=True).print(instance_report(story))
        assert not {"conversations", "trajectories", "grades"} & vars(story).keys()


async def test_the_number_of_queries_does_not_grow_with_trajectories(url):
    """Relevance has one for each file; texts are fetched together, too."""
    counts = {}
    for files in (2, 40):
        talks = (TrajectoryId(f"relevance/{n}.py", Kind.RELEVANCE) for n in range(files))
        await record_talks(url, talks, name=f"of-{files}")
        with Reader(url) as reader, counted(reader) as queries:
            story = reader.story(reader.instance(f"of-{files}", "calc"))
            assert len(story.conversations) == files
            assert {talk.turns[0].reply for talk in story.conversations} == {
                f"said by relevance/{n}.py" for n in range(files)
            }
            counts[files] = len(queries)
            _ = story.conversations, story.of_kind(Kind.RELEVANCE)
            assert len(queries) == counts[files]
    assert counts[2] == counts[40]


@contextmanager
def counted(reader: Reader) -> Iterator[list[str]]:
    queries: list[str] = []

    def count(_connection, _cursor, statement, *_rest):
        queries.append(statement)

    event.listen(reader._engine, "before_cursor_execute", count)
    yield queries


async def test_a_story_that_outlives_its_reader_leaves_nothing_open(url):
    """Nor does a reader that nobody closes."""
    await record_talks(url, [TrajectoryId("relevance/a.py", Kind.RELEVANCE)])
    with Reader(url) as reader:
        story = reader.story(reader.instance("r", "calc"))
    assert story.conversations
    unclosed = Reader(url)
    assert unclosed.runs()
    for each in (reader, unclosed):
        assert not isinstance(each._engine.pool, QueuePool) or each._engine.pool.checkedin() == 0
