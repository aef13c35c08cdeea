"""Instances out of datasets: Hugging Face, JSON Lines, JSON, parquet.

Of each row only the columns named here are read. What a benchmark grades with
(patch, test_patch, FAIL_TO_PASS, hints, evaluation scripts) is never looked at.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import UsageError
from data.hub import ALIASES, read_hub, read_parquet
from data.images import ENVIRONMENT_COLUMNS, environment_of
from data.instance import Instance
from data.records import Record, read_content, read_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_REQUIRED = ("instance_id", "repo", "base_commit", "problem_statement")
_PRO_SECTIONS = (
    ("requirements", "Requirements"),
    ("interface", "New interfaces introduced"),
)
"""SWE-bench Pro's columns that belong to the issue, with the headings its own prompt uses."""
_COLUMNS = frozenset({*_REQUIRED, *(name for name, _ in _PRO_SECTIONS), *ENVIRONMENT_COLUMNS})

_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_FILE_SUFFIXES = {".json", ".jsonl", ".ndjson", ".parquet"}
_INSTANCE_ID = re.compile(r"(?![.-])[^\s/\\\x00-\x1f\x7f]{1,200}")
"""Ids name folders and containers."""
_COMMIT = re.compile(r"(?!-)[^\s\x00-\x1f\x7f]{1,200}")
_UNFIT = re.compile("[\0\ud800-\udfff]")


def load_instances(source: str, *, split: str | None = None) -> list[Instance]:
    """Load the instances of a dataset, in its order.

    `source` is a short name (`data.hub.ALIASES`), a file (JSON Lines, a JSON
    array, parquet) or a name on Hugging Face. Characters that no text may hold
    (NUL, lone surrogates) become U+FFFD in the issue.

    Raises:
        UsageError: the source cannot be read, or a row is malformed, lacks a
            column, has an empty issue or repeats an id; names the row.
    """
    instances: dict[str, Instance] = {}
    places: dict[str, str] = {}
    for record in _records(source, split):
        instance = _instance(record)
        name = instance.instance_id
        if name in places:
            raise record.error(f"instance_id {name} is already at {places[name]}")
        places[name] = record.where
        instances[name] = instance
    if not instances:
        raise UsageError(f"{source} holds no instances.")
    return list(instances.values())


def pick_instances(instances: Sequence[Instance], ids: Iterable[str]) -> list[Instance]:
    """Pick the instances named by `ids`, in the order of `ids`, each once.

    Raises:
        UsageError: an id is unknown; names those that are near.
    """
    known = {instance.instance_id: instance for instance in instances}
    picked: dict[str, Instance] = {}
    for name in ids:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3)
            raise UsageError(
                f"There is no instance {name}.",
                mend=f"Near it: {', '.join(near)}."
                if near
                else f"The dataset holds {len(known)}, the first of them {next(iter(known), '')}.",
            )
        picked[name] = known[name]
    return list(picked.values())


def _records(source: str, split: str | None) -> Iterable[Record]:
    alias = ALIASES.get(source.lower())
    if alias:
        return read_hub(alias[0], split or alias[1], _COLUMNS)
    path = Path(source).expanduser()
    if source and (path.exists() or _looks_like_file(source)):
        if split is not None:
            raise UsageError(f"{source} is a file and has no splits.", mend="Leave --split out.")
        return _file_records(path)
    if _HUB_NAME.fullmatch(source):
        return read_hub(source, split, _COLUMNS)
    near = difflib.get_close_matches(source.lower(), ALIASES, n=2)
    raise UsageError(
        f"{source!r} is neither a file nor the name of a dataset.",
        mend=f"Did you mean {' or '.join(near)}?"
        if near
        else f"Short names: {', '.join(ALIASES)}; or owner/name on Hugging Face.",
    )


def _looks_like_file(source: str) -> bool:
    return source.startswith(("/", ".", "~")) or Path(source).suffix.lower() in _FILE_SUFFIXES


def _file_records(path: Path) -> Iterable[Record]:
    content = read_content(path)
    if content.startswith(b"PAR1") or path.suffix.lower() == ".parquet":
        return read_parquet(path, _COLUMNS)
    found = read_json(path)
    if isinstance(found, list):
        return found
    if not found.keys().isdisjoint(_REQUIRED):
        return [Record(f"{path}, row 1", found)]
    raise UsageError(
        f"{path} holds one JSON object that is no instance.",
        mend="Instances stand one on each line (JSONL) or in an array.",
    )


def _instance(record: Record) -> Instance:
    missing = [name for name in _REQUIRED if name not in record.values]
    if missing:
        raise record.error(
            f"lacks {', '.join(missing)}",
            mend=f"Each row needs {', '.join(_REQUIRED)}, as in SWE-bench.",
        )
    name, commit = record.required("instance_id"), record.required("base_commit")
    if not _INSTANCE_ID.fullmatch(name):
        raise record.error(f"instance_id {name!a} cannot name a folder")
    if not _COMMIT.fullmatch(commit):
        raise record.error(f"base_commit {commit!a} is no commit")
    return Instance(
        instance_id=name,
        repo=record.required("repo"),
        base_commit=commit,
        problem_statement=_UNFIT.sub("\N{REPLACEMENT CHARACTER}", _issue(record)),
        environment=environment_of(record),
    )


def _issue(record: Record) -> str:
    parts = [record.required("problem_statement")]
    for column, heading in _PRO_SECTIONS:
        text = record.text(column)
        if text and text.strip():
            parts.append(f"{heading}:\n{text}")
    return "\n\n".join(parts)
