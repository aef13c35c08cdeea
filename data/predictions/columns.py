"""The columns of the instance, the model and the patch in files of benchmarks and agents."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from data.records import Record

PATCHES = (
    *("model_patch", "patch", "fix_patch", "prediction"),
    *("test_result.git_patch", "git_patch"),
)
"""SWE-bench's column, then those of Pro, Multi-SWE-bench, older files and OpenHands."""
_PULL_REQUEST = ("org", "repo", "number")
"""Multi-SWE-bench's instance."""

COLUMNS = frozenset(
    {
        *("instance_id", "model_name_or_path", *_PULL_REQUEST),
        *(name.partition(".")[0] for name in PATCHES),
    }
)
"""No instance has such an id: an object that begins with one of these is a row, not rows."""


def instance_of(record: Record) -> str:
    """The instance's id: as it is written, or `org__repo-number` of a pull request.

    Raises:
        UsageError: it is missing, null, blank or not text.
    """
    values = record.values
    number = values.get("number")
    if "instance_id" in values or not all(name in values for name in _PULL_REQUEST):
        return record.required("instance_id")
    if not isinstance(number, int | str) or not str(number).isdecimal():
        raise record.error(f"number must be a number, not {number!r:.80}")
    repo = record.required("repo").rpartition("/")[2]
    return f"{record.required('org')}__{repo}-{number}"


def patch_of(record: Record) -> tuple[str, str] | None:
    """The column that has the patch, and the patch, "" for null; None: no column has one.

    Raises:
        UsageError: the column does not hold text.
    """
    for name in PATCHES:
        column, _, key = name.partition(".")
        holder = record.values
        if key:
            inner = holder.get(column)
            holder = inner if isinstance(inner, dict) else {}
        if (key or column) in holder:
            return name, type(record)(record.where, holder).text(key or column) or ""
    return None
