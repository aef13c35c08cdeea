"""Checks the submission's folder: its name, its content and its size."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from runs.leaderboard.review.finding import ReviewFinding
from runs.leaderboard.submission import SPLITS, is_date

if TYPE_CHECKING:
    from collections.abc import Iterator

PREDICTIONS = ("all_preds.jsonl", "preds.json")
NEEDED = ("README.md", "metadata.yaml", "trajs", "logs")
KNOWN = frozenset({*PREDICTIONS, *NEEDED, "metadata.yml", "results"})
"""What `analysis/get_results.py` keeps or writes itself."""
HOSTED = frozenset({*SPLITS.values(), "bash-only"})
LARGEST = 100 * 2**20
"""GitHub refuses files with more bytes than this."""
LARGE = 50 * 2**20
"""GitHub warns of files with more bytes than this."""


def check_place(folder: Path) -> Iterator[ReviewFinding]:
    """Check names and sizes."""
    yield from _names(folder.resolve())
    present = {entry.name for entry in folder.iterdir()}
    if "metadata.yml" in present:
        present.add("metadata.yaml")
    if not present.intersection(PREDICTIONS):
        yield ReviewFinding(PREDICTIONS[0], "is missing", "Write it with `troop export`.")
    for name in NEEDED:
        if name not in present:
            hint = "Give --logs to `troop export`." if name == "logs" else "Write it again."
            yield ReviewFinding(name, "is missing", hint)
    if strangers := sorted(present - KNOWN):
        what = "is not part of a submission and will be removed"
        yield from (ReviewFinding(name, what, "Remove it.", grave=False) for name in strangers)
    yield from _sizes(folder)


def _names(folder: Path) -> Iterator[ReviewFinding]:
    date, underscore, name = folder.name.partition("_")
    if not is_date(date) or not underscore or not name:
        yield ReviewFinding(folder.name, "is not named YYYYMMDD_name", "Rename the folder.")
    split = folder.parent
    if split.name not in HOSTED:
        yield ReviewFinding(
            f"{split.name}/{folder.name}",
            f"is not in the folder of a leaderboard: {', '.join(sorted(HOSTED))}",
            "Move it to evaluation/SPLIT/.",
        )


def _sizes(folder: Path) -> Iterator[ReviewFinding]:
    for root, _, files in os.walk(folder):
        for name in files:
            file = Path(root, name)
            size = file.lstat().st_size
            if size > LARGE:
                yield ReviewFinding(
                    str(file.relative_to(folder)),
                    f"has {size / 2**20:.0f} MB; GitHub refuses more than 100",
                    "Shorten or split it.",
                    grave=size > LARGEST,
                )
