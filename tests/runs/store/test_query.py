"""Questions to the database: the same answers from both, and nothing is changed by any."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import replace

import pytest
import sqlalchemy as sa

from data.errors import TroopError, UsageError
from runs.store.database import open_database
from runs.store.query import ask
from runs.store.reading import Reader
from runs.store.store import Store
from runs.store.views import VIEWS
from tests.runs.store.test_store import begun, spec
from tests.support.world import instance

ENDLESS = "WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t) SELECT max(x) FROM t"


async def holding(url: str, *texts: str) -> None:
    """Instances with these issues."""
    with Store(url) as store:
        run = await store.begin_run(spec(), fresh=False)
        given = [replace(instance(f"i{n}"), problem_statement=text) for n, text in enumerate(texts)]
        await store.enter(run, given)


async def test_every_view_has_the_columns_it_describes(url):
    with Store(url) as store:
        await begun(store)
    for each in VIEWS:
        answer = ask(url, f"SELECT * FROM {each.name}")
        assert list(answer.columns) == [name for name, _, _ in each.columns]


async def test_texts_are_read_searched_and_counted(url):
    await holding(url, "first % issue", "", "日本 \U0001f600\t\\x00 %s", "x" * 500_000)
    texts = ask(url, "SELECT content(problem) FROM instances").rows
    assert [len(text) for (text,) in texts] == [13, 0, 12, 500_000]
    found = ask(
        url, "SELECT instance_id FROM instances WHERE content(problem) LIKE '%t \\%%' ESCAPE '\\'"
    )
    assert found.rows == [("i0",)]
    assert ask(url, "SELECT content(NULL), content('nowhere')").rows == [(None, None)]


async def test_texts_that_sql_cannot_hold_are_escaped_and_survive(url):
    odd = "a\0b \udcff\udc80 \ud800 é \\000 \\\\355\\240\\200 ¶ ퟿ \\\0 end\\"
    await holding(url, odd)
    ((shown,),) = ask(url, "SELECT content(problem) FROM instances").rows
    assert shown == ("a\\x00b \\udcff\\udc80 \\ud800 é \\000 \\\\355\\240\\200 ¶ ퟿ \\\\x00 end\\")
    with Reader(url) as reader:
        (one,) = reader.instances(reader.run(None).name)
        assert reader.text(one.issue) == odd


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM run",
        "CREATE TABLE x (y)",
        "CREATE TEMP TABLE x (y int)",
        "UPDATE run SET name = 'x'",
        "INSERT INTO run (name) VALUES ('x')",
        "DROP VIEW runs",
        "VACUUM",
        "PRAGMA query_only=OFF",
        "PRAGMA writable_schema=ON",
        "ATTACH '{folder}/elsewhere.db' AS e",
        "VACUUM INTO '{folder}/elsewhere.db'",
        "SELECT load_extension('{folder}/elsewhere.db')",
        "SELECT 1; DELETE FROM run",
        "SELECT 1; COMMIT; DELETE FROM run",
        "COMMIT; DELETE FROM run; BEGIN",
        "BEGIN; DELETE FROM run; COMMIT",
        "SET TRANSACTION READ WRITE",
        "SET TRANSACTION READ WRITE; DELETE FROM run; COMMIT",
        "WITH gone AS (DELETE FROM run RETURNING id) SELECT * FROM gone",
        "SELECT id INTO copied FROM run",
        "SELECT set_config('transaction_read_only', 'off', false)",
        "SELECT nextval('run_id_seq')",
        "SELECT setval('run_id_seq', 1000)",
        "SELECT * FROM run FOR UPDATE",
        "COPY (SELECT 1) TO '{folder}/elsewhere.db'",
        "COPY (SELECT 1) TO PROGRAM 'touch {folder}/elsewhere.db'",
        "DO $$ BEGIN DELETE FROM run; END $$",
        "EXPLAIN ANALYZE DELETE FROM run",
        "",
        ";",
        "-- nothing",
    ],
)
async def test_nothing_is_written(url, tmp_path, statement):
    with Store(url) as store:
        await begun(store)
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o777)
    with pytest.raises(UsageError):
        ask(url, statement.format(folder=shared))
    assert ask(url, "SELECT count(*) FROM run").rows == [(1,)]
    assert not list(shared.iterdir())


async def test_large_objects_are_not_kept(url, dialect):
    """A read-only transaction of PostgreSQL 15 lets them be made; none is committed."""
    if dialect != "postgresql":
        pytest.skip("SQLite has none")
    with Store(url) as store:
        await begun(store)
    ask(url, "SELECT lo_create(4711)")
    assert ask(url, "SELECT count(*) FROM pg_largeobject_metadata").rows == [(0,)]


@pytest.mark.parametrize(
    ("statement", "hint"),
    [
        ("SELECT * FROM nowhere", "cost_by_stage"),
        ("SELECT nowhere FROM runs", "--views"),
        ("DELETE FROM run", "only reads"),
    ],
)
async def test_errors_are_one_line(url, statement, hint):
    with pytest.raises(UsageError) as caught:
        ask(url, statement)
    assert hint in caught.value.hint
    assert "\n" not in caught.value.message


async def test_json_can_be_taken_apart(url, dialect):
    with Store(url) as store:
        await begun(store)
    config = {"sqlite": "config", "postgresql": "CAST(config AS json)"}[dialect]
    query = f"SELECT j.value FROM runs, json_each({config}) j WHERE j.key = 'context.tokens'"
    assert ask(url, query).rows == [(4,)]


async def test_values_are_alike(url):
    with Store(url) as store:
        await begun(store)
    (row,) = ask(
        url,
        "SELECT replayed, created_at, sum(calls), avg(samples), cost_usd FROM runs"
        " GROUP BY 1, 2, 5",
    ).rows
    assert (row[0], row[2], row[3], row[4]) == (0, 0, 4.0, None)
    assert not isinstance(row[0], bool)
    assert len(row[1]) == len("2026-01-01 00:00:00.000000")


def test_a_query_is_stopped_in_time(url):
    with pytest.raises(UsageError, match="took longer than"):
        ask(url, ENDLESS, timeout_s=0.3)
    assert ask(url, "SELECT 1", timeout_s=math.inf).rows == [(1,)]


NAMES = ("Zoë", "a-b", "ab", "a_b", "B", "zebra", "aB", "a.c", "Ä", "10", "9", "日本")
"""People sort them in another order than their bytes."""


async def test_texts_are_in_the_order_of_their_bytes(url):
    with Store(url) as store:
        run = await store.begin_run(spec(), fresh=False)
        await store.enter(run, [instance(name) for name in NAMES])
    wanted = sorted(NAMES)
    query = "SELECT instance_id FROM instances"
    for asked in (
        query,
        f"{query} ORDER BY instance_id",
        f"{query} ORDER BY lower(run), instance_id",
    ):
        assert [name for (name,) in ask(url, asked).rows] == wanted
    ((first, last),) = ask(url, "SELECT min(instance_id), max(instance_id) FROM instances").rows
    assert (first, last) == (wanted[0], wanted[-1])
    with Reader(url) as reader:
        assert [one.instance_id for one in reader.instances(run.name)] == wanted


@pytest.mark.slow
def test_a_language_would_sort_these_texts_in_another_order(postgres):
    """The database of the test before has such an order, or the test could not fail."""
    values = ", ".join(f"('{name}')" for name in NAMES)
    with postgres.lending() as lend:
        url = lend(postgres.migrated())
        found = ask(url, f"SELECT n FROM (VALUES {values}) AS v(n) ORDER BY n").rows
    assert [name for (name,) in found] != sorted(NAMES)


async def test_every_column_of_text_is_ordered_by_bytes(url, dialect):
    if dialect != "postgresql":
        pytest.skip("SQLite has no other order")
    engine = open_database(url)
    query = (
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND data_type IN ('text', 'character varying')"
        " AND collation_name IS DISTINCT FROM 'C' AND table_name <> 'alembic_version'"
        " AND table_name IN (SELECT tablename FROM pg_tables)"
    )
    with engine.connect() as connection:
        assert connection.execute(sa.text(query)).all() == []
    engine.dispose()


async def test_rows_stay_in_order_when_they_are_written_again(url):
    """PostgreSQL moves a row that is updated to the end."""
    with Store(url) as store:
        for name in ("c", "a", "b"):
            await store.begin_run(spec(name=name), fresh=False)
        run = await store.begin_run(spec(name="c"), fresh=False)
        await store.enter(run, [instance(name) for name in ("y", "z", "x")])
        await store.enter(run, [instance("y")])
    assert ask(url, "SELECT run FROM runs").rows == [("c",), ("a",), ("b",)]
    assert ask(url, "SELECT instance_id FROM instances").rows == [("x",), ("y",), ("z",)]


@pytest.mark.slow
def test_ctrl_c_stops_a_query_at_once(url, dialect):
    """SQLite would not notice before its next row; of an aggregate, that is the end."""
    import signal
    import subprocess
    import sys

    open_database(url).dispose()
    command = [sys.executable, "-m", "runs", "sql", "--db", url, ENDLESS]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        time.sleep(4)  # asked by now, or stopped before: both end with 130
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors


def test_asking_while_somebody_writes(url):
    """A reader of SQLite waits for nobody, and PostgreSQL's neither."""

    async def work() -> None:
        with Store(url) as store:
            await begun(store)
            assert ask(url, "SELECT count(*) FROM instances").rows == [(1,)]

    asyncio.run(work())
    with pytest.raises(TroopError):
        ask(f"{url}-nowhere", "SELECT 1")
