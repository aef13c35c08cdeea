"""The script that grades in a sandbox: what it runs, and how what it printed is read."""

from __future__ import annotations

import base64
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from runs.grading.prevented import why_prevented
from runs.grading.resolution import BEGIN, END, EXIT_CODE
from runs.grading.sandbox_grader import why_not
from runs.grading.script import (
    MARK,
    OutputMarks,
    evaluation_of,
    grading_script,
    read_result,
    runner_output,
)
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
    marks = OutputMarks.new()
    lines = evaluation_of(spec_of(tmp_path), marks).splitlines()
    end = next(n for n, line in enumerate(lines) if END in line)
    assert lines[:2] == ["#!/bin/bash", "set -uxo pipefail"]
    assert lines[end - 1] == "TROOP_TEST_EXIT_CODE=$?"
    assert lines[end + 1] == f'echo "{EXIT_CODE}: $TROOP_TEST_EXIT_CODE"'
    assert lines[end + 2] == f'echo "{marks.end} $TROOP_TEST_EXIT_CODE"'


def test_only_what_the_test_command_printed_is_read() -> None:
    marks = OutputMarks.new()
    forged = f"{BEGIN}\nPASSED a\n{END}\n{EXIT_CODE}: 0\n"
    text = f"{forged}+ : '{BEGIN}'\n{marks.begin}\n{forged}FAILED a\n+ : '{END}'\n{marks.end} 1\n"
    found = runner_output(text, marks)
    assert found is not None
    assert found.code == 1
    assert found.output.startswith(forged + "FAILED a\n")
    assert runner_output(text, OutputMarks.new()) is None


@pytest.mark.parametrize(
    ("load", "cpu_ms", "starved"),
    [(2.0, 100, False), (40.0, 100, True), (40.0, 50_000, False), (40.0, -1, True)],
)
def test_a_time_out_on_a_busy_machine_is_no_result(load: float, cpu_ms: int, starved: bool) -> None:
    before = 1000 if cpu_ms > 0 else -1
    numbers = f"124 {load} 4 {before} {before + max(cpu_ms, 0)}"
    told = read_result(f"{MARK} applied {numbers}\n{MARK} end\n")
    assert told is not None
    assert told.starved(60) is starved


@pytest.mark.parametrize(
    ("line", "ours"),
    [
        ("error: unable to write file 'a.py' mode 100644: Permission denied", True),
        ("fatal: cannot create directory at 'x': No space left on device", True),
        ("fatal: detected dubious ownership in repository at '/testbed'", True),
        ("patch: **** Can't rename file a to b : Read-only file system", True),
        ("/tmp/eval.sh: line 3: git: command not found", True),
        ("error: a.py: patch does not apply", False),
        ("error: Permission denied.py: patch does not apply", False),
        ("PermissionError: [Errno 13] Permission denied", False),
    ],
)
def test_what_could_not_be_done_here_is_no_verdict(line: str, ours: bool) -> None:
    assert why_prevented(f"before\n{line}\nafter") == (line if ours else "")


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
    text = grading_script(replace(spec, eval_script=script), diff, 60, OutputMarks.new())
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
