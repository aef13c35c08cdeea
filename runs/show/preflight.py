"""What the preflight found, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from runs.grading.preflight import said
from runs.show.legends import legend, table
from runs.words import counted, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from runs.grading.preflight import Fitness


def preflight_report(found: Sequence[Fitness], grader: str) -> RenderableType:
    """A row for each instance, and how many are fit."""
    made = table("instance", "gold patch", "no edit", "fit", fold="gold patch,no edit,fit")
    for each in found:
        why = f"unknown: {each.unknown}" if each.unknown else each.unfit or "yes"
        style = "yellow" if each.unknown else "red" if each.unfit else "green"
        made.add_row(
            plain(each.instance_id),
            plain(said(each.gold)),
            plain(said(each.no_edit)),
            plain(why[:200], style),
        )
    fit = sum(not each.unfit and not each.unknown for each in found)
    unknown = sum(bool(each.unknown) for each in found)
    total = f"{fit} of {counted(len(found), 'instance')} are fit to be graded, by the {grader}"
    again = f"; {unknown} unknown: try again" if unknown else ""
    notes = legend(
        ("gold patch", "the grade of the benchmark's own fix"),
        ("no edit", "the grade of a patch that changes nothing"),
        ("fit", "yes: the gold patch is resolved, and no edit is not; else the reason"),
        ("F2P, P2P", "how many of the FAIL_TO_PASS and PASS_TO_PASS tests pass"),
    )
    return Group(made, Text(), notes, Text(), plain(total + again))
