"""Lines and tables that are cut, with a mark, if they do not fit; they are never wrapped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from runs.words import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.text import Text

MEDIUM = 80
"""A terminal with fewer columns is narrow."""
GAP = 2
"""Characters between two columns of a table."""


def line(text: str, style: str = "") -> Text:
    """One line that is cut, with a mark, if it does not fit."""
    made = plain(text.replace("\n", " "), style)
    made.no_wrap, made.overflow = True, "ellipsis"
    return made


def grid(columns: Mapping[str, int], *, header: bool = True) -> Table:
    """An empty table without lines around it, of columns of these widths."""
    table = Table(box=None, padding=(0, GAP, 0, 0), header_style="dim", show_header=header)
    for name, width in columns.items():
        table.add_column(name, width=max(1, width), no_wrap=True, overflow="ellipsis")
    return table


def header_fits(rows: int) -> bool:
    """Whether so many rows leave room for the names of columns."""
    return rows > 2  # noqa: PLR2004 - one of them, and what is left out
