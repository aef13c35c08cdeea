"""The result of a query, and the views that can be asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from runs.store.views import VIEWS
from runs.words import plain

if TYPE_CHECKING:
    from rich.console import RenderableType

    from runs.store.query import QueryResult


LONGEST_CELL = 2000
"""Characters of one value in a table; laying out megabytes takes minutes."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


def result_table(result: QueryResult) -> RenderableType:
    """The rows as a table; a single text column as it is, so that it can be copied."""
    if len(result.columns) == 1 and any("\n" in str(row[0]) for row in result.rows):
        return Group(*(plain(row[0]) for row in result.rows))
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in result.columns:
        table.add_column(plain(name), overflow="fold", min_width=min(len(name), 12))
    for row in result.rows:
        table.add_row(*(_cell(value) for value in row))
    count = len(result.rows)
    return Group(table, Text(f"({count} row{'' if count == 1 else 's'})", style="dim"))


def views_list() -> RenderableType:
    """Every view with its columns."""
    parts: list[RenderableType] = []
    for view in VIEWS:
        table = Table.grid(padding=(0, 2))
        for name, _, about in view.columns:
            table.add_row(f"  {name}", Text(about, style="dim"))
        parts += [Text.assemble((view.name, "bold"), f": {view.about}"), table]
    return Group(*parts)


def _cell(value: object) -> Text:
    if value is None:
        return Text("NULL", style="dim")
    if isinstance(value, float):
        return Text(f"{value:.6g}")
    if isinstance(value, str) and _DIGEST.fullmatch(value):
        return Text(f"{value[:10]}…", style="dim")
    text = str(value)
    if len(text) > LONGEST_CELL:
        left = len(text) - LONGEST_CELL
        return plain(f"{text[:LONGEST_CELL]} [{left:,} more characters: --format json has all]")
    return plain(text)
