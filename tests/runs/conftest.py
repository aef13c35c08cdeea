"""Databases: a test that takes `url` runs on SQLite and on PostgreSQL, with one of its own."""

from __future__ import annotations

import os
import shutil
import uuid
from typing import TYPE_CHECKING

import pytest

from runs.store.database import open_database, sqlite_url
from tests.support.postgres import GIVEN, Server, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DIALECTS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A server, begun at first need; TROOP_TEST_DATABASE may be the URL of another's."""
    given = os.environ.get(GIVEN)
    if given:
        server = Server(given)
        yield server
        server.close()
        return
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that has Troop's tables already, to be copied."""
    file = tmp_path_factory.mktemp("tables") / "troop.db"
    open_database(sqlite_url(file)).dispose()
    return file


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    """Which database the test runs on."""
    return str(request.param)


@pytest.fixture
def another_url(
    dialect: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[[], str]]:
    """Makes empty databases."""
    if dialect == "sqlite":
        yield lambda: sqlite_url(tmp_path / f"{uuid.uuid4().hex}.db")
        return
    server: Server = request.getfixturevalue("postgres")
    with server.lending() as lend:
        yield lambda: lend(server.sorted_by_people())


@pytest.fixture
def new_url(another_url: Callable[[], str]) -> str:
    """An empty database."""
    return another_url()


@pytest.fixture
def url(dialect: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database that has Troop's tables and nothing in them."""
    if dialect == "sqlite":
        file = tmp_path / "troop.db"
        shutil.copyfile(request.getfixturevalue("sqlite_file"), file)
        yield sqlite_url(file)
        return
    server: Server = request.getfixturevalue("postgres")
    with server.lending() as lend:
        yield lend(server.migrated())


@pytest.fixture(scope="session", params=DIALECTS)
def make_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], str]]:
    """Makes databases that have Troop's tables, for several tests to share."""
    if request.param == "sqlite":
        yield lambda: sqlite_url(tmp_path_factory.mktemp("shared") / "troop.db")
        return
    server: Server = request.getfixturevalue("postgres")
    with server.lending() as lend:
        yield lambda: lend(server.migrated())
