"""The files and folders that flags name to write to, checked before any work is done."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import UsageError
from data.writing import check_place

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator


def check_output(args: argparse.Namespace, name: str, *, folder: bool = False) -> None:
    """Refuse a place that cannot be written, or that another flag reads; `name` as in `args`.

    Raises:
        UsageError: it is a folder or a file and should not be, or it is read.
        StoreError: it cannot be written.
    """
    path: Path | None = getattr(args, name)
    if path is None:
        return
    check_place(path, folder=folder)
    others = (value for other, value in vars(args).items() if other != name)
    if path.is_file() and any(_same(path, other) for value in others for other in _files(value)):
        flag = name.replace("_", "-")
        raise UsageError(
            f"--{flag} names {path}, which this command reads.", hint="Name another file."
        )


def _files(value: object) -> Iterator[str | Path]:
    """What may name a file; a dataset's name may stand before it, as in gym:FILE."""
    if isinstance(value, list):
        for each in value:
            yield from _files(each)
    elif isinstance(value, Path):
        yield value
    elif isinstance(value, str):
        yield from (value, value.partition(":")[2])


def _same(path: Path, other: str | Path) -> bool:
    with suppress(OSError, ValueError):  # not the name of a file
        return path.samefile(other)
    return False
