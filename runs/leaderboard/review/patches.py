"""Checks the predictions of a submission: can each be graded, and which files does it touch?"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from data.errors import UsageError
from data.patches.litter import litter_of
from data.predictions.check import PredictionVerdict, check_predictions
from data.predictions.predictions import columns_of, validate_predictions
from data.predictions.rows import read_rows
from runs.leaderboard.review.finding import ReviewFinding
from runs.words import named

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from data.predictions.check import Checked
    from runs.leaderboard.review.finding import Submitted


def read_patches(file: Path) -> dict[str, str]:
    """Read patches by instance id, byte by byte. Damaged rows are left out.

    Raises:
        UsageError: the file itself cannot be read.
    """
    found = {}
    for row in read_rows(file):
        try:
            name, _, patch = columns_of(row)
        except UsageError:
            continue
        found[name] = patch
    return found


def check_patches(file: Path, submitted: Submitted) -> Iterator[ReviewFinding]:
    """Check every prediction of a file, and the file as a whole as graders do.

    Raises:
        UsageError: the file itself cannot be read.
    """
    seen: Counter[str] = Counter()
    models: Counter[str] = Counter()
    found: list[ReviewFinding] = []
    for one in check_predictions(file, known=submitted.known):
        seen[one.instance_id] += 1
        if one.model_name_or_path:
            models[one.model_name_or_path] += 1
        found += _prediction(one, f"{file.name}, {one.where}")
    yield from found or _refused(file)
    yield from _whole(file, seen, models)
    yield from _coverage(file, seen, submitted.known)


def _prediction(one: Checked, where: str) -> Iterator[ReviewFinding]:
    about = (one.instance_id,) if one.instance_id else ()
    if one.verdict is PredictionVerdict.REFUSED:
        yield ReviewFinding(where, f"cannot be graded: {'; '.join(one.notes)}", "", about)
    elif one.verdict is PredictionVerdict.REPAIRED:
        hint = "Write the repaired predictions with `troop check-predictions --output`."
        yield ReviewFinding(where, f"is damaged: {'; '.join(one.notes)}", hint, about)
    if touched := named(litter_of(one.patch)):
        hint = "Export with --clean, or with --clean-tests for tests."
        yield ReviewFinding(where, f"touches {', '.join(touched)}", hint, about)


def _refused(file: Path) -> Iterator[ReviewFinding]:
    """What graders require of a file, beyond usable rows."""
    try:
        validate_predictions(file)
    except UsageError as error:
        yield ReviewFinding(file.name, f"graders refuse it: {error.message}", error.hint)


def _whole(file: Path, seen: Counter[str], models: Counter[str]) -> Iterator[ReviewFinding]:
    twice = tuple(name for name, count in seen.items() if name and count > 1)
    if twice:
        yield ReviewFinding(
            file.name, "has instances more than once", "Keep one prediction for each.", twice
        )
    if len(models) > 1:
        names = ", ".join(f"{model} ({count})" for model, count in models.most_common(5))
        yield ReviewFinding(file.name, f"mixes model names: {names}", "Use one name in every row.")


def _coverage(
    file: Path, seen: Collection[str], known: Collection[str] | None
) -> Iterator[ReviewFinding]:
    """Unknown ids are rejected one by one; missing ids make one finding."""
    missing = tuple(name for name in known or () if name not in seen)
    if missing:
        what = "lacks instances of the dataset, which count as not resolved"
        hint = 'Finish them, or submit an empty patch ("") for each.'
        yield ReviewFinding(file.name, what, hint, missing)
