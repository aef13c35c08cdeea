"""What a benchmark grades with, read by its own loader, only for `troop grade`.

Nothing here can reach a prompt or a selector: no `Instance` carries it, and
import-linter keeps agent, sandbox, selection and the rest of data from importing
this module.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from data.errors import UsageError
from data.instances.family import recognised
from data.instances.shapes import as_swe_bench, instance_of
from data.instances.sources import read_rows
from data.records import Record, kind_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from data.instances.family import Dataset
    from data.instances.instance import Instance

HARNESS_COLUMNS = (
    *("instance_id", "repo", "base_commit", "version", "environment_setup_commit", "image"),
    *("FAIL_TO_PASS", "PASS_TO_PASS", "test_patch", "patch"),
    *("eval_script", "log_parser", "eval_type", "image_assets"),
)
"""The columns that the official harness reads, in version 4 or 5."""
_LISTS = {"FAIL_TO_PASS": "fail_to_pass", "PASS_TO_PASS": "pass_to_pass"}
"""SWE-bench's columns, and their names in SWE-bench Pro."""
_MORE = frozenset({*HARNESS_COLUMNS, *_LISTS.values(), "test_cmd", "install_config"})
_INPUTS = (
    *("base_commit", "version", "image", "FAIL_TO_PASS", "PASS_TO_PASS", "test_patch"),
    *("eval_script", "log_parser", "eval_type", "test_cmd"),
)


@dataclass(frozen=True, slots=True)
class GradingSpec:
    """One instance as a grader sees it."""

    instance: Instance
    """The instance, which says where its code is."""
    fail_to_pass: tuple[str, ...]
    pass_to_pass: tuple[str, ...]
    gold: str
    """The developers' patch; "": the row has none."""
    test_patch: str
    eval_script: str
    """A bash script that adds the tests and runs them; "": the row has none."""
    test_cmd: str
    """A command that runs the tests, for rows without an evaluation script; "": none."""
    log_parser: str
    """SWE-bench's name for the parser of the script's output; "": the row names none."""
    eval_type: str
    """pass_and_fail, or fail_only: a test that is not reported as failed has passed."""
    row: Mapping[str, object]
    """The columns of `HARNESS_COLUMNS` that the row has, lists as lists."""

    @property
    def instance_id(self) -> str:
        """The instance's id."""
        return self.instance.instance_id

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over everything that a grade depends on, except the patch."""
        inputs = {name: self.row.get(name) for name in _INPUTS} | {"test_cmd": self.test_cmd}
        text = json.dumps(inputs, sort_keys=True, default=str)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Specs:
    """What a dataset has for the instances that were asked for."""

    found: Mapping[str, GradingSpec]
    refused: Mapping[str, str]
    """By id, why an instance cannot be graded: the dataset lacks it, or its row is damaged."""


def load_specs(source: str, split: str | None, ids: Collection[str]) -> Specs:
    """Read what the instances `ids` are graded with.

    `source` and `split` as in `data.instances.loaders.load_instances`. A damaged
    row refuses its own instance only.

    Raises:
        UsageError: the dataset cannot be read.
    """
    wanted, found = set(ids), dict[str, GradingSpec]()
    refused: dict[str, str] = {}
    dataset, records = read_rows(source, split, _MORE)
    for record in records:
        kind = dataset or recognised(record.values)
        try:
            row = as_swe_bench(record, kind)
        except UsageError as error:
            named = record.values.get("instance_id")
            if isinstance(named, str) and named in wanted:
                refused.setdefault(named, error.message)
            continue
        name = row.required("instance_id")
        if name not in wanted or name in found:
            continue
        try:
            found[name] = _spec(row, kind)
        except UsageError as error:
            refused[name] = error.message
    missing = dict.fromkeys(wanted - found.keys(), f"{source} has no such instance.")
    return Specs(found, missing | refused)


def _spec(row: Record, dataset: Dataset) -> GradingSpec:
    instance = instance_of(row, dataset)
    tests = {column: _tests(row, column) for column in _LISTS}
    config = row.values.get("install_config")
    own = Record(row.where, config if isinstance(config, dict) else {})
    kept = {column: row.values[column] for column in HARNESS_COLUMNS if column in row.values}
    return GradingSpec(
        instance=instance,
        fail_to_pass=tuple(tests["FAIL_TO_PASS"]),
        pass_to_pass=tuple(tests["PASS_TO_PASS"]),
        gold=row.text("patch") or "",
        test_patch=row.text("test_patch") or "",
        eval_script=row.text("eval_script") or "",
        test_cmd=_command(row) or _command(own),
        log_parser=row.text("log_parser") or own.text("log_parser") or "",
        eval_type=row.text("eval_type") or "pass_and_fail",
        row={**kept, **tests, "image": instance.environment.image},
    )


def _tests(row: Record, column: str) -> list[str]:
    """The tests in a column: a list, or one written as text."""
    named = [name for name in (column, _LISTS[column]) if name in row.values]
    if not named:
        raise row.error(f"lacks {column}", hint="Graders need both lists of tests.")
    name = next((name for name in named if row.values[name] is not None), named[0])
    value = row.values[name]
    if value is None and column == "PASS_TO_PASS":
        return []  # no test passed before the fix, so there is nothing to keep
    if isinstance(value, str):
        value = _written_list(row, name, value)
    if not isinstance(value, list) or not all(isinstance(test, str) for test in value):
        raise row.error(f"{name} must be a list of test names, not {kind_of(value)}")
    return list(value)


def _written_list(row: Record, name: str, text: str) -> object:
    """A list written as JSON or, in SWE-bench Pro's files, as Python."""
    for read in (json.loads, ast.literal_eval):
        with (
            contextlib.suppress(ValueError, SyntaxError, RecursionError, MemoryError),
            warnings.catch_warnings(action="ignore"),  # Python warns about names with a backslash
        ):
            return cast(object, read(text))
    raise row.error(f"{name} is not a list, neither JSON nor Python's: {text[:80]!r}")


def _command(row: Record) -> str:
    value = row.values.get("test_cmd")
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return "\n".join(value)
    return row.text("test_cmd") or ""
