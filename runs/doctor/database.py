"""The database: looked at without making, migrating or changing it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import sqlalchemy as sa

from data.errors import StoreError
from runs.doctor.check import STORE, bad, fine, less
from runs.doctor.room import file_system_of, size
from runs.store.database import HEAD, parse_url, shown_url, translated
from runs.store.postgres import postgres_engine

if TYPE_CHECKING:
    from runs.doctor.check import Finding
    from runs.doctor.room import FileSystem

ROOMY = 1 << 30
"""With fewer free bytes than this, a long run may fill the disk."""
LEAST = 50 << 20
"""With fewer free bytes than this, nothing can be stored."""
READ_WHOLE = 64 << 20
"""Files up to this size are read to the end: it takes a fraction of a second."""

_CONNECT_S = 4
_NAME = "database"


@dataclass(frozen=True, slots=True)
class Inside:
    """What a database says about itself."""

    revision: str | None
    """Of its schema; None: it is empty."""
    runs: int
    running: int
    damage: str = ""
    """What reading the whole file has shown."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a database file lies, or will."""

    path: Path
    size: int | None
    """None: there is no file."""
    writable: bool
    """The file, if there is one, and its folder."""
    disk: FileSystem | None


def look_at_database(url: str) -> list[Finding]:
    """The database at `url` and the disk that it lies on.

    Raises:
        StoreError: it cannot be read, or is not one of Troop's.
    """
    with translated(url):
        parsed = parse_url(url)
        if parsed.get_backend_name() == "postgresql":
            return [about_inside(shown_url(url), _inside(_quick_to_tell(parsed), url))]
        if parsed.database in {None, "", ":memory:"}:
            return [less(_NAME, "the database is in memory: nothing is kept", "Give --db a file.")]
        place = place_of(Path(str(parsed.database)))
        if place.path.is_dir():
            raise StoreError(f"{place.path} is a folder.", hint="Give --db a file.")
        found = [about_place(place)]
        if place.size:
            inside = _inside(_read_only(place.path), url, whole=place.size <= READ_WHOLE)
            found = [about_inside(f"{place.path} ({size(place.size)})", inside), *found]
    return found


def about_place(place: Place) -> Finding:
    """What to say about the place of a database file."""
    name = f"{_NAME}.place"
    text = f"no database yet: {place.path} is made when it is needed"
    if place.size is not None:
        text = f"disk of the database at {place.path.parent}"
    if not place.writable:
        hint = "Make it writable, or name another file with --db."
        return bad(name, f"{text}, but you may not write there", hint, STORE)
    if place.disk is None:
        return fine(name, text)
    text += f", {size(place.disk.free)} free"
    if place.disk.free < LEAST:
        return bad(name, f"{text}: too little to store anything", "Free some space.", STORE)
    if place.disk.free < ROOMY:
        return less(
            name,
            f"{text}: a long run may fill it",
            "Free some space, or name another file with --db.",
        )
    return fine(name, text)


def about_inside(where: str, inside: Inside) -> Finding:
    """What to say about what a database holds."""
    if inside.damage:
        return bad(
            _NAME,
            f"database {where} is damaged: {inside.damage}",
            "Restore it, or name another with --db; `sqlite3 FILE .recover` may save its content.",
            STORE,
        )
    if inside.revision is None:
        return fine(_NAME, f"database {where}: empty, its tables are made when they are needed")
    text = f"database {where}: schema {inside.revision}, {_runs(inside.runs)}"
    text += f", {inside.running} under way or interrupted" if inside.running else ""
    if inside.revision == HEAD:
        return fine(_NAME, text)
    if inside.revision in known_revisions():
        hint = "Keep a copy if an older Troop is to read it, too."
        return less(_NAME, f"{text}; the next command brings it to {HEAD}", hint)
    return bad(
        _NAME,
        f"{text}: made by a newer version of Troop",
        "Name another database with --db, or update: pip install --upgrade troop-repair",
        STORE,
    )


def known_revisions() -> set[str]:
    """The migrations that this version has."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    from runs import store

    config = Config()
    folder = Path(store.__path__[0]) / "migrations"
    config.set_main_option("script_location", str(folder))
    return {one.revision for one in ScriptDirectory.from_config(config).walk_revisions()}


def place_of(path: Path) -> Place:
    """Where a database file lies; its folder may not be there yet."""
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    writable = folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
    try:
        length = path.stat().st_size
    except FileNotFoundError:
        return Place(path, None, writable, file_system_of(folder))
    return Place(path, length, writable and os.access(path, os.W_OK), file_system_of(folder))


def _runs(count: int) -> str:
    return f"{count} run" if count == 1 else f"{count} runs"


def _quick_to_tell(url: sa.URL) -> sa.Engine:
    """A PostgreSQL database, for reading; a server that does not answer is noticed soon."""
    if "connect_timeout" not in url.query:
        url = url.update_query_dict({"connect_timeout": str(_CONNECT_S)})
    return postgres_engine(url, {"postgresql_readonly": True})


def _read_only(path: Path) -> sa.Engine:
    """A SQLite file, opened so that nothing is written, not even beside it."""
    # Without a log beside it, nobody is writing, and SQLite need not make its own files.
    logged = path.with_name(f"{path.name}-wal").exists()
    uri = f"file:{quote(str(path))}"
    query = {"uri": "true", "mode": "ro"} | ({} if logged else {"immutable": "1"})
    url = sa.URL.create("sqlite", database=uri, query=query)
    return sa.create_engine(url, connect_args={"timeout": _CONNECT_S})


def _inside(engine: sa.Engine, url: str, *, whole: bool = False) -> Inside:
    try:
        with engine.connect() as connection:
            tables = set(sa.inspect(connection).get_table_names())
            if not tables:
                return Inside(None, 0, 0)
            if "alembic_version" not in tables:
                raise StoreError(
                    f"{shown_url(url)} is a database, but not one of Troop's.",
                    hint="Name another with --db.",
                )
            revision = connection.execute(sa.text("SELECT version_num FROM alembic_version"))
            query = "SELECT status, count(*) FROM run GROUP BY status"
            counts = connection.execute(sa.text(query)) if "run" in tables else ()
            runs = {str(status): int(number) for status, number in counts}
            return Inside(
                revision=revision.scalar(),
                runs=sum(runs.values()),
                running=runs.get("running", 0),
                damage=_damage(connection) if whole else "",
            )
    finally:
        engine.dispose()


def _damage(connection: sa.Connection) -> str:
    says = str(connection.execute(sa.text("PRAGMA quick_check(1)")).scalar())
    return "" if says == "ok" else " ".join(says.split())
