"""Predictions: patches in the files that SWE-bench's harness and its relatives share."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.errors import UsageError
from data.predictions.columns import instance_of, patch_of
from data.predictions.rows import read_rows
from data.records import Record, kind_of, read_json
from data.writing import put_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from data.predictions.rows import Row

PREDICTIONS = "preds.json"
"""An object keyed by instance id."""
ALL_PREDICTIONS = "all_preds.jsonl"
"""One line for each instance."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """One system's patch for one instance, not yet applied or checked."""

    instance_id: str
    model_name_or_path: str
    model_patch: str


def read_predictions(path: Path, *, notes: list[str] | None = None) -> dict[str, list[Prediction]]:
    """Read candidates by instance id, in the file's order.

    The file is an object keyed by instance id, an array of objects, or JSON
    Lines. An instance that occurs several times has several candidates. Null or
    empty patches and damaged rows are left out, and `notes` gets a line for people
    about each. A row without a model's name gets the name of the file. Columns with
    grades are not read.

    Raises:
        UsageError: the file cannot be read, or none of its rows; names the place.
    """
    found: dict[str, list[Prediction]] = {}
    refused: list[UsageError] = []
    for row in read_rows(path):
        try:
            name, model, patch = columns_of(row)
        except UsageError as error:
            refused.append(error)
            if notes is not None:
                notes.append(f"{error.message} It is left out.")
            continue
        if not patch.strip():
            if notes is not None:
                notes.append(f"{row.where}: the patch for {name} is empty and is left out.")
            continue
        found.setdefault(name, []).append(Prediction(name, model or path.stem, patch))
    if refused and not found:
        raise refused[0]
    return found


def columns_of(row: Row) -> tuple[str, str, str]:
    """Return a row's instance, model ("": none is named) and patch.

    A null patch counts as empty. Other benchmarks' names for the column are accepted.

    Raises:
        UsageError: the row is damaged, or is not a prediction.
    """
    record = row.record
    if row.why:
        raise record.error(row.why)
    name, found = instance_of(record), patch_of(record)
    if found is None:
        raise record.error(
            "lacks model_patch",
            hint="Each prediction has instance_id, model_name_or_path and model_patch.",
        )
    return name, record.text("model_name_or_path") or "", found[1]


def validate_predictions(path: Path) -> str:
    """Check a file as graders do, and return the one model name in it.

    Raises:
        UsageError: it is malformed; a patch is null or lacks the newline at its end;
            an instance occurs twice; there is no model name, or more than one.
    """
    models: dict[str, str] = {}
    places: dict[str, str] = {}
    for record in _records(path):
        name, model = record.required("instance_id"), record.required("model_name_or_path")
        patch = record.values.get("model_patch")
        if not isinstance(patch, str):
            raise record.error(f"model_patch must be text, not {kind_of(patch)}")
        if patch and not patch.endswith("\n"):
            raise record.error("model_patch does not end in a newline")
        if name in places:
            raise record.error(f"{name} is already at {places[name]}")
        places[name] = record.where
        models.setdefault(model, record.where)
    if len(models) != 1:
        listed = ", ".join(f"{model} ({where})" for model, where in models.items())
        raise UsageError(
            f"{path} must have one model_name_or_path, not {len(models)}: {listed or 'no rows'}.",
            hint="Write one file for each model or sample.",
        )
    return next(iter(models))


def write_predictions(folder: Path, model_name: str, patches: Mapping[str, str]) -> None:
    """Write `preds.json` and `all_preds.jsonl`, each whole or not at all.

    `patches` are diffs by instance id, "" for an instance without one. A missing
    newline at the end of a diff is added.

    Raises:
        UsageError: there is no model name, or a text that JSON readers cannot read.
        StoreError: the folder cannot be written.
    """
    rows = _rows(model_name, patches)
    put_file(folder / PREDICTIONS, _keyed_text(rows), durable=True)
    put_file(folder / ALL_PREDICTIONS, _lines_text(rows), durable=True)


def write_prediction_file(file: Path, model_name: str, patches: Mapping[str, str]) -> None:
    """Write one file, whole or not at all: lines if its name ends in .jsonl, else an object.

    Raises:
        UsageError, StoreError: as `write_predictions`.
    """
    rows = _rows(model_name, patches)
    text = _lines_text(rows) if file.suffix == ".jsonl" else _keyed_text(rows)
    put_file(file, text, durable=True)


def check_model_name(model_name: str) -> None:
    """Refuse a name that readers of predictions would not accept.

    Raises:
        UsageError: it is blank, or holds control characters.
    """
    if not model_name.strip() or not model_name.isprintable():
        raise UsageError(f"{model_name!r} is not a name for a model.")


def _rows(model_name: str, patches: Mapping[str, str]) -> list[dict[str, str]]:
    check_model_name(model_name)
    return [
        {"model_name_or_path": model_name, "instance_id": name, "model_patch": ended(name, patch)}
        for name, patch in patches.items()
    ]


def _keyed_text(rows: list[dict[str, str]]) -> bytes:
    return (json.dumps({row["instance_id"]: row for row in rows}, indent=2) + "\n").encode()


def _lines_text(rows: list[dict[str, str]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _records(path: Path) -> Iterable[Record]:
    found = read_json(path)
    if isinstance(found, list):
        return found
    if isinstance(found.get("instance_id"), str):
        return [Record(f"{path}, row 1", found)]
    return [_keyed(path, name, value) for name, value in found.items()]


def _keyed(path: Path, name: str, value: object) -> Record:
    where = f"{path}, {name}"
    if isinstance(value, str):
        value = {"model_patch": value}
    if not isinstance(value, dict):
        raise UsageError(f"{where}: holds {kind_of(value)}, not a prediction.")
    inner = value.get("instance_id", name)
    if inner != name:
        raise UsageError(f"{where}: its instance_id says {inner!r}.")
    return Record(where, {**value, "instance_id": name})


def ended(name: str, patch: str) -> str:
    """Return a patch with a newline at its end; "" is unchanged.

    Raises:
        UsageError: it holds characters outside UTF-8.
    """
    try:
        patch.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UsageError(f"The patch for {name} holds characters outside UTF-8.") from error
    return patch if not patch or patch.endswith("\n") else patch + "\n"
