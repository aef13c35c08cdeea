"""Migration 0005: what a database of schema 0004 holds, as whole as it can be made."""

import hashlib
import json
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
import zstandard
from alembic import command
from alembic.config import Config as Alembic

from agent.scripts import make_script
from data.instances.instance import Environment
from data.languages.languages import find_language
from runs.run.config import digest
from runs.store import database
from runs.store.environments import environment_text, stored_environment
from runs.store.journal import script_key
from runs.store.reading import Reader
from runs.store.registry import RunSpec
from runs.store.store import Store
from sandbox.protocol import Script
from selection.regression.runners import Runner
from selection.regression.scripts import survey_script
from tests.support import goldens, views
from tests.support.world import instance

TODAY = datetime(2026, 1, 1)
CONFIG = {
    "samples.count": 4,
    "samples.editing_turns": 8,
    "context.tokens": 500,
    "selection.turns": 10,
    "selection.votes": "paper",
    "limits.timeout_s": 100.0,
}
RUN = {
    "id": 1,
    "name": "d-m-1",
    "status": "finished",
    "created_at": TODAY,
    "owner": "me",
    "troop_version": "0.1.0",
    "dataset": "d",
    "model": "m",
    "sandbox": "local",
    "replayed": False,
    "config": json.dumps(CONFIG),
    "config_digest": "1",
}
INSTANCE = {
    "id": 1,
    "run_id": 1,
    "instance_id": "i",
    "repo": "",
    "base_commit": "",
    "image": "",
    "digest": "d",
    "problem": "p",
    "codebase": "c",
    "status": "solved",
    "error": "",
    "context_files": "[]",
    "chosen": 1,
    "reason": "vote",
    "patch": "d",
}
SAMPLE = {"instance_id": 1, "outcome": "done", "finished_at": TODAY}
CANDIDATE = {
    "instance_id": 1,
    "diff": "d",
    "patch": "p",
    "samples": "",
    "sources": "",
    "support": 0,
    "size": 1,
    "paper_votes": 0,
    "discriminating_votes": 0,
    "agreement": 1,
    "place": 1,
    "finalist": True,
    "chosen": False,
}
TEST = {"instance_id": 1, "samples": "", "sources": "", "discriminates": True}
EXECUTION = {
    "instance_id": 1,
    "patch": "p",
    "diff": "",
    "ending": "exited",
    "exit_code": 0,
    "output": "o",
    "output_bytes": 0,
    "duration_s": 0.5,
    "repeat": 0,
    "created_at": TODAY,
}


@pytest.fixture
def older(new_url):
    """Fills a database of schema 0004, given the rows of its tables, and brings it up to date."""
    engine = sa.create_engine(new_url)
    config = Alembic()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))

    def fill(texts=(), run=None, **tables) -> str:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "0004")
            blobs = [_compressed(text.encode()) for text in texts]
            for name, rows in {
                "blob": blobs,
                "run": [RUN | (run or {})],
                "instance": [INSTANCE],
                **tables,
            }.items():
                table = sa.Table(name, sa.MetaData(), autoload_with=connection)
                for row in rows:
                    connection.execute(sa.insert(table).values(row))
        engine.dispose()
        return new_url

    return fill


def _compressed(text: bytes) -> dict:
    digest = hashlib.sha256(text).hexdigest()
    return {"digest": digest, "size": len(text), "data": zstandard.compress(text)}


def view(url: str, name: str) -> list:
    with Reader(url) as reader:
        return views.view(reader, name)


def execution(number: int, script: Script, **changes) -> dict:
    key = script_key(script, changes.get("repeat", 0))
    text = hashlib.sha256(script.text.encode()).hexdigest()
    return {**EXECUTION, "id": number, "script": key, "script_text": text, **changes}


def test_scripts_get_back_what_ran_them(older):
    """By the digest of the whole script; every language's, a command's, and a repeat's."""
    names = ("python", "go", "javascript", "ruby", "php")
    scripts = [make_script(find_language(name), f"of {name}\n") for name in names]
    scripts.append(survey_script(Runner("go", command="go test ./..."), "a_test.go"))
    run = [execution(number, script) for number, script in enumerate(scripts, 1)]
    run.append(execution(10, scripts[1], repeat=2))
    tests = [
        {**TEST, "number": n, "script": run[n - 1]["script_text"]} for n in range(1, len(names) + 2)
    ]
    unknown = {**EXECUTION, "id": 11, "script": "s", "script_text": "t"}
    url = older(
        [script.text for script in scripts],
        execution=[*run, unknown],
        test=[*tests, {**TEST, "number": 9, "script": "never run"}],
        sample=[
            {**SAMPLE, "number": 1, "script": run[2]["script_text"]},
            {**SAMPLE, "number": 2, "script": "never run"},
            {**SAMPLE, "number": 3, "script": None},
        ],
    )
    wanted = [(script.interpreter, script.suffix) for script in scripts]
    assert len(set(wanted)) == 6
    python = ("python", ".py")
    found = {
        name: [
            (row["interpreter"], row["suffix"])
            for row in sorted(view(url, name), key=lambda row: row[name.removesuffix("s")])
        ]
        for name in ("executions", "tests", "samples")
    }
    assert found["executions"] == [*wanted, wanted[1], python]
    assert found["tests"] == [*wanted, python]
    assert found["samples"] == [wanted[2], python, (None, None)]


def test_sources_and_samples_have_rows_of_their_own(older):
    url = older(
        sample=[{**SAMPLE, "number": n, "candidate": 1, "test": 2} for n in (2, 10)],
        candidate=[
            {**CANDIDATE, "number": 1, "samples": "2 10", "sources": "a b", "support": 4},
            {**CANDIDATE, "number": 2, "sources": "System One", "support": 1},
            {**CANDIDATE, "number": 3, "sources": "system two three", "support": 2},
            {**CANDIDATE, "number": 4, "sources": "", "support": 1},
        ],
        test=[
            {**TEST, "number": 1, "script": "s", "sources": "first second"},
            {**TEST, "number": 2, "script": "s", "samples": "2 10"},
        ],
    )
    candidates = {row["candidate"]: row for row in view(url, "candidates")}
    assert candidates[1]["samples"] == "2 10"
    assert [candidates[n]["sources"] for n in (1, 2, 3, 4)] == [
        *("a, b", "System One", "system two three", "")
    ]
    tests = {row["test"]: row for row in view(url, "tests")}
    assert [tests[n]["samples"] for n in (1, 2)] == ["", "2 10"]
    assert [tests[n]["sources"] for n in (1, 2)] == ["first, second", ""]
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        query = "SELECT kind, number, place, name FROM source ORDER BY kind, number, place"
        rows = connection.exec_driver_sql(query).all()
    engine.dispose()
    assert rows == [
        *(("candidate", 1, 1, "a"), ("candidate", 1, 2, "b"), ("candidate", 2, 1, "System One")),
        *(("candidate", 3, place, "system two three") for place in (1, 2)),
        *(("candidate", 4, 1, ""), ("test", 1, 1, "first"), ("test", 1, 2, "second")),
    ]


def test_samples_patches_are_known_by_their_files(older):
    url = older(
        execution=[{**EXECUTION, "id": 1, "script": "s", "script_text": "t", "diff": "run"}],
        candidate=[{**CANDIDATE, "number": 1, "diff": "raced", "patch": "q"}],
        sample=[
            {**SAMPLE, "number": n, "diff": diff}
            for n, diff in enumerate(("run", "raced", "neither", None), 1)
        ],
    )
    samples = sorted(view(url, "samples"), key=lambda row: row["sample"])
    assert [row["patch"] for row in samples] == ["p", "q", None, None]
    assert view(url, "instances")[0]["samples"] == 4


@pytest.mark.parametrize(
    ("before", "after", "samples"),
    [
        ({}, {"samples.strategy": "codemonkeys", "selection.selector": "selection"}, 4),
        (
            {"samples.editing_turns": 0},
            {"samples.strategy": "tests-only", "samples.editing_turns": 8},
            4,
        ),
        (
            {"samples.count": 0, "selection.turns": 0},
            {
                "samples.strategy": "none",
                "selection.selector": "paper",
                "selection.turns": 10,
                "selection.votes": "paper",
            },
            0,
        ),
    ],
)
def test_modes_by_zero_have_names(older, before, after, samples):
    url = older(run={"config": json.dumps(CONFIG | before)})
    engine = database.open_database(url)
    with engine.connect() as connection:
        query = "SELECT samples, config, config_digest FROM run"
        stored = connection.exec_driver_sql(query).one()
    engine.dispose()
    config = json.loads(stored.config)
    assert after.items() <= config.items()
    assert "samples.count" not in config
    assert config.keys() - CONFIG.keys() == {"samples.strategy", "selection.selector"}
    assert stored.samples == samples
    assert stored.config_digest == digest(config)


async def test_an_older_run_is_continued_and_its_environment_is_noted(older):
    """By a command that knows of a setting that was not there yet."""
    given = instance()
    url = older(
        run={"dataset": "d", "status": "interrupted"},
        instance=[{**INSTANCE, "instance_id": given.instance_id, "digest": given.digest}],
    )
    assert view(url, "instances")[0]["environment"] is None
    config = CONFIG | {"samples.strategy": "codemonkeys", "selection.selector": "selection"}
    del config["samples.count"]
    spec = RunSpec(
        name="",
        dataset="d",
        model="m",
        sandbox="local",
        replayed=False,
        config=config | {"later": 1},
        config_digest="2",
        owner="me",
        version="1",
        samples=4,
        defaults={"later": 1},
    )
    with Store(url) as store:
        run = await store.begin_run(spec, fresh=False)
        assert (run.name, run.resumed, run.samples) == ("d-m-1", True, 4)
        await store.enter(run, [given])
    (row,) = view(url, "instances")
    assert stored_environment(row["environment"]) == given.environment


def test_environments_come_back():
    for environment in (
        Environment(),
        Environment("i", "/r", "a\n", Path("/s\udcff"), "s", "c++"),
    ):
        assert stored_environment(environment_text(environment)) == environment


@pytest.mark.slow
@pytest.mark.parametrize("name", ["plain", "shell", "command", "guests", "dataset", "ensemble"])
def test_every_stored_script_is_whole(tmp_path, name):
    """In databases that 0.1.0 wrote, executions are known by the digest of what is stored now."""
    troop, seen = goldens.unpack(name, tmp_path), 0
    with Reader(database.sqlite_url(troop.database)) as reader:
        for stored in (one for run in reader.runs() for one in reader.instances(run.name)):
            story = reader.story(stored)
            ran = {one.number: one for one in story.executions}
            tests = {test.number: test.script for test in story.tests}
            for vote in story.votes:
                row = ran[vote.execution]
                script = Script(reader.text(row.script), row.interpreter, row.suffix)
                assert tests[vote.test] == script
                assert _key(troop, vote.execution) == script_key(script, 0)
                seen += 1
    assert seen


def _key(troop, execution: int) -> str:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(troop.database)) as stored:
        query = "SELECT script FROM execution WHERE id = ?"
        return stored.execute(query, (execution,)).fetchone()[0]
