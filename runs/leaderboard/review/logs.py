"""Checks the harness's logs: there for every patch, about exactly this patch, and credible."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from runs.leaderboard.review.finding import ReviewFinding
from runs.leaderboard.submission import LOGS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runs.leaderboard.review.finding import Submitted

NEEDED = LOGS[:3]
"""Without the first two, an instance counts as not resolved."""


def check_logs(submitted: Submitted) -> Iterator[ReviewFinding]:
    """Check the logs of every prediction. The harness writes none for an empty patch."""
    folder = submitted.folder / "logs"
    if not folder.is_dir():
        return
    present = {entry.name for entry in folder.iterdir() if entry.is_dir()}
    patched = [name for name, patch in submitted.patches.items() if patch.strip()]
    if missing := tuple(name for name in patched if name not in present):
        hint = "Grade them with `troop grade`, and export again."
        yield ReviewFinding("logs", "instances have no logs", hint, missing)
    if strangers := tuple(sorted(present.difference(submitted.patches))):
        yield ReviewFinding("logs", "some logs belong to no prediction", "Remove them.", strangers)
    for name in sorted(present.intersection(submitted.patches)):
        yield from _instance(folder / name, name, submitted.patches[name])


def _instance(folder: Path, name: str, patch: str) -> Iterator[ReviewFinding]:
    where = f"logs/{name}"
    for file in NEEDED if patch.strip() else ():
        if not (folder / file).is_file() or not (folder / file).stat().st_size:
            hint = "Grade it with `troop grade`, and export again."
            yield ReviewFinding(f"{where}/{file}", "is missing or empty", hint, (name,))
    graded = folder / "patch.diff"
    if graded.is_file() and not _same(graded.read_bytes(), patch):
        yield ReviewFinding(
            f"{where}/patch.diff",
            "is not the submitted patch",
            "The harness keeps reports by run id: grade again with a new one.",
            (name,),
        )
    if (folder / "report.json").is_file():
        yield from _report(folder / "report.json", name, patch)


def _same(graded: bytes, patch: str) -> bool:
    """Whether they are equal except for line ends at the end, which graders add."""
    return graded.rstrip(b"\n") == patch.encode("utf-8", "surrogatepass").rstrip(b"\n")


def _report(file: Path, name: str, patch: str) -> Iterator[ReviewFinding]:
    where = f"logs/{name}/{file.name}"
    try:
        found = json.loads(file.read_bytes())
    except ValueError:
        yield ReviewFinding(where, "cannot be read as JSON", "Grade it again.", (name,))
        return
    report = found.get(name) if isinstance(found, dict) else None
    if not isinstance(report, dict) or not isinstance(report.get("resolved"), bool):
        yield ReviewFinding(where, "says nothing of this instance", "Grade it again.", (name,))
        return
    if not report["resolved"]:
        return
    if not patch.strip():
        yield ReviewFinding(
            where, "says that an empty patch is resolved", "Grade it again.", (name,)
        )
    elif report.get("patch_successfully_applied") is False:
        what = "says that a patch is resolved which could not be applied"
        yield ReviewFinding(where, what, "Grade it again.", (name,))
