"""The predictions of several systems, each under its own name."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from data.errors import UsageError
from data.predictions.predictions import read_predictions

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from data.predictions.predictions import Prediction


def read_systems(
    paths: Sequence[Path], *, notes: list[str] | None = None
) -> dict[str, list[Prediction]]:
    """Read several systems' candidates by instance id, in the order of the files.

    A row's `model_name_or_path` names its system, with underscores for spaces. If two
    files share a name, or no row has one, the system is named after its file, or
    after the folders above if the files' names are the same too. A patch that a
    system has twice for one instance is taken once. Damaged rows and empty patches
    are left out, and `notes` gets a line for people about each.

    Raises:
        UsageError: a file cannot be read, or none of its rows; one is given twice.
    """
    files = {path.resolve(): path for path in paths}
    if len(files) < len(paths):
        raise UsageError("The same file of candidates is given twice.")
    read = {path: read_predictions(given, notes=notes) for path, given in files.items()}
    names = _system_names({path: _names(found) for path, found in read.items()})
    systems: defaultdict[str, list[Prediction]] = defaultdict(list)
    for path, found in read.items():
        for predictions in found.values():
            for prediction in predictions:
                name = names[path, _word(prediction.model_name_or_path)]
                renamed = replace(prediction, model_name_or_path=name)
                if renamed not in systems[renamed.instance_id]:
                    systems[renamed.instance_id].append(renamed)
                elif notes is not None:
                    notes.append(f"{renamed.instance_id}: {name} has the same patch twice.")
    return dict(systems)


def _names(found: Mapping[str, Sequence[Prediction]]) -> set[str]:
    return {_word(one.model_name_or_path) for predictions in found.values() for one in predictions}


def _word(name: str) -> str:
    """A name without spaces: names are stored separated by them."""
    return "_".join(name.split())


def _system_names(by_file: Mapping[Path, set[str]]) -> dict[tuple[Path, str], str]:
    """The name of each system, by its file and its name in that file."""
    owners: defaultdict[str, list[Path]] = defaultdict(list)
    for path, names in by_file.items():
        for name in names:
            owners[name].append(path)
    found = {}
    for name, paths in owners.items():
        for path in paths:
            tail = _tail(path, paths)
            unnamed = name == _word(path.stem)
            apart = tail if unnamed else f"{name}@{tail}"
            found[path, name] = name if len(paths) == 1 else apart
    return found


def _tail(path: Path, among: Collection[Path]) -> str:
    """The shortest end of a path that no other path has, without its suffix."""

    def last(each: Path, count: int) -> tuple[str, ...]:
        return each.with_suffix("").parts[-count:]

    count = 1
    while sum(last(other, count) == last(path, count) for other in among) > 1:
        if count == len(path.parts):  # a.json beside a.jsonl
            return _word(path.name)
        count += 1
    return _word("/".join(last(path, count)))
