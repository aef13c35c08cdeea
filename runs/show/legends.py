"""Tables, and the legends below them, which explain their columns and marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table

from runs.show.layout import Sheet
from runs.words import plain

if TYPE_CHECKING:
    from rich.console import RenderableType


def table(*columns: str, numbers: str = "", fold: str = "") -> Sheet:
    """An empty table; `numbers` are columns set to the right, `fold` those that may be broken.

    Both name columns, with commas between.
    """
    made = Sheet()
    right, folded = numbers.split(","), fold.split(",")
    for name in columns:
        made.column(name, fold=name in folded, justify="right" if name in right else "left")
    return made


def legend(*lines: tuple[str, str] | str) -> RenderableType:
    """What the columns and marks above mean: words with their meanings, or whole sentences.

    Empty sentences are left out.
    """
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for line in lines:
        if isinstance(line, tuple):
            grid.add_row(*(plain(part, "dim") for part in line))
    sentences = (line for line in lines if isinstance(line, str) and line)
    return Group(*([grid] if grid.rows else []), *(plain(line, "dim") for line in sentences))


def or_dash(value: object) -> str:
    """A value, or "-" for none."""
    return "-" if value is None else str(value)
