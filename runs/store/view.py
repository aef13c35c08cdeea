"""What a view is."""

from __future__ import annotations

from dataclasses import dataclass

OF_INSTANCE = "JOIN instance i ON i.id = {0}.instance_id JOIN run r ON r.id = i.run_id"
"""Brings in instance and run; {0} is the table that refers to an instance."""


_JOINED = {"sqlite": "group_concat", "postgresql": "string_agg"}


def joined(expression: str, rows: str, order: str, between: str) -> str:
    """The text of `expression` over `rows` (what follows FROM) in their order, as one column."""
    each = f"SELECT CAST({expression} AS TEXT) AS one FROM {rows} ORDER BY {order}"  # noqa: S608 - ours
    return f"coalesce((SELECT {{joined}}(one, '{between}') FROM ({each}) each), '')"  # noqa: S608 - ours


@dataclass(frozen=True, slots=True)
class View:
    """A named view with its columns (name -> (expression, description))."""

    name: str
    about: str
    columns: tuple[tuple[str, str, str], ...]
    """(name, SQL expression, description)."""
    source: str
    """What follows FROM."""

    def sql(self, dialect: str) -> str:
        """The CREATE VIEW statement for SQLite or PostgreSQL."""
        columns = ", ".join(f"{expression} AS {name}" for name, expression, _ in self.columns)
        columns = columns.replace("{joined}", _JOINED[dialect])
        return f"CREATE VIEW {self.name} AS SELECT {columns} FROM {self.source}"  # noqa: S608 - ours
