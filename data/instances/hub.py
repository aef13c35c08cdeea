"""Tables read with the `datasets` library: Hugging Face datasets and parquet files."""

from __future__ import annotations

import glob
import os
import tempfile
from typing import TYPE_CHECKING

from data.errors import UsageError
from data.instances.family import aliases
from data.records import Record

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path


def read_parquet(path: Path, columns: Collection[str]) -> Iterator[Record]:
    """Read the rows of a parquet file, and of each row only `columns`.

    Raises:
        UsageError: it is damaged or not a parquet file.
    """
    from datasets import load_dataset  # type: ignore[import-untyped]  # takes seconds

    # Streamed, with a temporary cache, because the file is the user's and may change.
    with tempfile.TemporaryDirectory() as cache:
        try:
            table = load_dataset(
                "parquet",
                data_files={"rows": [glob.escape(str(path.resolve()))]},
                split="rows",
                streaming=True,
                cache_dir=cache,
            )
            yield from _records(str(path), table, columns)
        except (OSError, ValueError) as error:
            raise UsageError(f"{path} cannot be read as parquet: {_first_line(error)}") from error


def read_folder(folder: Path, split: str | None, columns: Collection[str]) -> Iterator[Record]:
    """Read a dataset's folder, as SWE-bench's harness does: from `save_to_disk`, or with files.

    Raises:
        UsageError: there is no such split, or it is not the folder of a dataset.
    """
    from datasets import DatasetDict, load_dataset, load_from_disk

    saved = next((each for each in _saved(folder, split) if _is_saved(each)), None)
    with tempfile.TemporaryDirectory() as cache:
        try:
            if saved is None:
                found = load_dataset(str(folder.resolve()), cache_dir=cache)
            else:
                found = load_from_disk(str(saved))
        except Exception as error:  # it raises whatever its readers raise
            raise UsageError(
                f"{folder} is a folder and cannot be read as a dataset: {_first_line(error)}",
                hint="Name a JSONL or parquet file in it, or a folder that save_to_disk wrote.",
            ) from error
        if isinstance(found, DatasetDict):
            split = split or _only_split(str(folder), list(found))
            if split not in found:
                raise UsageError(
                    f"The dataset {folder} has no split {split}.",
                    hint=f"It has {', '.join(found)}.",
                )
            found = found[split]
        kept = [column for column in found.column_names if column in columns]
        yield from _records(str(folder), found.select_columns(kept), columns)


def _saved(folder: Path, split: str | None) -> tuple[Path, ...]:
    return (folder / split, folder) if split else (folder,)


def _is_saved(folder: Path) -> bool:
    return any((folder / name).is_file() for name in ("dataset_info.json", "dataset_dict.json"))


def read_hub(name: str, split: str | None, columns: Collection[str]) -> Iterator[Record]:
    """Read the rows of a dataset on Hugging Face, from the cache if it is there.

    Raises:
        UsageError: there is no such dataset or split, or Hugging Face cannot be reached.
    """
    from datasets import DatasetDict, load_dataset

    try:
        found = load_dataset(name, split=split)
    except Exception as error:  # it raises whatever its transports raise
        raise _explained(error, name, split) from error
    if isinstance(found, DatasetDict):
        split = _only_split(name, list(found))
        found = found[split]
    # Grading columns are large, so columns that are not read are not decoded.
    kept = [column for column in found.column_names if column in columns]
    yield from _records(f"{name} ({split})", found.select_columns(kept), columns)


def _records(
    source: str, rows: Iterable[dict[str, object]], columns: Collection[str]
) -> Iterator[Record]:
    for number, row in enumerate(rows, 1):
        values = {column: row[column] for column in columns if column in row}
        yield Record(f"{source}, row {number}", values)


def _only_split(name: str, splits: list[str]) -> str:
    if "test" in splits:
        return "test"
    if len(splits) == 1:
        return splits[0]
    raise UsageError(
        f"The dataset {name} has several splits: {', '.join(splits)}.",
        hint="Name one with --split.",
    )


def _explained(error: Exception, name: str, split: str | None) -> UsageError:
    """Explain an error of the library."""
    if split and str(error).startswith("Unknown split"):
        return UsageError(
            f"The dataset {name} has no split {split}.",
            hint=str(error).partition(". ")[2].replace("Should be one of", "It has"),
        )
    local = "or name a JSONL or parquet file that holds its rows"
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
        return UsageError(
            f"The dataset {name} is not in the cache, and HF_HUB_OFFLINE forbids downloading it.",
            hint=f"Unset HF_HUB_OFFLINE, {local}.",
        )
    if isinstance(error, ConnectionError):
        return UsageError(
            f"The dataset {name} is not in the cache, and Hugging Face cannot be reached.",
            hint=f"Check the network (HF_ENDPOINT names a mirror), {local}.",
        )
    if isinstance(error, FileNotFoundError):
        return UsageError(
            f"Hugging Face shows no dataset {name}.",
            hint="Check the spelling; for one that is private or gated, run `hf auth login`. "
            f"Short names: {', '.join(aliases())}.",
        )
    return UsageError(
        f"The dataset {name} cannot be loaded: {_first_line(error)}",
        hint="Download one of its JSONL or parquet files and name that"
        " (NAME:FILE reads it as a dataset of `troop data list`).",
    )


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__
