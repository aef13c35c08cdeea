"""Picking some of a dataset's instances: by pattern, exclusion, shuffling and position."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.errors import UsageError
from data.inputs import read_text
from data.records import kind_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from data.instances.instance import Instance

SEED = 42
"""The seed of mini-swe-agent's --shuffle."""


@dataclass(frozen=True, slots=True)
class Picking:
    """How to pick; without anything, all instances are picked."""

    filter: str = ""
    """A regular expression that matches from the start of the id."""
    exclude: Collection[str] = ()
    """Ids that are left out. The dataset need not have them."""
    shuffle: bool = False
    seed: int = SEED
    slice: str = ""
    """Positions in Python's syntax, with a colon."""


def pick(instances: Sequence[Instance], picking: Picking) -> list[Instance]:
    """Filter, exclude, shuffle, slice, in this order.

    The same seed gives the same order for the same set of ids, in whatever order
    they come, as in mini-swe-agent (`run/benchmarks/swebench.py`), whose
    filter also matches from the start of the id.

    Raises:
        UsageError: the pattern or the slice is malformed, or nothing is left.
    """
    pattern = _pattern(picking.filter)
    part = _slice(picking.slice)
    left = [each for each in instances if pattern.match(each.instance_id)]
    _check(left, instances, f"--filter {picking.filter!r}", "It matches from the id's start.")
    kept = [each for each in left if each.instance_id not in picking.exclude]
    _check(kept, left, "--exclude", "It lists them all.")
    if picking.shuffle:
        kept.sort(key=lambda each: each.instance_id)
        random.Random(picking.seed).shuffle(kept)  # noqa: S311 - a draw that can be repeated
    picked = kept[part]
    _check(picked, kept, f"--slice {picking.slice}", "It counts from 0, as in Python.")
    return picked


def read_ids(path: Path) -> list[str]:
    """Read a list of ids: one per line with # comments, or a JSON list.

    Raises:
        UsageError: the file cannot be read or holds something else; names the line.
    """
    text = read_text(path)
    if text.lstrip().startswith(("[", "{")):
        return _json_ids(path, text)
    ids = []
    for number, line in enumerate(text.split("\n"), 1):
        name = re.sub(r"(^|\s)#.*", "", line).strip()
        if re.search(r"\s|,", name):
            raise UsageError(
                f"{path}, line {number}: {name[:80]!r} is not an id.",
                hint="Write one id per line; comments begin with #.",
            )
        if name:
            ids.append(name)
    return ids


def _json_ids(path: Path, text: str) -> list[str]:
    import json

    hint = 'A JSON list of ids looks like ["django__django-11099", "psf__requests-2317"].'
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is malformed JSON: {error}.", hint=hint) from error
    if not isinstance(found, list):
        raise UsageError(f"{path} holds {kind_of(found)}, not a list of ids.", hint=hint)
    for number, each in enumerate(found, 1):
        if not isinstance(each, str):
            raise UsageError(f"{path}, entry {number}: {kind_of(each)} is not an id.", hint=hint)
    return found


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise UsageError(
            f"--filter {text!r} is not a regular expression: {error}.",
            hint="The beginning of the ids will do: --filter django__",
        ) from error


def _slice(text: str) -> slice:
    if not text.strip():
        return slice(None)
    parts = text.split(":")
    hint = "Write it like --slice 0:50, --slice :10, --slice=-10: or --slice ::2"
    if len(parts) == 1:
        raise UsageError(f"--slice {text} has no colon.", hint=hint)
    try:
        numbers = [int(part) if part.strip() else None for part in parts]
        found = slice(*numbers)
        found.indices(1)
    except (ValueError, TypeError):
        raise UsageError(f"--slice {text} is not a slice A:B.", hint=hint) from None
    return found


def _check(left: Sequence[object], before: Sequence[object], what: str, hint: str) -> None:
    if before and not left:
        count = f"{len(before)} instance{'s' if len(before) > 1 else ''}"
        raise UsageError(f"{what} leaves none of {count}.", hint=hint)
