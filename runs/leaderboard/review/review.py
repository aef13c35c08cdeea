"""Runs all checks of a submission."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.errors import UsageError
from data.instances.loaders import load_instances
from runs.leaderboard.review.about import check_about
from runs.leaderboard.review.finding import ReviewFinding, Submitted
from runs.leaderboard.review.logs import check_logs
from runs.leaderboard.review.patches import check_patches, read_patches
from runs.leaderboard.review.place import PREDICTIONS, check_place
from runs.leaderboard.review.traces import check_traces
from runs.leaderboard.submission import SPLITS

if TYPE_CHECKING:
    from pathlib import Path

_DATASETS = {split: alias for alias, split in SPLITS.items()}


def review(
    folder: Path, *, dataset: str | None = None, split: str | None = None
) -> tuple[Submitted, list[ReviewFinding]]:
    """Find everything that a reviewer would reject, the most serious first.

    Args:
        folder: the submission's folder.
        dataset: the dataset of its instances; None: the one that the parent folder is named after.
        split: the split of that dataset.

    Raises:
        UsageError: there is no such folder, or the given dataset cannot be read.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder.", hint="Name evaluation/SPLIT/YYYYMMDD_name.")
    found = list(check_place(folder))
    known, doubts = _known(folder, dataset, split)
    found += doubts
    files = [folder / name for name in PREDICTIONS if (folder / name).is_file()]
    patches: dict[str, str] = {}
    for file in files[:1]:
        try:
            patches = read_patches(file)
            found += check_patches(file, Submitted(folder, patches, known))
        except UsageError as error:
            found.append(ReviewFinding(file.name, error.message, error.hint))
    submitted = Submitted(folder, patches, known)
    for check in (check_traces, check_logs):
        found += check(submitted)
    found += check_about(folder)
    return submitted, sorted(found, key=lambda finding: not finding.grave)


def _known(
    folder: Path, dataset: str | None, split: str | None
) -> tuple[frozenset[str] | None, list[ReviewFinding]]:
    """The ids of the dataset, or a finding that says why they cannot be read."""
    if dataset is not None:
        return frozenset(one.instance_id for one in load_instances(dataset, split=split)), []
    place = folder.resolve().parent.name
    if (alias := _DATASETS.get(place)) is None:
        return None, [_uncompared(f"there is no dataset for {place}")]
    try:
        return frozenset(one.instance_id for one in load_instances(alias)), []
    except UsageError as error:
        return None, [_uncompared(error.message)]


def _uncompared(why: str) -> ReviewFinding:
    what = f"instances were not compared with the dataset: {why}"
    return ReviewFinding("all_preds.jsonl", what, "Name it with --dataset.", grave=False)
