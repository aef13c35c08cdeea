"""Databases for the store's tests."""

import os
import uuid

import pytest
import sqlalchemy as sa

from runs.store.database import sqlite_url


@pytest.fixture
def url(tmp_path):
    """An empty database: a SQLite file, or, where TROOP_TEST_DATABASE is the URL of a database of
    PostgreSQL, another of that server's."""
    server = os.environ.get("TROOP_TEST_DATABASE")
    if not server:
        yield sqlite_url(tmp_path / "troop.db")
        return
    name = f"troop_{uuid.uuid4().hex}"
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
