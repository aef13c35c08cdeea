"""Turn rows of any dataset of the family into rows of SWE-bench's shape, and into instances."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from data.instances.images import environment_of
from data.instances.instance import Instance
from data.records import Record, kind_of

if TYPE_CHECKING:
    from data.instances.family import Dataset

FIELDS = ("instance_id", "repo", "base_commit", "problem_statement")
_INSTANCE_ID = re.compile(r"[^\W_][^\s/\\]*")
_LONGEST_ID = 200
_ID_HINT = "Use letters, digits and the characters . _ - in at most 200 bytes."
_COMMIT = re.compile(r"(?!-)[^\s\x00-\x1f\x7f]{1,200}")
_UNFIT = re.compile("[\0\ud800-\udfff]")


def as_swe_bench(record: Record, dataset: Dataset) -> Record:
    """Fill the four fields of an instance from the columns where `dataset` has them.

    Raises:
        UsageError: a column is missing, empty or of the wrong kind; names the row.
    """
    needed = dataset.fields.columns()
    missing = [name for name in needed if name not in record.values]
    if missing:
        model = dataset.hub or "SWE-bench"
        raise record.error(
            f"lacks {', '.join(missing)}",
            hint=f"Each row needs {', '.join(needed)}, as in {model.rpartition('/')[2]}.",
        )
    found = {name: _field(record, getattr(dataset.fields, name)) for name in FIELDS}
    return Record(record.where, {**record.values, **found})


def instance_of(row: Record, dataset: Dataset) -> Instance:
    """The instance in a row of SWE-bench's shape.

    Raises:
        UsageError: a field is missing, empty or of the wrong kind; names the row.
    """
    name, repo, commit, issue = (row.required(field) for field in FIELDS)
    if not _can_name_a_folder(name):
        raise row.error(f"instance_id {name!a} cannot name a folder", hint=_ID_HINT)
    if not _COMMIT.fullmatch(commit):
        raise row.error(f"base_commit {commit!a} is not a commit")
    for column, heading in dataset.sections:
        text = row.text(column)
        if text and text.strip():
            issue += f"\n\n{heading}:\n{text}"
    return Instance(
        instance_id=name,
        repo=repo,
        base_commit=commit,
        problem_statement=_UNFIT.sub("\N{REPLACEMENT CHARACTER}", issue),
        environment=environment_of(row, dataset),
    )


def _can_name_a_folder(name: str) -> bool:
    """Whether an id can name a folder and a container."""
    plain = name.isprintable() and ".." not in name and _INSTANCE_ID.fullmatch(name)
    return bool(plain) and len(name.encode()) <= _LONGEST_ID


def _field(record: Record, where: str) -> str:
    if "{" in where:
        return re.sub(r"\{(\w+)\}", lambda found: _plain(record, found[1]), where)
    column, _, key = where.partition(".")
    value = record.values.get(column)
    if key:
        if not isinstance(value, dict):
            raise record.error(f"{column} must be an object, not {kind_of(value)}")
        return Record(f"{record.where}, {column}", value).required(key)
    if column == "resolved_issues" and isinstance(value, list):
        return _issues(record, value)
    return record.required(column)


def _plain(record: Record, column: str) -> str:
    value = record.values[column]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return record.required(column)


def _issues(record: Record, issues: list[object]) -> str:
    """The issues that a pull request resolves, without the pull request's own words."""
    texts = []
    for issue in issues:
        if not isinstance(issue, dict):
            raise record.error(f"resolved_issues holds {kind_of(issue)}, not an object")
        row = Record(f"{record.where}, resolved_issues", issue)
        parts = (row.text("title"), row.text("body"))
        texts.append("\n".join(part for part in parts if part and part.strip()))
    whole = "\n\n".join(text for text in texts if text)
    if not whole:
        raise record.error("resolved_issues is empty")
    return whole
