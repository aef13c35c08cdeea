"""The script that grades in a sandbox: what it runs, and how what it printed is read."""

from __future__ import annotations

import base64
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from runs.grading.resolution import END, EXIT_CODE
from runs.grading.sandbox_grader import why_not
from runs.grading.script import MARK, evaluation_of, grading_script, read_result
from tests.support.graded import FILES, RIGHT, WRONG, spec_of

if TYPE_CHECKING:
    from pathlib import Path


def printed(said: str, code: int, log: bytes) -> str:
    return f"noise\n{MARK} {said} {code}\n{base64.encodebytes(log).decode()}{MARK} end\n"


def test_the_log_comes_back_byte_by_byte() -> None:
    log = b"\x1b[31mred\r\n" + bytes(range(256))
    told = read_result(printed("applied", 3, log))
    assert told is not None
    assert (told.applied, told.code) == (True, 3)
    assert told.log == log.decode("utf-8", "replace")
    refused = read_result(printed("refused", 0, b""))
    assert refused is not None
    assert not refused.applied


@pytest.mark.parametrize(
    "output",
    ["", "Killed", f"{MARK} applied 0\n", printed("applied", 0, b"x").replace(f"{MARK} end", "")],
)
def test_a_trajectory_that_was_cut_off_has_no_outcome(output: str) -> None:
    assert read_result(output) is None


def test_the_exit_status_of_the_test_command_is_reported(tmp_path: Path) -> None:
    lines = evaluation_of(spec_of(tmp_path)).splitlines()
    end = next(n for n, line in enumerate(lines) if END in line)
    assert lines[:2] == ["#!/bin/bash", "set -uxo pipefail"]
    assert lines[end - 1] == "TROOP_TEST_EXIT_CODE=$?"
    assert lines[end + 1] == f'echo "{EXIT_CODE}: $TROOP_TEST_EXIT_CODE"'


def repository(folder: Path) -> Path:
    """The tiny benchmark's code in a repository on this machine."""
    code = folder / "code it's"
    code.mkdir()
    for name, text in FILES.items():
        (code / name).write_text(text)
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for words in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *words], cwd=code, check=True)
    return code


@pytest.mark.parametrize(
    ("diff", "applied", "passed"),
    [
        (RIGHT, True, "PASSED check.py::test_add"),
        (WRONG, True, "FAILED check.py::test_add"),
        # Not for `git apply`, but for `patch` with fuzz, as the harness does it.
        (
            RIGHT.replace(" def add(a, b):\n", " def other(a, b):\n"),
            True,
            "PASSED check.py::test_add",
        ),
        (RIGHT.replace("-    return a - b", "-    nothing"), False, ""),
        ("prose\n", False, ""),
        ("", True, "FAILED check.py::test_add"),
    ],
)
def test_the_script_applies_and_runs(tmp_path: Path, diff: str, applied: bool, passed: str) -> None:
    code = repository(tmp_path)
    spec = spec_of(tmp_path, repo_dir=str(code))
    script = spec.eval_script.replace("cd /testbed", "cd .").replace("--global", "--local")
    text = grading_script(replace(spec, eval_script=script), diff, 60)
    done = subprocess.run(["bash"], input=text, capture_output=True, text=True, check=False)
    told = read_result(done.stdout)
    assert told is not None, done.stdout + done.stderr
    assert told.applied is applied, told.log
    assert passed in told.log


def test_patches_that_cannot_be_graded_are_reported(tmp_path: Path) -> None:
    assert why_not(spec_of(tmp_path)) == ""
    assert "eval_script" in why_not(spec_of(tmp_path, eval_script=None))
    assert "parse_log_new" in why_not(spec_of(tmp_path, log_parser="parse_log_new"))
    assert "log_parser" in why_not(spec_of(tmp_path, log_parser=None))
