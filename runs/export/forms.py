"""The forms that a run is written in. For several forms, each instance is still read once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from data.errors import UsageError
from data.paths import file_name
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
from runs.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from runs.export.patches import Patches
    from runs.store.reading import Reader
    from runs.store.records import InstanceRecord, RunRecord
    from runs.store.story import Story


@dataclass(frozen=True, slots=True)
class Order:
    """What to write."""

    run: RunRecord
    instances: Sequence[InstanceRecord]
    patches: Patches
    folder: Path
    model_name: str


class FormWriter(Protocol):
    """Writes one form."""

    def write(self, story: Story, patch: str) -> None:
        """Take in an instance. `patch` is its exported patch."""

    def finish(self) -> str:
        """Write what is left. Gives a line for people."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """A form that needs only the patches."""

    write: Callable[[Order], str]
    """Gives a line for people."""


@dataclass(frozen=True, slots=True)
class Stories:
    """A form that needs each instance to be read."""

    begin: Callable[[Order], FormWriter]


Form = Predictions | Stories


def pick_forms(forms: Mapping[str, Form], names: Sequence[str]) -> list[Form]:
    """The forms with these names.

    Raises:
        UsageError: there is no form of such a name. The hint lists the forms.
    """
    for name in names:
        if name not in forms:
            raise UsageError(f"There is no format {name!r}.", hint=f"There are {', '.join(forms)}.")
    return [forms[name] for name in names]


def write_forms(
    reader: Reader, order: Order, forms: Sequence[Form], on_instance: Callable[[str], None]
) -> list[str]:
    """Write a run in several forms. Gives a line for people about each.

    `on_instance` is called before each instance whose trajectories are read.

    Raises:
        UsageError: there is nothing to write in a form.
        StoreError: the database or the folder failed.
    """
    said = [form.write(order) for form in forms if isinstance(form, Predictions)]
    writers = [form.begin(order) for form in forms if isinstance(form, Stories)]
    for instance in order.instances if writers else ():
        name = instance.instance_id
        on_instance(name)
        story = reader.story(instance)
        for writer in writers:
            writer.write(story, order.patches.diffs.get(name, ""))
    return said + [writer.finish() for writer in writers]


def _preds(order: Order) -> str:
    write_predictions(order.folder, order.model_name, order.patches.diffs)
    return _counted(
        order.patches, f"{order.folder}/{PREDICTIONS} and {order.folder}/{ALL_PREDICTIONS}"
    )


def _pro(order: Order) -> str:
    write_pro(order.folder / PRO, order.model_name, order.patches.diffs)
    return _counted(order.patches, f"{order.folder}/{PRO}")


def _multi_swe(order: Order) -> str:
    file = order.folder / MULTI_SWE
    left_out = write_multi_swe(file, order.patches.repos, order.patches.diffs)
    some = ", ".join(left_out[:3])
    more = f" ({some} and others are not pull requests)" if left_out else ""
    return f"{counted(len(order.patches.diffs) - len(left_out), 'prediction')}: {file}{more}"


def _counted(patches: Patches, where: str) -> str:
    return (
        f"{counted(len(patches.diffs), 'prediction')}, {patches.empty} with an empty patch: {where}"
    )


class _Mini:
    """A folder like the one that mini-swe-agent's batch mode leaves."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._folder = order.folder / "mini"
        self._files = 0

    def write(self, story: Story, patch: str) -> None:
        if story.conversations:
            for stem, document in mini_documents(story, patch).items():
                _put_json(self._folder / file_name(story.name) / f"{stem}.traj.json", document)
                self._files += 1

    def finish(self) -> str:
        order = self._order
        write_prediction_file(self._folder / PREDICTIONS, order.model_name, order.patches.diffs)
        put_file(self._folder / "exit_statuses.yaml", exit_statuses(order.instances).encode())
        return f"files with trajectories: {self._files}, in {self._folder}/ (mini-extra inspector)"


class _Atif:
    """One document for each instance."""

    def __init__(self, order: Order) -> None:
        self._folder = order.folder / "atif"
        self._files = 0

    def write(self, story: Story, patch: str) -> None:
        _put_json(self._folder / f"{file_name(story.name)}.json", atif_document(story, patch))
        self._files += 1

    def finish(self) -> str:
        return f"files with trajectories: {self._files}, in {self._folder}/"


FORMS: Mapping[str, Form] = {
    "preds": Predictions(_preds),
    "pro": Predictions(_pro),
    "multi-swe": Predictions(_multi_swe),
    "mini": Stories(_Mini),
    "atif": Stories(_Atif),
}
"""The forms that need only the order. Another form is in `runs/leaderboard/form.py`."""


def _put_json(file: Path, document: dict[str, Any]) -> None:
    put_file(file, (json.dumps(document, indent=2) + "\n").encode())
