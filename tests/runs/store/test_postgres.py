"""PostgreSQL's own troubles: each is told in one line, with what to do, and without a password."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from data.errors import StoreError, TroopError
from runs.cli.main import main
from runs.doctor.database import look_at_database
from runs.store import postgres as dialect_of_postgres
from runs.store.database import open_database, open_reading, parse_url, shown_url
from runs.store.query import ask
from runs.store.reading import Reader
from runs.store.store import Store
from tests.runs.store.test_query import holding
from tests.runs.store.test_store import begun

OTHERS = ("SQL_ASCII", "LATIN1", "EUC_JP")
WAYS = (
    open_database,
    open_reading,
    lambda url: ask(url, "SELECT 1"),
    look_at_database,
    Reader,
    Store,
)


@pytest.fixture
def made(postgres):
    """Makes databases."""
    with postgres.lending() as lend:
        yield lend


def told(way, url: str) -> StoreError:
    """What opening it says."""
    with pytest.raises(StoreError) as caught:
        way(url)
    assert "\n" not in caught.value.message + caught.value.hint
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("encoding", OTHERS)
def test_an_encoding_that_cannot_hold_everything_is_refused(made, encoding):
    url = made(f"ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
    for way in WAYS:
        error = told(way, url)
        assert f"The database's encoding is {encoding}." in error.message
        assert "createdb -E UTF8 -T template0" in error.hint
        assert error.exit_code == 5


@pytest.mark.parametrize("encoding", OTHERS)
def test_commands_say_so_at_once(made, encoding, capfd, monkeypatch, tmp_path):
    """Whatever the command is; the doctor too (case 17)."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    url = made(f"ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
    for words in (["show"], ["sql", "SELECT 1"]):
        assert main([*words, "--db", url]) == 5
        output, errors = capfd.readouterr()
        assert output == ""
        assert errors.startswith(f"troop: The database's encoding is {encoding}.")
        assert len(errors.splitlines()) == 2


@pytest.mark.parametrize("way", ["URL", "environment", "options"])
async def test_the_client_speaks_utf8_whatever_it_is_told(made, monkeypatch, way):
    url = made("ENCODING UTF8 TEMPLATE template0")
    if way == "URL":
        url += "?client_encoding=latin1"
    elif way == "options":
        url += "?options=-c%20client_encoding%3DSQL_ASCII"
    else:
        monkeypatch.setenv("PGCLIENTENCODING", "SQL_ASCII")
    await holding(url, "日本 \udcff\0")
    assert ask(url, "SELECT content(problem) FROM instances").rows == [("日本 \\udcff\\x00",)]


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
async def test_every_spelling_of_the_scheme_is_taken(made, scheme):
    url = made()
    with Store(url.replace("postgresql+psycopg", scheme)) as store:
        await begun(store)
    with Reader(url) as reader:
        assert len(reader.runs()) == 1


def test_a_server_that_is_down_is_reported():
    for way in WAYS:
        error = told(way, "postgresql://me:hidden@127.0.0.1:9/x")
        assert "Connection refused" in error.message
        assert "running" in error.hint
        assert "hidden" not in error.message


def test_a_missing_database_is_reported(postgres):
    error = told(open_database, postgres.url_of("nowhere"))
    assert error.hint == "Make it: createdb -E UTF8 -T template0 nowhere"


def test_an_unknown_user_is_reported(postgres):
    url = sa.make_url(postgres.url_of("postgres")).set(username="nobody_like_that")
    assert "user" in told(open_database, url.render_as_string(hide_password=False)).hint


def test_a_wrong_password_is_reported_and_not_shown(postgres):
    """And so is none at all."""
    if os.environ.get("TROOP_TEST_DATABASE"):
        pytest.skip("another's server keeps its own rules")
    rules = Path(str(postgres.execute("SHOW hba_file")))
    postgres.execute("CREATE ROLE locked LOGIN PASSWORD 'right'")
    rules.write_text(f"host all locked 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")
    postgres.execute("SELECT pg_reload_conf()")
    locked = postgres.url.set(username="locked")
    wrong = locked.set(password="s3cret").render_as_string(hide_password=False)
    in_query = f"{locked.render_as_string()}?password=s3cret"
    for url in (wrong, in_query):
        error = told(open_database, url)
        assert "authentication failed" in error.message
        assert "PGPASSWORD" in error.hint
        assert "s3cret" not in str(error) + error.hint
    assert "PGPASSWORD" in told(open_database, locked.render_as_string()).hint


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:s3cret@host/db",
        "postgresql://me:s3cret@host:port/db",
        "postgresql://me:s3:cret@host:1:2/db",
        "postgresql:me:s3cret@host/db",
        "postgresql://host/db?user=me&password=s3cret",
        "postgresql://host:port/db?sslpassword=s3cret",
        "mysql://me:s3cret@host/db",
        "://me:s3cret@host/db",
    ],
)
def test_no_url_is_shown_with_its_password(url):
    assert "cret" not in shown_url(url)
    with pytest.raises(TroopError) as caught:
        open_database(url)
    assert "cret" not in str(caught.value) + caught.value.hint


def test_other_databases_are_refused():
    for url in ("mysql://h/d", "nonsense://", "oracle+x://h/d"):
        with pytest.raises(StoreError, match="Troop cannot use"):
            parse_url(url)


async def test_a_user_who_may_only_read_reads(postgres, made):
    url = made(postgres.migrated())
    await holding(url, "an issue")
    role = f"troop_reading_{os.getpid()}"
    reader_url = sa.make_url(url).set(username=role).render_as_string()
    try:
        postgres.execute(f"CREATE ROLE {role} LOGIN")
        refused = told(open_reading, reader_url)
        assert ("permission denied" in refused.message, "GRANT" in refused.hint) == (True, True)
        postgres.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}", url)
        assert ask(reader_url, "SELECT content(problem) FROM instances").rows == [("an issue",)]
        with Store(reader_url) as store:
            with pytest.raises(StoreError) as caught:
                await begun(store, name="new")
            assert "permission denied" in caught.value.message
            assert "GRANT" in caught.value.hint
    finally:
        postgres.execute(f"DROP OWNED BY {role}", url)
        postgres.execute(f"DROP ROLE {role}")


def test_an_old_server_is_refused(made, monkeypatch):
    monkeypatch.setattr(dialect_of_postgres, "OLDEST", 99)
    error = told(open_database, made())
    assert "too old" in error.message
    assert "99" in error.hint


def test_another_programs_database_is_not_changed(postgres, made):
    url = made()
    postgres.execute("CREATE TABLE theirs (x text)", url)
    for way in (open_database, look_at_database):
        assert "not one of Troop's" in told(way, url).message
    assert postgres.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", url) == 1


def test_the_doctor_looks_at_a_database(made):
    url = made()
    (empty,) = look_at_database(url)
    assert (empty.mark, "empty" in empty.text) == ("fine", True)
    open_database(url).dispose()
    (found,) = look_at_database(url)
    assert (found.mark, "0 runs" in found.text) == ("fine", True)


def test_a_lost_server_is_reported_and_stored_rows_are_kept(made, postgres):
    url = made()

    async def work() -> None:
        with Store(url) as store:
            run, _ = await begun(store)
            ours = f"datname = '{sa.make_url(url).database}' AND pid <> pg_backend_pid()"
            postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}")
            with pytest.raises(StoreError) as caught:
                await begun(store, name="second")
            assert "continues where it stopped" in caught.value.hint
            await begun(store, name="third")
            assert run.name

    asyncio.run(work())
    with Reader(url) as reader:
        assert [run.name for run in reader.runs()] == ["d-m-1", "third"]


def test_content_can_be_asked_by_other_programs(made, postgres):
    """psql and whatever else speaks to the server."""
    url = made()
    asyncio.run(holding(url, "an issue"))
    assert postgres.execute("SELECT content(problem) FROM instances", url) == "an issue"


@pytest.mark.slow
def test_without_psycopg_the_error_says_what_to_install():
    """Without psycopg."""
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from runs.store.database import open_database\n"
        "from data.errors import StoreError\n"
        "try: open_database('postgresql://127.0.0.1:9/x')\n"
        "except StoreError as error: print(error.hint)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "troop-repair[postgres]" in done.stdout
