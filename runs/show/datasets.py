"""The datasets that Troop knows, and what it reads of a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from runs.show.legends import legend, table
from runs.words import listed, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from data.instances.family import Dataset

CHOOSE_SPLIT = "(name one)"
ROWS_IMAGE = "(the row's)"
_UNNAMED = "image of a row that names none"
_LABELS = {
    "instance_id": "instance",
    "repo": "repository",
    "base_commit": "commit to repair",
    "image": "Docker image",
    "folder": "the repository in it",
    "activate": "run before each script",
    "setup": "run once, to prepare it",
    "language": "language",
    "scripts": "language of test scripts",
}


def datasets_report(family: Sequence[Dataset]) -> RenderableType:
    """All of them, then the images of rows that name none, then notes on some."""
    made = table("name", "dataset", "split", "folder")
    images: dict[str, list[str]] = {}
    for each in family:
        made.add_row(each.alias, each.hub, each.split or CHOOSE_SPLIT, each.folder)
        if each.image:
            images.setdefault(each.image.removesuffix(":latest"), []).append(each.alias)
    pictures = table(_UNNAMED, "of", fold="of")
    for image, names in images.items():
        pictures.add_row(image, listed(names))
    notes = (plain(f"{each.alias}: {each.note}") for each in family if each.note)
    return Group(
        made,
        Text(),
        legend(
            ("name", "for --dataset, which also takes the dataset's name or a file"),
            ("dataset", "the name on the Hugging Face hub"),
            ("split", "the part that is used unless --split names another"),
            ("folder", "the repository in an instance's image; {name}: the repository's name"),
        ),
        Text(),
        pictures,
        Text(),
        legend(
            ("{id}", "the instance's id; {id_1776}, {id_s}: with _1776_ or _s_ instead of __"),
            ("{org}", "and {name}, {number}: organisation, repository and number of the pull"),
            ("", "request that the instance is made from"),
            "A row of any other dataset must name its image.",
        ),
        Text(),
        *notes,
    )


def row_report(taken: Mapping[str, str]) -> RenderableType:
    """What is read of a row, the issue last."""
    lines = [plain(f"{label:<25}{taken[name]}") for name, label in _LABELS.items() if taken[name]]
    issue = taken["problem_statement"].replace("\r\n", "\n")
    return Group(*lines, Text(), Text("the issue:", style="dim"), Text(), plain(issue))
