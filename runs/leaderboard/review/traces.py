"""Checks the reasoning traces: one for each instance, not empty, and without grading data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from runs.leaderboard.review.finding import ReviewFinding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runs.leaderboard.review.finding import Submitted

GRADING = ("FAIL_TO_PASS", "PASS_TO_PASS", "hints_text")
"""Columns that no prompt may use."""
_STEPS = ("messages", "steps", "trajectory", "history")
"""The keys under which formats of trajectories keep their steps."""


def check_traces(submitted: Submitted) -> Iterator[ReviewFinding]:
    """Check every file of the folder trajs."""
    folder = submitted.folder / "trajs"
    if not folder.is_dir():
        return
    traced: set[str] = set()
    strangers: list[str] = []
    for entry in sorted(folder.iterdir()):
        name = _instance(entry.name, submitted)
        if name is None:
            strangers.append(entry.name)
        else:
            traced.add(name)
        yield from _trace(entry, name or entry.name)
    missing = tuple(name for name in submitted.patches if name not in traced)
    if missing:
        hint = "Name each trace ID.md or ID.json."
        yield ReviewFinding("trajs", "instances have no trace", hint, missing)
    if strangers:
        what = "some traces belong to no prediction"
        yield ReviewFinding("trajs", what, "Remove them.", tuple(strangers))


def _instance(name: str, submitted: Submitted) -> str | None:
    """The instance that a file or folder is named after: its id, with any suffixes."""
    while name:
        if name in submitted.patches:
            return name
        name = name.rpartition(".")[0]
    return None


def _trace(entry: Path, name: str) -> Iterator[ReviewFinding]:
    files = sorted(f for f in entry.rglob("*") if f.is_file()) if entry.is_dir() else [entry]
    if not files:
        yield ReviewFinding(f"trajs/{entry.name}", "has no trace", "Export it again.", (name,))
    for file in files:
        where = f"trajs/{file.relative_to(entry.parent)}"
        content = file.read_bytes()
        if why := _emptiness(file, content):
            yield ReviewFinding(where, why, "Export it again.", (name,))
        if leaks := [column for column in GRADING if column.encode() in content]:
            yield ReviewFinding(
                where,
                f"names {', '.join(leaks)}, which no prompt may use",
                "Find out where it comes from. A prompt that has it disqualifies the run.",
                (name,),
            )


def _emptiness(file: Path, content: bytes) -> str:
    """Why a trace says nothing; "" if it does say something."""
    if not content.strip():
        return "is empty"
    if file.suffix not in {".json", ".traj"}:
        return ""
    try:
        found = json.loads(content)
    except ValueError:
        return "cannot be read as JSON"
    steps = found
    if isinstance(found, dict):
        steps = next((found[key] for key in _STEPS if found.get(key)), None)
    return "" if steps else "has no steps"
