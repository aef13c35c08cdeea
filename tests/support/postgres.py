"""A PostgreSQL server for the tests: Debian's programs, with a folder and a port of its own."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from runs.store.database import open_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GIVEN = "TROOP_TEST_DATABASE"
"""The URL of a database on somebody else's server, where one is to be used."""
_ALONE = ("-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "max_connections=60")
_STARTS_S = 60
_TOLD = re.compile("FATAL|PANIC")
# Whoever holds the other end of its input may die in any way: the server ends with them.
_GUARD = '"$@" & server=$!; read -r _; kill -QUIT $server; wait $server; rm -rf "$FOLDER"'


def programs() -> Path | None:
    """The folder of `initdb` and `postgres`, the newest; None: they are not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda bin_: _number(bin_.parent))
    on_path = shutil.which("postgres")
    places = [*found[::-1], *([Path(on_path).parent] if on_path else [])]
    return next((place for place in places if (place / "initdb").exists()), None)


def require_postgres() -> Path:
    """The programs. Skips the test without them; fails it where TROOP_REQUIRE_POSTGRES is set."""
    found = programs()
    if found is None:
        reason = "PostgreSQL's programs are not installed: apt-get install postgresql"
        if os.environ.get("TROOP_REQUIRE_POSTGRES"):
            pytest.fail(f"TROOP_REQUIRE_POSTGRES is set, but {reason}")
        pytest.skip(reason)
    return found


class Server:
    """A server, and the databases in it."""

    def __init__(self, url: str) -> None:
        self.url = sa.make_url(url)
        self._template = ""

    def create(self, more: str = "") -> str:
        """The URL of a new database; `more` is added to CREATE DATABASE."""
        name = f"troop_{uuid.uuid4().hex}"
        self.execute(f"CREATE DATABASE {name} {more}")
        return self.url_of(name)

    def url_of(self, name: str) -> str:
        """The URL of a database of this server."""
        return self.url.set(database=name).render_as_string(hide_password=False)

    def sorted_by_people(self) -> str:
        """What makes a database whose order of texts is not that of their bytes."""
        by_version = self.execute("SHOW server_version_num")
        icu = int(by_version) >= 150000 and self.execute(
            "SELECT count(*) FROM pg_collation WHERE collname = 'und-x-icu'"
        )
        return (
            "ENCODING UTF8 TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'und' LOCALE 'C.UTF-8'"
            if icu
            else "ENCODING UTF8 TEMPLATE template0"
        )

    def migrated(self) -> str:
        """What makes a database that has Troop's tables already."""
        if not self._template:
            url = self.create(self.sorted_by_people())
            open_database(url).dispose()
            self._template = str(sa.make_url(url).database)
        return f"TEMPLATE {self._template}"

    @contextlib.contextmanager
    def lending(self) -> Iterator[Callable[[str], str]]:
        """Makes databases, and removes them afterwards."""
        made: list[str] = []

        def lend(more: str = "") -> str:
            made.append(self.create(more))
            return made[-1]

        try:
            yield lend
        finally:
            for url in made:
                self.drop(url)

    def drop(self, url: str) -> None:
        """Remove a database."""
        self.execute(f"DROP DATABASE IF EXISTS {sa.make_url(url).database} WITH (FORCE)")

    def close(self) -> None:
        """Remove what is shared by the tests."""
        if self._template:
            self.drop(self.url_of(self._template))

    def execute(self, statement: str, url: str | None = None) -> object:
        """Run one statement; its first value."""
        where = url or self.url
        engine = sa.create_engine(where, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            result = connection.exec_driver_sql(statement)
            return result.scalar() if result.returns_rows else None


@contextlib.contextmanager
def running(*options: str) -> Iterator[Server]:
    """Start a server, to which only this machine has access; `options` are those of `initdb`."""
    place = require_postgres()
    folder = Path(tempfile.mkdtemp(prefix="troop-postgres-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    owner = _unprivileged(folder)
    data, log = folder / "data", folder / "log"
    made = options or ("--encoding=UTF8", "--locale=C.UTF-8")
    initdb = [place / "initdb", "-D", data, "-A", "trust", "-U", "troop", "--no-sync", *made]
    subprocess.run(initdb, check=True, capture_output=True, cwd=folder, **owner)
    listening = ("-p", str(port), "-k", str(folder), "-c", "listen_addresses=127.0.0.1")
    with log.open("w") as written:
        guard = subprocess.Popen(
            ["sh", "-c", _GUARD, "sh", place / "postgres", "-D", data, *listening, *_ALONE],
            stdin=subprocess.PIPE,
            stdout=written,
            stderr=written,
            cwd=folder,
            env=os.environ | {"FOLDER": str(folder)},
            start_new_session=True,  # what stops the tests does not stop what clears up after them
            **owner,
        )
    server = Server(f"postgresql+psycopg://troop@127.0.0.1:{port}/postgres")
    try:
        _wait(server, log)
        yield server
    finally:
        server.close()
        guard.communicate()
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged(folder: Path) -> dict[str, int | str]:
    """Who runs the server and owns its folder: it refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    import pwd

    names = {user.pw_name for user in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid}


def _wait(server: Server, log: Path) -> None:
    until = time.monotonic() + _STARTS_S
    while True:
        try:
            server.execute("SELECT 1")
        except sa.exc.OperationalError:
            said = log.read_text()
            if time.monotonic() > until or _TOLD.search(said.replace("FATAL:  the database", "")):
                pytest.fail(f"PostgreSQL did not start:\n{said}")
            time.sleep(0.05)
        else:
            return


def _number(folder: Path) -> int:
    return int(folder.name) if folder.name.isdigit() else 0
