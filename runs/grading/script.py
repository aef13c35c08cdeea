"""The bash script that applies a patch and runs an evaluation script, in a sandbox.

Patches are applied in the same ways as by the SWE-bench harness 5 (`run_evaluation.py`,
GIT_APPLY_CMDS), so that a patch that applies there applies here.
"""

from __future__ import annotations

import base64
import binascii
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runs.grading.resolution import BEGIN, END, EXIT_CODE

if TYPE_CHECKING:
    from data.instances.grading import GradingSpec

LOG_MB = 48
"""How many bytes of the tests' output are kept, from its beginning."""
MARK = "troop-grading"
_HEADER = ("#!/bin/bash", "set -uxo pipefail")

_SCRIPT = """\
set -u
work=$(mktemp -d) && cd {folder} || exit 70
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
base64 -d > "$work/patch.diff" <<'TROOP-PATCH' || exit 70
{patch}
TROOP-PATCH
base64 -d > "$work/eval.sh" <<'TROOP-EVAL' || exit 70
{evaluation}
TROOP-EVAL
restore() {{ git checkout -- . ; git clean -fd; }}
applied() {{
    git apply --verbose "$1" && return
    restore; git apply --verbose --3way "$1" && return
    restore; git apply --verbose --reject "$1" && return
    restore; patch --batch --forward --fuzz=5 -p1 -i "$1" && return
    git apply --check --reverse "$1"
}}
said=unedited
if [ -s "$work/patch.diff" ]; then
    if applied "$work/patch.diff" > "$work/log" 2>&1; then said=applied; else said=refused; fi
fi
unset GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_CONFIG_VALUE_0
code=0
if [ $said != refused ]; then
    timeout -k 10 {timeout} bash "$work/eval.sh" > "$work/log" 2>&1 < /dev/null
    code=$?
fi
echo "{mark} $said $code"
head -c {most} "$work/log" | base64
echo "{mark} end"
"""


@dataclass(frozen=True, slots=True)
class ScriptResult:
    """What the script reported."""

    applied: bool
    code: int
    """The exit code of the evaluation script; 124 or 137: it was stopped."""
    log: str


def grading_script(spec: GradingSpec, diff: str, timeout_s: float) -> str:
    """The script for one patch."""
    return _SCRIPT.format(
        folder=shlex.quote(spec.instance.environment.repo_dir),
        patch=_coded(diff),
        evaluation=_coded(evaluation_of(spec)),
        timeout=f"{timeout_s:.0f}",
        mark=MARK,
        most=LOG_MB * 2**20,
    )


def read_result(output: str) -> ScriptResult | None:
    """The result that the script printed; None: it did not reach its end."""
    found = re.search(
        rf"^{MARK} (\w+) (\d+)\n([A-Za-z0-9+/=\n]*)^{MARK} end$", output, re.MULTILINE
    )
    if found is None:
        return None
    try:
        log = base64.b64decode(found[3])
    except binascii.Error:
        return None
    return ScriptResult(found[1] != "refused", int(found[2]), log.decode("utf-8", "replace"))


def evaluation_of(spec: GradingSpec) -> str:
    """The evaluation script, changed so that it prints the exit code of the test command."""
    lines = (spec.eval_script or _made(spec)).strip().split("\n")
    lines = [line for line in lines if line not in _HEADER]
    end = next((n for n, line in enumerate(lines) if END in line), None)
    if end is not None:
        lines[end : end + 1] = [
            "TROOP_TEST_EXIT_CODE=$?",
            lines[end],
            f'echo "{EXIT_CODE}: $TROOP_TEST_EXIT_CODE"',
        ]
    return "\n".join([*_HEADER, *lines]) + "\n"


def _made(spec: GradingSpec) -> str:
    """An evaluation script for a row with a test command: the test patch, then the command."""
    where = spec.instance.environment
    changed = re.findall(r"^diff --git a/(.+) b/\1$", spec.test_patch, re.MULTILINE)
    there = " ".join(map(shlex.quote, changed))
    return "\n".join(
        [
            where.activate,
            f"cd {shlex.quote(where.repo_dir)}",
            f"git config --global --add safe.directory {shlex.quote(where.repo_dir)}",
            f"for file in {there}; do",
            f'    git checkout {shlex.quote(spec.instance.base_commit)} "$file" || rm -f "$file"',
            "done",
            f"base64 -d <<< {_coded(spec.test_patch, wrap=False)} | git apply -v -",
            f": '{BEGIN}'",
            spec.test_cmd,
            f": '{END}'",
        ]
    )


def _coded(text: str, *, wrap: bool = True) -> str:
    raw = text.encode("utf-8", "surrogateescape")
    made = base64.encodebytes(raw) if wrap else base64.b64encode(raw)
    return made.decode("ascii").strip()
