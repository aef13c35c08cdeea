"""Instances from datasets: Hugging Face, JSON Lines, JSON, parquet.

Only the columns named here are read. What a benchmark grades with (patch,
test_patch, FAIL_TO_PASS, hints, evaluation scripts) is never read.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from data.errors import UsageError
from data.instances.family import recognised
from data.instances.shapes import as_swe_bench, instance_of
from data.instances.sources import read_rows
from data.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from data.instances.family import Dataset
    from data.instances.instance import Instance


def load_instances(source: str, *, split: str | None = None) -> list[Instance]:
    """Load the instances of a dataset, in its order.

    `source` is a short name (`data.instances.family`), a file (JSON Lines, a JSON array,
    parquet), "alias:file", which is read as that dataset's, or a name on
    Hugging Face. In the issue, characters that no text may hold
    (NUL, lone surrogates) become U+FFFD.

    Raises:
        UsageError: the source cannot be read, or a row is malformed, lacks a
            column, has an empty issue or repeats an id; names the row.
    """
    instances: dict[str, Instance] = {}
    places: dict[str, str] = {}
    dataset, records = read_rows(source, split)
    for record in records:
        instance = _instance(record, dataset or recognised(record.values))
        if instance is None:
            continue
        name = instance.instance_id
        if name in places:
            raise record.error(f"instance_id {name} is already at {places[name]}")
        places[name] = record.where
        instances[name] = instance
    if not instances:
        raise UsageError(f"{source} holds no instances.")
    return list(instances.values())


def pick_instances(instances: Sequence[Instance], ids: Iterable[str]) -> list[Instance]:
    """Pick the instances named by `ids`, in that order, each once.

    Raises:
        UsageError: an id is unknown; names similar ones.
    """
    known = {instance.instance_id: instance for instance in instances}
    picked: dict[str, Instance] = {}
    for name in ids:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3)
            raise UsageError(
                f"There is no instance {name}.",
                hint=f"Near it: {', '.join(near)}."
                if near
                else f"The dataset holds {len(known)}, the first of them {next(iter(known), '')}.",
            )
        picked[name] = known[name]
    return list(picked.values())


def _instance(row: Record, dataset: Dataset) -> Instance | None:
    """The instance of a row; None: it has no issue, and the dataset allows that."""
    if dataset.may_lack_issue and not row.values.get("problem_statement"):
        return None
    values = {name: row.values[name] for name in dataset.columns if name in row.values}
    return instance_of(as_swe_bench(Record(row.where, values), dataset), dataset)
