"""Opening the database, bringing it up to date, and saying in words what is wrong with it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import event, exc

from data.errors import StoreError
from runs.store.dialect import lock
from runs.store.views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = "0005"
"""The newest migration; one of the tests holds it against the migrations folder."""


def open_database(url: str, *, create: bool = True) -> sa.Engine:
    """The database at `url` (a SQLAlchemy URL), migrated to this version.

    Raises:
        StoreError: it cannot be read or written, or a newer Troop made it.
    """
    with translated(url):
        engine = _engine(url, create=create)
        revision = _revision(engine)
        if revision != HEAD:
            _migrate(engine, revision, url)
    return engine


def open_reading(url: str) -> sa.Engine:
    """The database at `url`, for reading only: writing through it is refused.

    Raises:
        StoreError: there is none, it cannot be read, or a newer Troop made it.
    """
    open_database(url, create=False).dispose()
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return sa.create_engine(parsed, execution_options={"postgresql_readonly": True})
    uri = f"file:{quote(parsed.database or '')}?mode=ro"
    read_only = sa.URL.create("sqlite", database=uri, query={"uri": "true"})
    # Nothing stays open between readings: a story may be kept, and dropped, without closing it.
    engine = sa.create_engine(read_only, connect_args={"timeout": 30}, poolclass=sa.NullPool)
    event.listen(engine, "connect", _refuse_writing)
    return engine


def _refuse_writing(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA query_only=ON").close()


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite file."""
    return sa.URL.create("sqlite", database=str(path)).render_as_string()


@contextlib.contextmanager
def translated(url: str) -> Iterator[None]:
    """Raise `StoreError`, with what to do, for errors of the database."""
    try:
        yield
    except exc.ArgumentError as error:
        raise StoreError(
            f"not a database URL: {shown_url(url)}",
            hint="give a file, or sqlite:///…, postgresql://…",
        ) from error
    except exc.NoSuchModuleError as error:
        raise StoreError(f"no support for {shown_url(url)}: {error}") from error
    except ModuleNotFoundError as error:
        raise StoreError(
            f"{shown_url(url)} needs a driver: {error}", hint="pip install 'troop-repair[postgres]'"
        ) from error
    except (exc.DBAPIError, OSError) as error:
        reason = str(getattr(error, "orig", error))
        raise StoreError(f"{shown_url(url)}: {reason}", hint=_hint(reason)) from error


def _hint(reason: str) -> str:
    hints = {
        "file is not a database": "this file is something else: give another with --db",
        "malformed": "the file is damaged: restore it, or give another with --db",
        "unable to open": "does the folder exist, and may you write there?",
        "readonly": "the file or its folder is not writable for you",
        "disk is full": "free some space; the same command then goes on where it stopped",
        "No space left": "free some space; the same command then goes on where it stopped",
        "database is locked": "another program holds it: wait for it, or close it",
        "I/O error": "is the disk full or failing? What was stored before is still there",
        "Connection refused": "is the database server running?",
    }
    return next((hint for sign, hint in hints.items() if sign in reason), "")


def shown_url(url: str) -> str:
    """A database URL for people: the file of a SQLite one, others without their password."""
    try:
        shown = sa.make_url(url)
    except exc.ArgumentError:
        return url
    return shown.database or "" if shown.drivername == "sqlite" else shown.render_as_string()


def _engine(url: str, *, create: bool) -> sa.Engine:
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return sa.create_engine(parsed)
    path = Path(parsed.database or "")
    if create:
        path.parent.mkdir(parents=True, exist_ok=True)
    elif not path.exists():
        raise StoreError(f"there is no database {path}", hint="run something first, or give --db")
    engine = sa.create_engine(parsed, connect_args={"timeout": 30})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """WAL, durable commits, and transactions begun by us (pysqlite begins them too late)."""
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _revision(engine: sa.Engine) -> str | None:
    """The migration the database is at; None: it is empty."""
    with engine.connect() as connection:
        tables = sa.inspect(connection).get_table_names()
        if not tables:
            return None
        if "alembic_version" not in tables:
            raise StoreError(
                f"{shown_url(str(engine.url))} is a database, but not one of Troop's",
                hint="give another with --db",
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
            f"{shown_url(url)} was made by a newer version of Troop (its schema is {revision})",
            hint="update: pip install --upgrade troop-repair; or give another database with --db",
        )
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        lock(connection)
        for view in VIEWS:
            connection.exec_driver_sql(f"DROP VIEW IF EXISTS {view.name}")
        command.upgrade(config, "head")
        for view in VIEWS:
            connection.exec_driver_sql(view.sql(engine.dialect.name))
