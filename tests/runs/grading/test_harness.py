"""The harness as it is installed: versions, command lines, rows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from data.errors import UsageError
from runs.grading.harness import Harness, check_version, find_harness, harness_row
from runs.grading.nouns import GradingTask
from tests.support.fake_harness import fake_harness
from tests.support.graded import RIGHT, spec_of

if TYPE_CHECKING:
    from pathlib import Path

_BOTH = {
    *("--dataset_name", "--split", "--instance_ids", "--predictions_path", "--max_workers"),
    *("--open_file_limit", "--timeout", "--run_id", "--rewrite_reports", "--report_dir", "--modal"),
}
V5_FLAGS = _BOTH
V4_FLAGS = _BOTH | {
    *("--force_rebuild", "--cache_level", "--clean", "--namespace"),
    *("--instance_image_tag", "--env_image_tag"),
}
"""What `python -m swebench.harness.run_evaluation --help` lists in 4.1.0 and in 5.0.2."""


def flags(version: str) -> list[str]:
    command = Harness("python", version).command("name", workers=3, timeout_s=60.0)
    assert command[:3] == ["python", "-m", "swebench.harness.run_evaluation"]
    return [word for word in command[3:] if word.startswith("--")]


@pytest.mark.parametrize(("version", "known"), [("4.1.0", V4_FLAGS), ("5.0.2", V5_FLAGS)])
def test_only_flags_that_the_version_knows(version: str, known: set[str]) -> None:
    assert set(flags(version)) <= known


def test_version_4_keeps_the_images_that_it_pulls() -> None:
    command = Harness("python", "4.1.0").command("name", workers=3, timeout_s=60.0)
    assert command[-2:] == ["--cache_level", "instance"]
    assert "--cache_level" not in flags("5.0.2")


@pytest.mark.slow
def test_the_real_one_knows_the_flags() -> None:
    """With TROOP_HARNESS_PYTHON, or where swebench is installed here."""
    try:
        harness = find_harness(os.environ.get("TROOP_HARNESS_PYTHON"))
    except UsageError as error:
        pytest.skip(f"{error.message} (TROOP_HARNESS_PYTHON names another)")
    words = [harness.python, "-m", "swebench.harness.run_evaluation", "--help"]
    shown = subprocess.run(
        words, capture_output=True, text=True, check=True, env=harness.environment("")
    )
    assert set(flags(harness.version)) <= set(re.findall(r"--\w+", shown.stdout))


@pytest.mark.parametrize("version", ["4.1.0", "4.1", "5.0.2", "5.3.0rc1"])
def test_versions_that_can_be_driven(version: str) -> None:
    assert check_version(version) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize("version", ["3.0.17", "4.0.4", "6.0.0", "unknown", ""])
def test_other_versions_are_refused(version: str) -> None:
    with pytest.raises(UsageError, match="not one of the versions"):
        check_version(version)


@pytest.mark.slow
def test_the_version_comes_from_the_named_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = str(fake_harness(tmp_path))
    assert find_harness(python).version == "5.0.2"
    monkeypatch.setenv("FAKE_HARNESS_VERSION", "4.1.0")
    assert find_harness(python).major == 4
    monkeypatch.setenv("FAKE_HARNESS_VERSION", "3.0.0")
    with pytest.raises(UsageError):
        find_harness(python)


@pytest.mark.slow
def test_what_is_missing_is_said_with_the_hint(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as nowhere:
        find_harness(str(tmp_path / "python"))
    assert "--harness-python" in nowhere.value.hint
    bare = [sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")]
    subprocess.run(bare, check=True)
    with pytest.raises(UsageError, match="has no swebench") as without:
        find_harness(str(tmp_path / "bare" / "bin" / "python"))
    assert "pip install 'troop-repair[grade]'" in without.value.hint


@pytest.mark.slow
def test_rows_that_version_5_cannot_grade_are_reported_first(tmp_path: Path) -> None:
    program = fake_harness(tmp_path / "fake")
    rows = [
        harness_row(GradingTask.of(spec_of(tmp_path, **changes), RIGHT))
        for changes in ({"instance_id": "a", "eval_script": None}, {"instance_id": "b"})
    ]
    odd = {**rows[1], "instance_id": "c", "refuse": "KeyError: 'odd'"}
    offline = {**rows[1], "instance_id": "d", "refuse": "ConnectionError", "passing": True}
    refused = Harness(str(program), "5.0.2").refused([*rows, odd, offline], tmp_path)
    assert sorted(refused) == ["a", "c", "d"]
    assert "lacks eval_script" in refused["a"].why
    assert refused["c"].why == "KeyError: 'odd'"
    assert (refused["c"].passing, refused["d"].passing) == (False, True)
    assert "a" not in Harness(str(program), "4.1.0").refused(rows, tmp_path)


@pytest.mark.slow
def test_a_harness_that_does_not_work_is_an_error(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho no module >&2; exit 1\n")
    broken.chmod(0o755)
    with pytest.raises(UsageError, match="no module"):
        Harness(str(broken), "5.0.2").refused([], tmp_path)


def test_rows_have_the_columns_that_both_versions_need(tmp_path: Path) -> None:
    row = harness_row(GradingTask.of(spec_of(tmp_path), RIGHT))
    assert {"image", "eval_script", "log_parser", "eval_type", "version"} <= row.keys()
    assert {"repo", "base_commit", "test_patch", "hints_text"} <= row.keys()
    assert json.loads(json.dumps(row))["FAIL_TO_PASS"] == ["check.py::test_add"]
