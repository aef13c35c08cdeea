"""What is to be graded: the patches of a run, or of a predictions file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.errors import UsageError
from data.predictions.predictions import columns_of
from data.predictions.rows import read_rows
from runs.grading.nouns import patch_digest
from runs.store.registry import Status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from runs.store.reading import Reader, Row


@dataclass(frozen=True, slots=True)
class Subject:
    """One patch for one instance, as it is counted."""

    instance_id: str
    diff: str
    """"" where an instance ended without a patch."""
    name: str
    """What it is counted under: its run's name, or its model's in a file of predictions."""
    model: str
    """Who wrote it."""
    chosen: bool
    """It is what its run, or its model, gives out for the instance."""
    writers: int = 1
    """How many samples or systems wrote it."""
    candidate: int | None = None
    """Its number in the run."""

    @property
    def key(self) -> tuple[str, str]:
        """As `Task.key`."""
        return self.instance_id, patch_digest(self.diff)


def of_run(reader: Reader, run: Row, names: Sequence[str], *, every: bool) -> list[Subject]:
    """The chosen patch of each instance that came to its end, or `every` candidate.

    An instance without a patch, or samples that were to write one and did not, are
    empty subjects.

    Raises:
        UsageError: there is no such instance, or none has come to its end.
    """
    rows = reader.view("instances", run=run["run"])
    if names:
        rows = [reader.instance(run["run"], name) for name in dict.fromkeys(names)]
    found: list[Subject] = []
    for row in rows:
        if Status(row["status"]).final:
            found += _candidates(reader, row, run) if every else [_chosen(reader, row, run)]
    if not found:
        raise UsageError(
            f"no instance of {run['run']} has come to its end", mend="`troop run` goes on with it"
        )
    return found


def of_predictions(path: Path, names: Sequence[str], notes: list[str]) -> list[Subject]:
    """The patches of a predictions file as they stand there; several for an instance are fine.

    A row that is damaged is left out, with a line in `notes`.

    Raises:
        UsageError: the file cannot be read, or holds none of what is asked for.
    """
    found: dict[tuple[str, str, str], Subject] = {}
    for row in read_rows(path):
        try:
            instance_id, model, diff = columns_of(row)
        except UsageError as error:
            notes.append(f"{error.message}; left out")
            continue
        name = model or path.stem
        subject = Subject(instance_id, diff if diff.strip() else "", name, name, chosen=True)
        if not names or instance_id in names:
            found.setdefault((*subject.key, name), subject)
    missing = [name for name in names if not any(s.instance_id == name for s in found.values())]
    if missing or not found:
        raise UsageError(
            f"{path} has no prediction for {', '.join(missing) or 'anything'}",
            mend=notes[0] if notes else "",
        )
    return list(found.values())


def _chosen(reader: Reader, row: Row, run: Row) -> Subject:
    diff = reader.text(row["patch"])
    name, model = run["run"], run["model"]
    return Subject(row["instance_id"], diff, name, model, chosen=True, candidate=row["chosen"])


def _candidates(reader: Reader, row: Row, run: Row) -> list[Subject]:
    where = {"run": row["run"], "instance_id": row["instance_id"]}
    candidates = sorted(reader.view("candidates", **where), key=lambda each: each["candidate"])
    found = [
        Subject(
            row["instance_id"],
            reader.text(each["diff"]),
            run["run"],
            each["sources"] or run["model"],
            chosen=each["candidate"] == row["chosen"],
            writers=each["support"],
            candidate=each["candidate"],
        )
        for each in candidates
    ]
    without = 0
    if _edits(run):
        without = sum(each["candidate"] is None for each in reader.view("samples", **where))
    if without or not found:
        names = (run["run"], run["model"])
        none = row["chosen"] is None
        found.append(Subject(row["instance_id"], "", *names, chosen=none, writers=without))
    return found


def _edits(run: Row) -> bool:
    """Whether the run's samples write patches; an ensemble's write tests only."""
    return bool(json.loads(run["config"]).get("samples.strategy") != "tests-only")
