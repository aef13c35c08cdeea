"""The views of a database as people query them, for tests of what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from runs.store.reading import Reader


def view(reader: Reader, name: str, **where: object) -> list[dict[str, Any]]:
    """The rows of a view that have these values."""
    columns = [sa.column(key) for key in where]
    query = sa.select(sa.text("*")).select_from(sa.table(name, *columns))
    query = query.where(*(column == where[column.name] for column in columns))
    return reader.read(lambda session: [dict(row) for row in session.execute(query).mappings()])
