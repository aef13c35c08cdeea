"""Opens the database, brings it up to date, and puts its errors into words."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import event, exc

from data.errors import StoreError
from runs.store.dialect import lock
from runs.store.postgres import add_content, order_by_bytes, postgres_engine
from runs.store.tables import Base
from runs.store.views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST_VALUE = 256 << 20
"""Bytes of the largest value, and row, that SQLite may read or make."""
STEPS = 10_000
"""Steps of SQLite's virtual machine between looks whether to stop: a few milliseconds."""
HEAD = "0009"
"""The newest migration; a test compares it with the migrations folder."""


def open_database(url: str, *, create: bool = True) -> sa.Engine:
    """The database at `url` (a SQLAlchemy URL), migrated to this version.

    Raises:
        StoreError: it cannot be read or written, or a newer Troop made it.
    """
    with translated(url):
        engine = _engine(url, create=create)
        try:
            _refuse_stand_ins(engine)
            revision = _revision(engine)
            if revision != HEAD:
                _migrate(engine, revision, url)
        except BaseException:
            engine.dispose()
            raise
    return engine


def open_reading(url: str) -> sa.Engine:
    """The database at `url`, for reading only: writing through it is refused.

    Raises:
        StoreError: there is no database, it cannot be read, or a newer Troop made it.
    """
    open_database(url, create=False).dispose()
    parsed = parse_url(url)
    if parsed.get_backend_name() == "postgresql":
        return postgres_engine(parsed, {"postgresql_readonly": True})
    uri = f"file:{quote(parsed.database or '')}?mode=ro"
    read_only = sa.URL.create("sqlite", database=uri, query={"uri": "true"})
    engine = sa.create_engine(read_only, connect_args={"timeout": 30}, poolclass=sa.NullPool)
    event.listen(engine, "connect", _only_read)
    return engine


def _only_read(connection: Any, _record: object) -> None:
    """Write nothing, make nothing endless. Extensions cannot be loaded unless Python is told to."""
    for pragma in ("query_only=ON", "cell_size_check=ON"):
        connection.execute(f"PRAGMA {pragma}").close()
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_VALUE)
    # While Python is called, Ctrl-C is heard; `translated` then reads "interrupted".
    connection.set_progress_handler(lambda: False, STEPS)


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite file."""
    return sa.URL.create("sqlite", database=str(path)).render_as_string()


def parse_url(url: str) -> sa.URL:
    """A database's URL, split into its parts.

    Raises:
        StoreError: it is not a database URL, or Troop cannot use that kind of database.
    """
    try:
        parsed = sa.make_url(url)
    except (exc.ArgumentError, ValueError) as error:
        raise StoreError(
            f"{shown_url(url)} is not a database URL.",
            hint="Give a file, or a URL like sqlite:///… or postgresql://…",
        ) from error
    if parsed.drivername in {"postgresql", "postgres"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise StoreError(
            f"Troop cannot use {shown_url(url)}.",
            hint="Give a file, or a URL like sqlite:///… or postgresql://…",
        )
    return parsed


@contextlib.contextmanager
def translated(url: str) -> Iterator[None]:
    """Raise errors of the database as `StoreError`, with a hint."""
    try:
        yield
    except (exc.ArgumentError, exc.NoSuchModuleError) as error:
        raise StoreError(
            f"{shown_url(url)} cannot be opened: {error}",
            hint="Give a file, or a URL like sqlite:///… or postgresql://…",
        ) from error
    except ModuleNotFoundError as error:
        raise StoreError(
            f"{shown_url(url)} needs a driver: {error}", hint="pip install 'troop-repair[postgres]'"
        ) from error
    except (exc.DBAPIError, OSError) as error:
        reason = first_line(getattr(error, "orig", error))
        if reason == "interrupted":
            raise KeyboardInterrupt from error
        raise StoreError(f"{shown_url(url)}: {reason}", hint=_hint(reason)) from error


def first_line(error: object) -> str:
    """The first line of a database's message, without its own hints and markers."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


_HINTS = {
    "file is not a database": "This file is something else: give another with --db.",
    "malformed": "The file is damaged: restore it, or give another with --db.",
    "unable to open": "Name a file, in a folder that exists and where you may write.",
    "readonly": "You may not write the file or its folder.",
    "disk is full": "Free some space. The same command then continues where it stopped.",
    "No space left": "Free some space. The same command then continues where it stopped.",
    "database is locked": "Another program holds it: wait for it, or close it.",
    "I/O error": "Is the disk full or failing? What was stored before is still there.",
    "authentication failed": "Check user and password: in the URL, PGPASSWORD or ~/.pgpass.",
    "no password supplied": "Give a password in PGPASSWORD or in ~/.pgpass.",
    "pg_hba.conf": "The server does not let you in from here: ask its administrator.",
    "Connection refused": "Is the database server running, at this host and port?",
    "No such file or directory": "Is the database server running, and does the URL name its host?",
    "resolve host": "Is the host's name right?",
    "timeout expired": "Is the database server running, and can it be reached from here?",
    "too many clients": "Wait until others close their connections, or raise max_connections.",
    "connection slots": "Wait until others close their connections, or raise max_connections.",
    "server closed the connection": "The same command continues where it stopped.",
    "terminating connection": "The same command continues where it stopped.",
    "permission denied": "This user may not do that: give another user, or GRANT the right.",
    "read-only transaction": "This server is read-only: give one that can be written to.",
}
_ABSENT = re.compile(r'(role|database) "(.*?)" does not exist')


def _hint(reason: str) -> str:
    absent = _ABSENT.search(reason)
    if absent and absent[1] == "database":
        return f"Make it: createdb -E UTF8 -T template0 {absent[2]}"
    if absent:
        return "Check the user in the URL. Without one, the name of your account is used."
    return next((hint for sign, hint in _HINTS.items() if sign in reason), "")


def shown_url(url: str) -> str:
    """A database URL for people: SQLite's as a file, others without their password."""
    try:
        shown = sa.make_url(url)
    except (exc.ArgumentError, ValueError):
        return _SECRET.sub(lambda found: f"{found[1] or found[2]}***", url)
    if shown.drivername == "sqlite":
        return shown.database or ""
    secrets = [name for name in shown.query if "pass" in name.lower()]
    return shown.difference_update_query(secrets).render_as_string()


_SECRET = re.compile(r"([:/][^/?@:]*:)[^/?]*(?=@)|(\w*pass\w*=)[^&]*", re.IGNORECASE)


def _engine(url: str, *, create: bool) -> sa.Engine:
    parsed = parse_url(url)
    if parsed.get_backend_name() == "postgresql":
        return postgres_engine(parsed)
    path = Path(parsed.database or "")
    if create:
        path.parent.mkdir(parents=True, exist_ok=True)
    elif not path.exists():
        raise StoreError(
            f"There is no database {path}.",
            hint="Run something first (troop demo), or give another with --db.",
        )
    engine = sa.create_engine(parsed, connect_args={"timeout": 30})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """WAL, durable commits, and our own BEGIN, because pysqlite begins transactions too late."""
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _refuse_stand_ins(engine: sa.Engine) -> None:
    """Refuse views, and tables of other programs, with the names of our tables.

    Raises:
        StoreError: there is one, which could run forever, or be anything at all.
    """
    if engine.dialect.name != "sqlite":
        return
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT name, type, sql FROM sqlite_master").all()
    for name, kind, made_by in found:
        ours = name in Base.metadata.tables or name == "alembic_version"
        if ours and (kind != "table" or not re.match(r"CREATE TABLE\b", made_by or "")):
            raise StoreError(
                f"{shown_url(str(engine.url))} is not one of Troop's: {name} is not a table in it.",
                hint="Give another with --db.",
            )


def _revision(engine: sa.Engine) -> str | None:
    """The migration that the database is at; None: the database is empty."""
    with engine.connect() as connection:
        tables = sa.inspect(connection).get_table_names()
        if not tables:
            return None
        if "alembic_version" not in tables:
            raise StoreError(
                f"{shown_url(str(engine.url))} is a database, but not one of Troop's.",
                hint="Give another with --db.",
            )
        rows = connection.exec_driver_sql("SELECT version_num FROM alembic_version").all()
    return str(rows[0][0]) if rows else None


def _migrate(engine: sa.Engine, revision: str | None, url: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise StoreError(
            f"{shown_url(url)} was made by a newer version of Troop (its schema is {revision}).",
            hint="Update (pip install --upgrade troop-repair), or give another with --db.",
        )
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        lock(connection)
        for view in VIEWS:
            connection.exec_driver_sql(f"DROP VIEW IF EXISTS {view.name}")
        command.upgrade(config, "head")
        if engine.dialect.name == "postgresql":
            order_by_bytes(connection)
            add_content(connection)
        for view in VIEWS:
            connection.exec_driver_sql(view.sql(engine.dialect.name))
