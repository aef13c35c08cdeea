"""Which images of a dataset are here, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from runs.doctor.room import size
from runs.show.legends import legend, table
from runs.words import counted, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from data.instances.instance import Instance
    from runs.doctor.images import Stock


def stock_report(instances: Sequence[Instance], stock: Stock) -> RenderableType:
    """Which images are here, and which must be pulled."""
    users: dict[str, int] = {}
    for each in instances:
        image = each.environment.image
        if image:
            users[image] = users.get(image, 0) + 1
    made = table("image", "state", "size", "instances", numbers="size,instances")
    for name, count in users.items():
        known = size(stock.here[name]) if stock.here.get(name) else "unknown"
        made.add_row(plain(name), "here" if name in stock.here else "to pull", known, str(count))
    notes = legend(
        ("state", "here: on this machine; to pull: it is pulled when it is needed"),
        ("size", "on this machine's disk"),
        ("instances", "how many of the instances picked use the image"),
    )
    return Group(
        *((made, Text(), notes, Text()) if users else ()), *_totals(instances, stock, users)
    )


def _totals(instances: Sequence[Instance], stock: Stock, users: Mapping[str, int]) -> list[Text]:
    here, missing = len(stock.here), len(stock.missing)
    total = size(sum(stock.here.values()))
    known = f" ({total}, counting shared layers each time)" if here else ""
    said = f"{counted(len(instances), 'instance')}, {counted(here + missing, 'image')}:"
    lines = [Text(f"{said} {here} here{known}, {missing} to be pulled")]
    bare = len(instances) - sum(users.values())
    if bare:
        lines.append(Text(f"{counted(bare, 'row')} without an image: add the column image."))
    return lines
