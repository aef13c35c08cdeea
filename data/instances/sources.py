"""From the name of a dataset to its rows: Hugging Face, folders, JSON, parquet."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import UsageError
from data.instances.family import GENERIC, READ_TO_RECOGNISE, aliases, find, split_source
from data.instances.hub import read_folder, read_hub, read_parquet
from data.records import Record, read_content, read_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from data.instances.family import Dataset

_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_FILE_SUFFIXES = {".json", ".jsonl", ".ndjson", ".parquet"}


def read_rows(
    source: str, split: str | None, more: frozenset[str] = frozenset()
) -> tuple[Dataset | None, Iterable[Record]]:
    """Read the rows of `source`, and find the dataset that they are from if the source says it.

    From a table, only the columns of an instance are read, and `more`.

    Raises:
        UsageError: there is no such source, or it cannot be read.
    """
    dataset = find(source)
    if dataset and not _is_file(source):
        # The default split is for the entry's own name; its other names may have other splits.
        known = source.lower() in {dataset.alias, dataset.hub.lower()}
        name = dataset.hub if known else source
        return dataset, read_hub(
            name, split or (dataset.split if known else None), dataset.columns | more
        )
    dataset, place = split_source(source)
    if place and Path(place).expanduser().is_dir():
        return dataset, read_folder(Path(place).expanduser(), split, _columns(dataset, more))
    if _is_file(place):
        if split is not None:
            raise UsageError(f"{source} is a file and has no splits.", hint="Leave --split out.")
        return dataset, _file_records(Path(place).expanduser(), dataset, more)
    if _HUB_NAME.fullmatch(place):
        return dataset, read_hub(place, split, _columns(dataset, more))
    near = difflib.get_close_matches(source.lower(), aliases(), n=2)
    raise UsageError(
        f"{source!r} is neither a file nor the name of a dataset.",
        hint=f"Did you mean {' or '.join(near)}?"
        if near
        else f"Short names: {', '.join(aliases())}; or owner/name on Hugging Face.",
    )


def _is_file(source: str) -> bool:
    if not source or source.lower() in aliases():
        return False
    return Path(source).expanduser().exists() or _looks_like_file(source)


def _looks_like_file(source: str) -> bool:
    return source.startswith(("/", ".", "~")) or Path(source).suffix.lower() in _FILE_SUFFIXES


def _file_records(path: Path, dataset: Dataset | None, more: frozenset[str]) -> Iterable[Record]:
    content = read_content(path)
    if content.startswith(b"PAR1") or path.suffix.lower() == ".parquet":
        return read_parquet(path, _columns(dataset, more))
    found = read_json(path)
    if isinstance(found, list):
        return found
    if not found.keys().isdisjoint((dataset or GENERIC).fields.columns()):
        return [Record(f"{path}, row 1", found)]
    raise UsageError(
        f"{path} holds one JSON object that is not an instance.",
        hint="Write one instance on each line (JSONL), or all in an array.",
    )


def _columns(dataset: Dataset | None, more: frozenset[str]) -> frozenset[str]:
    return (dataset.columns if dataset else READ_TO_RECOGNISE) | more
