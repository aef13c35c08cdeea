"""What the preflight found, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group

from runs.grading.preflight import said
from runs.show.layout import Sheet
from runs.words import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from runs.grading.preflight import Fitness


def preflight_report(found: Sequence[Fitness], grader: str) -> RenderableType:
    """A row for each instance, and how many are fit."""
    table = Sheet("instance", "gold", "no edit")
    table.column("fit", fold=True)
    for each in found:
        why = f"unknown: {each.unknown}" if each.unknown else each.unfit or "yes"
        style = "yellow" if each.unknown else "red" if each.unfit else "green"
        table.add_row(
            plain(each.instance_id),
            plain(said(each.gold)),
            plain(said(each.no_edit)),
            plain(why[:200], style),
        )
    fit = sum(not each.unfit and not each.unknown for each in found)
    unknown = sum(bool(each.unknown) for each in found)
    total = f"\n{fit} of {len(found)} are fit, by the {grader}"
    return Group(table, plain(total + (f"; {unknown} not known: try again" if unknown else "")))
