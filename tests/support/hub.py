"""A dataset as the `datasets` library has it once it was downloaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def put_in_cache(home: Path, name: str, splits: list[str], rows: list[dict[str, Any]]) -> None:
    """Put a dataset where the library keeps what it downloaded."""
    import datasets

    source = home / "source.parquet"
    datasets.Dataset.from_list(rows).to_parquet(source)
    built = home / f"built-{name}"
    datasets.load_dataset("parquet", data_files=dict.fromkeys(splits, str(source)), cache_dir=built)
    folder = next(path for path in built.glob("parquet/*/*/*") if path.is_dir())
    target = home / name / "default" / "0.0.0" / folder.name
    target.parent.mkdir(parents=True)
    folder.rename(target)
    for arrow in target.glob("*.arrow"):
        arrow.rename(target / arrow.name.replace("parquet-", name.partition("___")[2] + "-"))
