"""What the doctor says of databases: absent, whole, in use, old, new, damaged, another's."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from runs.doctor import database
from runs.doctor.check import Check, examine, exit_code
from runs.doctor.database import look_at_database
from runs.store.database import HEAD, open_database, sqlite_url

if TYPE_CHECKING:
    from pathlib import Path

    from runs.doctor.check import Finding


def looked(url: str) -> tuple[int, dict[str, Finding]]:
    """The exit code and the findings by name."""
    found = examine([Check("database", lambda: look_at_database(url), 20, 5)])
    return exit_code(found), {each.name: each for each in found}


def test_a_database_is_looked_at_and_left_as_it_is(tmp_path):
    file = tmp_path / "data" / "troop.db"
    open_database(sqlite_url(file)).dispose()
    before = file.read_bytes(), file.stat().st_mtime_ns, set(file.parent.iterdir())
    code, found = looked(sqlite_url(file))
    assert (code, found["database"].mark) == (0, "fine")
    assert f"schema {HEAD}, 0 runs" in found["database"].text
    assert "free" in found["database.place"].text
    assert (file.read_bytes(), file.stat().st_mtime_ns, set(file.parent.iterdir())) == before


def test_a_database_in_use_is_read_with_what_is_in_its_log(tmp_path):
    file = tmp_path / "t.db"
    engine = open_database(sqlite_url(file))
    with sqlite3.connect(file) as writing:
        columns = "name, status, created_at, owner, troop_version, dataset, model, sandbox"
        more = ", replayed, config, config_digest"
        values = "'a', 'running', '2026-01-01 00:00:00', '', '', '', '', '', 0, '', ''"
        writing.execute(f"INSERT INTO run ({columns}{more}) VALUES ({values})")
        writing.commit()
        assert (tmp_path / "t.db-wal").exists()
        found = look_at_database(sqlite_url(file))
    writing.close()
    engine.dispose()
    assert "1 run, 1 under way or interrupted" in found[0].text


def test_an_older_schema_works_and_a_newer_one_does_not(tmp_path, monkeypatch):
    file = tmp_path / "t.db"
    open_database(sqlite_url(file)).dispose()
    monkeypatch.setattr(database, "HEAD", "9999")
    assert look_at_database(sqlite_url(file))[0].mark == "less"
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9998'")
    connection.close()
    newer = look_at_database(sqlite_url(file))[0]
    assert (newer.mark, newer.code) == ("bad", 5)
    assert "upgrade" in newer.hint


def _damaged(file: Path) -> None:
    open_database(sqlite_url(file)).dispose()
    content = bytearray(file.read_bytes())
    # The header stays; from the middle on nothing is what it was.
    content[len(content) // 2 :] = b"\xa5" * (len(content) - len(content) // 2)
    file.write_bytes(content)


def _cut_short(file: Path) -> None:
    open_database(sqlite_url(file)).dispose()
    file.write_bytes(file.read_bytes()[:5000])


def _foreign(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE songs (name)")
    connection.close()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_damaged, "malformed"),
        (_cut_short, ""),
        (_foreign, "not one of Troop's"),
        (lambda file: file.write_text("not a database, but long enough\n" * 50), "not a database"),
        (lambda file: file.mkdir(), "is a folder"),
    ],
)
def test_a_file_that_is_not_a_database_of_troop_must_be_fixed(tmp_path, make, words):
    file = tmp_path / "t.db"
    make(file)
    code, found = looked(sqlite_url(file))
    assert (code, found["database"].mark) == (5, "bad")
    assert words in found["database"].text
    assert found["database"].hint


def test_a_missing_database_server_must_be_fixed(tmp_path):
    url = "postgresql+nosuch://user:hidden@127.0.0.1:9/x"
    code, found = looked(url)
    assert (code, found["database"].mark) == (5, "bad")
    assert "hidden" not in str(found)
