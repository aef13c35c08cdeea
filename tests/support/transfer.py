"""A stored SQLite database in PostgreSQL, as the version that made it would have written it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from runs.store import database

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


def upgrade(connection: Connection, revision: str) -> None:
    """Bring a database to a version's tables, without views."""
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def transfer(source: str, target: str, revision: str) -> None:
    """Copy all rows of the database at `source`, which is of that version, to an empty one."""
    old, new = sa.create_engine(source), sa.create_engine(target)
    with old.connect() as reading, new.begin() as writing:
        upgrade(writing, revision)
        tables = sa.MetaData()
        tables.reflect(writing)
        for table in tables.sorted_tables:
            if table.name == "alembic_version":
                continue
            rows = [dict(row) for row in reading.execute(sa.select(table)).mappings()]
            if rows:
                writing.execute(sa.insert(table), rows)
            if "id" in table.columns:
                writing.exec_driver_sql(
                    f"SELECT setval('{table.name}_id_seq', (SELECT max(id) FROM \"{table.name}\"))"
                )
    old.dispose()
    new.dispose()
