"""What a benchmark grades with is read by a loader of its own, row by row."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from data.errors import UsageError
from data.instances.grading import load_specs
from data.instances.instance import Instance
from data.instances.loaders import load_instances
from tests.support.graded import RIGHT, row, spec_of, write_rows

if TYPE_CHECKING:
    from pathlib import Path


def test_the_instance_is_the_one_that_is_solved(tmp_path: Path) -> None:
    path = write_rows(tmp_path, row(requirements="Be quick."))
    assert (
        load_specs(path, None, ["tiny__calc-1"]).found["tiny__calc-1"].instance
        == (load_instances(path)[0])
    )


def test_lists_may_be_lists_or_text(tmp_path: Path) -> None:
    spec = spec_of(tmp_path)
    assert spec.fail_to_pass == ("check.py::test_add",)
    assert spec.pass_to_pass == ("check.py::test_sub",)
    assert spec.row["FAIL_TO_PASS"] == ["check.py::test_add"]
    assert (spec.gold, spec.eval_type) == (RIGHT, "pass_and_fail")


def test_pros_spelling_and_a_test_command_are_read(tmp_path: Path) -> None:
    config = {"test_cmd": ["make", "make test"], "log_parser": "parse_log_pytest"}
    spec = spec_of(
        tmp_path,
        FAIL_TO_PASS=None,
        fail_to_pass='["a"]',
        eval_script=None,
        log_parser=None,
        install_config=config,
    )
    assert (spec.fail_to_pass, spec.test_cmd) == (("a",), "make\nmake test")
    assert spec.log_parser == "parse_log_pytest"


def test_a_row_without_an_image_has_its_datasets(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, image=None)
    assert spec.row["image"] == "swebench/sweb.eval.x86_64.tiny_1776_calc-1:latest"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('["a", "b\'s"]', ("a", "b's")),
        ("['a', \"b's\"]", ("a", "b's")),
        (r"['a\d']", (r"a\d",)),
        ("[]", ()),
        (["a"], ("a",)),
    ],
)
def test_lists_of_tests_are_read_as_they_are_written(
    tmp_path: Path, written: object, expected: tuple[str, ...]
) -> None:
    """SWE-bench Pro writes them as Python does."""
    assert spec_of(tmp_path, PASS_TO_PASS=written).pass_to_pass == expected


def test_null_is_no_test_that_passed_before(tmp_path: Path) -> None:
    file = write_rows(tmp_path, row() | {"PASS_TO_PASS": None})
    assert load_specs(file, None, ["tiny__calc-1"]).found["tiny__calc-1"].pass_to_pass == ()
    file = write_rows(tmp_path, row() | {"FAIL_TO_PASS": None})
    assert "FAIL_TO_PASS" in load_specs(file, None, ["tiny__calc-1"]).refused["tiny__calc-1"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"FAIL_TO_PASS": None}, "lacks FAIL_TO_PASS"),
        ({"PASS_TO_PASS": "[1]"}, "PASS_TO_PASS must be a list of test names"),
        ({"PASS_TO_PASS": "['a'"}, "PASS_TO_PASS is not a list, neither JSON nor Python's"),
        ({"eval_script": 3}, "eval_script must be text"),
        ({"problem_statement": None}, "lacks problem_statement"),
        ({"base_commit": "--all"}, "base_commit '--all' is not a commit"),
    ],
)
def test_a_damaged_row_refuses_its_instance_only(
    tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    rows = [row(**changes), row(instance_id="tiny__calc-2"), row(instance_id="other__x-1")]
    specs = load_specs(write_rows(tmp_path, *rows), None, ["tiny__calc-1", "tiny__calc-2", "gone"])
    assert list(specs.found) == ["tiny__calc-2"]
    assert said in specs.refused["tiny__calc-1"]
    assert specs.refused["gone"].endswith("has no such instance.")
    assert "line 1" in specs.refused["tiny__calc-1"]


def test_damage_in_rows_that_nobody_asked_for_is_nobodys_concern(tmp_path: Path) -> None:
    rows = write_rows(tmp_path, {"instance_id": "broken"}, {"what": 1}, row())
    specs = load_specs(rows, None, ["tiny__calc-1"])
    assert list(specs.found) == ["tiny__calc-1"]
    assert not specs.refused


def test_the_digest_is_of_all_that_a_verdict_depends_on(tmp_path: Path) -> None:
    digest = spec_of(tmp_path).digest
    for changes in (
        {"eval_script": "true"},
        {"FAIL_TO_PASS": ["b"]},
        {"image": "other:1"},
        {"log_parser": "parse_log_django"},
        {"test_cmd": "true"},
    ):
        assert spec_of(tmp_path, **changes).digest != digest
    same = {"problem_statement": "other words", "FAIL_TO_PASS": ["check.py::test_add"]}
    assert spec_of(tmp_path, **same).digest == digest


def test_a_dataset_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file"):
        load_specs(str(tmp_path / "gone.jsonl"), None, ["a"])


def test_no_grading_text_is_in_the_instance(tmp_path: Path) -> None:
    secrets = {"patch": "GOLD", "test_patch": "TESTPATCH", "eval_script": "EVAL"}
    spec = spec_of(tmp_path, **secrets, FAIL_TO_PASS=["F2P"])
    held = repr([getattr(spec.instance, field.name) for field in fields(Instance)])
    assert not [word for word in (*secrets.values(), "F2P", "test_sub") if word in held]
    assert json.dumps(dict(spec.row))  # goes to the harness as JSON
