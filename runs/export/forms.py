"""Writing a run in several forms at once, each instance loaded once."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from data.errors import UsageError
from data.predictions.forms import MULTI_SWE, PRO, write_multi_swe, write_pro
from data.predictions.predictions import (
    ALL_PREDICTIONS,
    PREDICTIONS,
    write_prediction_file,
    write_predictions,
)
from data.writing import put_file
from runs.export.atif import atif_document
from runs.export.mini import exit_statuses, mini_documents
from runs.export.story import load_story
from runs.export.trace import trace
from runs.leaderboard.readme import Result, readme
from runs.leaderboard.submission import About, Submission, metadata

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from runs.export.patches import Patches
    from runs.export.story import Story
    from runs.leaderboard.logs import Logs
    from runs.store.reading import Reader, Row

FORMS = {
    "preds": "preds.json and all_preds.jsonl, for SWE-bench's harness",
    "pro": "pro.json, for SWE-bench Pro's evaluation",
    "multi-swe": "multi-swe.jsonl, for Multi-SWE-bench's",
    "mini": "mini/: trajectories as mini-swe-agent 2 writes them",
    "atif": "atif/: trajectories in ATIF 1.7, one file for each instance",
    "leaderboard": "evaluation/: a submission for SWE-bench's leaderboard",
}


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be written."""

    run: Row
    rows: list[Row]
    """The instances, of the view `instances`."""
    patches: Patches
    folder: Path
    model_name: str
    logs: Logs
    about: About = field(default_factory=About)


def check_forms(names: list[str]) -> None:
    """Refuse a form that is none.

    Raises:
        UsageError: names those there are.
    """
    for name in names:
        if name not in FORMS:
            raise UsageError(f"There is no format {name!r}.", mend=f"There are {', '.join(FORMS)}.")


def write_forms(
    reader: Reader, order: Order, names: list[str], on_instance: Callable[[str], None]
) -> list[str]:
    """Write a run in the forms named; a line for people about each.

    `on_instance` is called before each instance whose trajectories are loaded.

    Raises:
        UsageError: there is nothing to write in a form.
        StoreError: the database or the folder failed.
    """
    said = [_PREDICTIONS[name](order) for name in names if name in _PREDICTIONS]
    writers = [_STORIES[name](reader, order) for name in names if name in _STORIES]
    for row in order.rows if writers else []:
        name = row["instance_id"]
        on_instance(name)
        story = load_story(reader, order.run, row, order.patches.diffs.get(name, ""))
        for writer in writers:
            writer.write(story)
    return said + [writer.finish() for writer in writers]


def _preds(order: Order) -> str:
    write_predictions(order.folder, order.model_name, order.patches.diffs)
    return _counted(order.patches, f"{order.folder}/{PREDICTIONS}, {ALL_PREDICTIONS}")


def _pro(order: Order) -> str:
    write_pro(order.folder / PRO, order.model_name, order.patches.diffs)
    return _counted(order.patches, f"{order.folder}/{PRO}")


def _multi_swe(order: Order) -> str:
    file = order.folder / MULTI_SWE
    left_out = write_multi_swe(file, order.patches.repos, order.patches.diffs)
    some = ", ".join(left_out[:3])
    more = f" ({some} and others are no pull requests)" if left_out else ""
    return f"{len(order.patches.diffs) - len(left_out)} predictions: {file}{more}"


def _counted(patches: Patches, where: str) -> str:
    return f"{len(patches.diffs)} predictions, {patches.empty} of them empty: {where}"


_PREDICTIONS: dict[str, Callable[[Order], str]] = {
    "preds": _preds,
    "pro": _pro,
    "multi-swe": _multi_swe,
}


class _Mini:
    """The folder that mini-swe-agent's batch mode would have left."""

    def __init__(self, _reader: Reader, order: Order) -> None:
        self._order = order
        self._folder = order.folder / "mini"
        self._files = 0

    def write(self, story: Story) -> None:
        if story.talks:
            for stem, document in mini_documents(story).items():
                _put_json(self._folder / story.name / f"{stem}.traj.json", document)
                self._files += 1

    def finish(self) -> str:
        order = self._order
        write_prediction_file(self._folder / PREDICTIONS, order.model_name, order.patches.diffs)
        put_file(self._folder / "exit_statuses.yaml", exit_statuses(order.rows).encode())
        return f"files with trajectories: {self._files}, in {self._folder}/ (mini-extra inspector)"


class _Atif:
    """One document for each instance."""

    def __init__(self, _reader: Reader, order: Order) -> None:
        self._folder = order.folder / "atif"
        self._files = 0

    def write(self, story: Story) -> None:
        _put_json(self._folder / f"{story.name}.json", atif_document(story))
        self._files += 1

    def finish(self) -> str:
        return f"files with trajectories: {self._files}, in {self._folder}/"


class _Leaderboard:
    """A submission; only instances that have come to their end are in it."""

    def __init__(self, reader: Reader, order: Order) -> None:
        sources = {
            source
            for row in reader.view("candidates", run=order.run["run"])
            for source in filter(None, row["sources"].split(", "))
        }
        self._submission = Submission(order.run, order.about, tuple(sorted(sources)))
        self._order = order
        self._folder = order.folder / self._submission.place
        self._result = Result()

    def write(self, story: Story) -> None:
        if story.name not in self._order.patches.diffs:
            return
        text = trace(story).encode("utf-8", "backslashreplace")
        put_file(self._folder / "trajs" / f"{story.name}.md", text)
        logs = self._order.logs(story.name)
        for name, content in logs.items():
            put_file(self._folder / "logs" / story.name / name, content)
        self._result.count(story.instance["repo"], logs.get("report.json"), story.name)

    def finish(self) -> str:
        order = self._order
        file = self._folder / ALL_PREDICTIONS
        write_prediction_file(file, order.model_name, order.patches.diffs)
        put_file(self._folder / "metadata.yaml", metadata(self._submission).encode())
        put_file(self._folder / "README.md", readme(self._submission, self._result).encode())
        return f"a submission of {len(order.patches.diffs)} predictions: {self._folder}/"


_STORIES: dict[str, Callable[[Reader, Order], _Mini | _Atif | _Leaderboard]] = {
    "mini": _Mini,
    "atif": _Atif,
    "leaderboard": _Leaderboard,
}


def _put_json(file: Path, document: dict[str, Any]) -> None:
    put_file(file, (json.dumps(document, indent=2) + "\n").encode())
