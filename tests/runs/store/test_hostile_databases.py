"""Databases of strangers, and queries without an end: what is read of them has limits."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tracemalloc
from contextlib import closing

import pytest
import zstandard

from data.errors import StoreError, UsageError
from runs.cli.main import main
from runs.store.blobs import LARGEST_TEXT, expand
from runs.store.database import sqlite_url
from runs.store.query import ask, asked
from runs.store.reading import Reader
from runs.store.store import Store
from tests.runs.store.test_store import begun

ENDLESS = "WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t) SELECT {} FROM t"
BOMB = zstandard.compress(b"a" * (512 << 20))
"""A few kilobytes that unfold to 512 MB."""


@pytest.fixture
async def file(tmp_path):
    """A database with one instance."""
    path = tmp_path / "foreign.db"
    with Store(sqlite_url(path)) as store:
        await begun(store)
    return path


def change(file, *statements: str, **values: object) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        for statement in statements:
            connection.execute(statement, values)
        connection.commit()


@pytest.mark.parametrize("size", [LARGEST_TEXT * 2, 1 << 40, 10, 0, -1])
def test_a_text_does_not_unfold_beyond_its_length(size):
    tracemalloc.start()
    try:
        with pytest.raises(StoreError, match="damaged"):
            expand(BOMB, size)
        assert tracemalloc.get_traced_memory()[1] < LARGEST_TEXT // 4
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("cut", [1, 9, 30])
def test_a_text_that_is_cut_off_is_damaged(cut):
    text = os.urandom(500).hex()
    packed = zstandard.compress(text.encode())
    assert expand(packed, len(text)) == text
    with pytest.raises(StoreError, match="damaged"):
        expand(packed[:-cut], len(text))


def test_a_text_of_a_foreign_database_is_not_unfolded(file):
    change(file, "UPDATE blob SET data = :data, size = 536870912", data=BOMB)
    with Reader(sqlite_url(file)) as reader, pytest.raises(StoreError, match="damaged"):
        reader.text(reader.instances(reader.run(None).name)[0].issue)


@pytest.mark.parametrize("name", ["run", "instance", "blob", "alembic_version"])
@pytest.mark.parametrize("stand_in", ["VIEW {0} AS {1}", "VIRTUAL TABLE {0} USING fts5(id)"])
def test_what_stands_in_for_a_table_is_refused(file, name, stand_in, capsys):
    change(
        file,
        "PRAGMA legacy_alter_table=ON",
        f"ALTER TABLE {name} RENAME TO was_{name}",
        f"CREATE {stand_in.format(name, ENDLESS.format('x AS id'))}",
    )
    assert main(["show", "--db", str(file)]) == 5
    assert f"{name} is not a table in it" in capsys.readouterr().err


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE instance SET status = 'odd'",
        "UPDATE instance SET context_files = '[' ",
        "UPDATE instance SET environment = '{'",
        "UPDATE run SET config = '{'",
        f"UPDATE run SET config = '{{\"samples.count\": {'9' * 5000}}}'",
        "UPDATE instance SET started_at = 'never'",
        "UPDATE run SET created_at = 'never'",
        "UPDATE run SET status = X'ff'",
    ],
)
def test_values_that_troop_does_not_write_are_a_clear_error(file, damage, capsys):
    change(file, damage)
    codes = {main(["show", *words, "--db", str(file)]) for words in ((), ("last",))}
    assert codes <= {0, 5}
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "query",
    [
        "SELECT zeroblob(1000000000)",
        "SELECT replace(hex(zeroblob(1000000)), '0', hex(zeroblob(1000)))",
        "SELECT group_concat(hex(zeroblob(9000000))) FROM sqlite_master, sqlite_master m",
        "SELECT randomblob(2000000000)",
    ],
)
def test_a_value_has_a_limit(file, query):
    with pytest.raises(UsageError):
        ask(sqlite_url(file), query)


def test_a_format_does_not_make_a_larger_one(file):
    ((made,),) = ask(sqlite_url(file), "SELECT printf('%.*c', 1000000000, 'x')").rows
    assert len(made or "") < LARGEST_TEXT


def test_a_result_has_a_limit_unless_it_is_written_as_it_comes(url):
    with Store(url):
        pass
    numbers = ENDLESS.format("x").replace("FROM t)", "FROM t WHERE x < 50000)", 1)
    with pytest.raises(UsageError, match="larger than 0 MB"):
        ask(url, numbers, largest=100_000)
    with asked(url, numbers) as found:
        assert sum(1 for _ in found.rows) == 50_000


@pytest.mark.parametrize(
    "query",
    [
        ENDLESS.format("x"),
        ENDLESS.format("max(x)"),
        "SELECT count(*) FROM " + ", ".join(f"json_each('[{'1,' * 99}1]') j{n}" for n in range(9)),
    ],
)
def test_the_time_has_a_limit(file, query):
    with (
        pytest.raises(UsageError, match="longer than"),
        asked(sqlite_url(file), query, timeout_s=0.3) as found,
    ):
        for _ in found.rows:
            pass


def test_rows_that_keep_coming_stop_in_time(url):
    with Store(url):
        pass
    with (
        pytest.raises(UsageError, match="longer than"),
        asked(url, ENDLESS.format("x"), timeout_s=0.5) as found,
    ):
        for _ in found.rows:
            pass


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "json"])
def test_ctrl_c_stops_rows_that_keep_coming(file, form):
    words = ["sql", "--db", str(file), "--format", form, ENDLESS.format("x")]
    with subprocess.Popen(
        [sys.executable, "-m", "runs", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read(1 << 16)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
