"""The result of a query, and the views that can be queried."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len, set_cell_size
from rich.console import Group
from rich.table import Table
from rich.text import Text

from runs.store.views import VIEWS
from runs.words import plain, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, RenderableType

    from runs.store.query import QueryResult


LONGEST_CELL = 2000
"""The most characters of one value in a table, because laying out megabytes takes minutes."""

_ENDLESS = 1 << 20
_GAP = 2
"""Blanks after the last column."""
_DIGEST = re.compile(r"[0-9a-f]{64}")


def print_result(result: QueryResult, console: Console) -> None:
    """The rows as a table; if that is wider than the console, a line for each value.

    A single column that does not fit is printed as it is, so that it can be copied.
    """
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in result.columns:
        table.add_column(plain(name), no_wrap=True)
    for row in result.rows:
        table.add_row(*map(_cell, row))
    wanted = console.measure(table, options=console.options.update(max_width=_ENDLESS)).maximum
    fits = wanted - _GAP <= console.width and not any(map(_tall, result.rows))
    if len(result.columns) == 1 and not fits:
        console.file.writelines(f"{visible(str(row[0]))}\n" for row in result.rows)
        return
    count = len(result.rows)
    end = Text(f"({count} row{'' if count == 1 else 's'})", style="dim")
    parts = [table] if fits else _lines(result)
    console.print(*parts, end, sep="\n", soft_wrap=True)  # nothing is cut off


def _lines(result: QueryResult) -> Iterator[Text]:
    """Rows below each other, with a line for each line of each value."""
    names = [visible(name) for name in result.columns]
    width = max(map(cell_len, names))
    for number, row in enumerate(result.rows, 1):
        yield Text(f"-- row {number} of {len(result.rows)}", style="dim")
        for name, value in zip(names, row, strict=True):
            shown = _cell(value, whole=True)
            first, *more = shown.split("\n", allow_blank=True)
            yield Text.assemble((set_cell_size(name, width), "bold"), "  ", first)
            for line in more:
                yield Text(" " * (width + 2)).append_text(line)


def _tall(row: Sequence[Any]) -> bool:
    return any(isinstance(value, str) and "\n" in value for value in row)


def views_list() -> RenderableType:
    """Every view with its columns."""
    parts: list[RenderableType] = []
    for view in VIEWS:
        table = Table.grid(padding=(0, 2))
        for name, _, about in view.columns:
            table.add_row(f"  {name}", Text(about, style="dim"))
        parts += [Text.assemble((view.name, "bold"), f": {view.about}"), table]
    return Group(*parts)


def _cell(value: object, *, whole: bool = False) -> Text:
    """A value; a digest is shortened unless `whole`."""
    if value is None:
        return Text("NULL", style="dim")
    if isinstance(value, float):
        return Text(f"{value:.6g}")
    if isinstance(value, str) and _DIGEST.fullmatch(value) and not whole:
        return Text(f"{value[:10]}…", style="dim")
    text = str(value)
    if len(text) > LONGEST_CELL:
        left = len(text) - LONGEST_CELL
        return plain(
            f"{text[:LONGEST_CELL]} [{left:,} more characters; all of them: --format json]"
        )
    return plain(text)
