"""The form in which views are defined."""

from __future__ import annotations

from dataclasses import dataclass

OF_INSTANCE = "JOIN instance i ON i.id = {0}.instance_id JOIN run r ON r.id = i.run_id"
"""Joins instance and run; {0} is the table that refers to an instance."""
IN_RUN = "r.id, i.instance_id"
"""The order of instances: by run, the first begun first, then by id."""

_SPELLED = {
    "sqlite": {
        "{joined}": "group_concat",
        "{setup}": "json_extract(i.environment, '$.setup')",
    },
    "postgresql": {
        "{joined}": "string_agg",
        # In two steps, so that only this one text is converted: another may not be valid here.
        "{setup}": "(CAST(i.environment AS json) -> 'setup') #>> '{}'",
    },
}
"""Placeholders in expressions for what the two databases spell differently."""
SETUP = "{setup}"
"""The command that sets up the instance `i`."""


def joined(expression: str, rows: str, order: str, between: str) -> str:
    """An expression that joins `expression` over `rows` (the part after FROM), in their order."""
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
    """The part after FROM."""
    order: str
    """The part after ORDER BY: the order of rows, unless a query asks for another."""

    def sql(self, dialect: str) -> str:
        """The CREATE VIEW statement for SQLite or PostgreSQL."""
        columns = ", ".join(f"{expression} AS {name}" for name, expression, _ in self.columns)
        query = f"SELECT {columns} FROM {self.source} ORDER BY {self.order}"  # noqa: S608 - ours
        for sign, spelled in _SPELLED[dialect].items():
            query = query.replace(sign, spelled)
        return f"CREATE VIEW {self.name} AS {query}"
