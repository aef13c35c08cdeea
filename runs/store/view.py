"""What a view is."""

from __future__ import annotations

from dataclasses import dataclass

OF_INSTANCE = "JOIN instance i ON i.id = {0}.instance_id JOIN run r ON r.id = i.run_id"
"""Brings in instance and run; {0} is the table that refers to an instance."""


@dataclass(frozen=True, slots=True)
class View:
    """A named view with its columns (name -> (expression, description))."""

    name: str
    about: str
    columns: tuple[tuple[str, str, str], ...]
    """(name, SQL expression, description)."""
    source: str
    """What follows FROM."""

    @property
    def sql(self) -> str:
        """The CREATE VIEW statement."""
        columns = ", ".join(f"{expression} AS {name}" for name, expression, _ in self.columns)
        return f"CREATE VIEW {self.name} AS SELECT {columns} FROM {self.source}"  # noqa: S608 - ours
