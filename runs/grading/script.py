"""The bash script that applies a patch and runs an evaluation script, in a sandbox.

Patches are applied in the same ways as by the SWE-bench harness 5 (`run_evaluation.py`,
GIT_APPLY_CMDS), so that a patch that applies there applies here.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runs.grading.resolution import BEGIN, END, EXIT_CODE, RunnerOutput

if TYPE_CHECKING:
    from data.instances.grading import GradingSpec

LOG_MB = 48
"""How many bytes of the tests' output are kept, from its beginning."""
_MOST = LOG_MB * 2**20
MARK = "troop-grading"
_BUSY = 1.5
"""How many processes per processor make a machine too busy for a time-out to be a result."""
_HEADER = ("#!/bin/bash", "set -uxo pipefail")

_SCRIPT = """\
set -u
for program in git base64 head mktemp timeout; do
    command -v $program >/dev/null || {{ echo "bash: $program: command not found"; exit 70; }}
done
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
used() {{ # the processor time of this container so far, in milliseconds
    local name value
    while read -r name value; do
        [ "$name" = usage_usec ] && echo $((value / 1000)) && return
    done 2>/dev/null </sys/fs/cgroup/cpu.stat
    read -r value 2>/dev/null </sys/fs/cgroup/cpuacct/cpuacct.usage && echo $((value / 1000000)) ||
        echo -1
}}
cores() {{ local count=0 name; while read -r name _; do
    case $name in cpu[0-9]*) count=$((count + 1)) ;; esac
done </proc/stat; echo $count; }}
said=unedited
if [ -s "$work/patch.diff" ]; then
    said=refused
    LC_ALL=C applied "$work/patch.diff" > "$work/log" 2>&1 && said=applied
fi
unset GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_CONFIG_VALUE_0
code=0 before=$(used)
if [ $said != refused ]; then
    timeout -k 10 {timeout} bash "$work/eval.sh" > "$work/log" 2>&1 < /dev/null
    code=$?
fi
read -r load _ 2>/dev/null </proc/loadavg || load=0
echo "{mark} $said $code $load $(cores) $before $(used)"
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
    load: float = 0.0
    """How many processes wanted a processor in the last minute."""
    cores: int = 0
    """How many processors the machine has; 0: unknown."""
    cpu_s: float | None = None
    """Seconds of processor time that the tests took; None: unknown."""
    cut: bool = False
    """Whether the log was too long and lacks its end."""

    def starved(self, wall_s: float) -> bool:
        """Whether a time-out after `wall_s` seconds says nothing: the machine was too busy."""
        busy = bool(self.cores) and self.load > _BUSY * self.cores
        return busy and (self.cpu_s is None or self.cpu_s < wall_s / 2)


@dataclass(frozen=True, slots=True)
class OutputMarks:
    """Lines around what the test command prints, which no patch can know beforehand."""

    begin: str
    end: str
    """Not known from `begin`, which tests can read in the log."""

    @classmethod
    def new(cls) -> OutputMarks:
        """OutputMarks for one execution."""
        return cls(f"{MARK}-{secrets.token_hex(16)}", f"{MARK}-{secrets.token_hex(16)}")


def grading_script(spec: GradingSpec, diff: str, timeout_s: float, marks: OutputMarks) -> str:
    """The script for one patch."""
    return _SCRIPT.format(
        folder=shlex.quote(spec.instance.environment.repo_dir),
        patch=_coded(diff),
        evaluation=_coded(evaluation_of(spec, marks)),
        timeout=f"{timeout_s:.0f}",
        mark=MARK,
        most=_MOST + 1,
    )


def read_result(output: str) -> ScriptResult | None:
    """The result that the script printed; None: it did not reach its end."""
    found = re.search(
        rf"^{MARK} (\w+) (\d+)((?: [-\d.]+)*)\n([A-Za-z0-9+/=\n]*)^{MARK} end$",
        output,
        re.MULTILINE,
    )
    if found is None:
        return None
    try:
        log = base64.b64decode(found[4])
        load, cores, before, after = [*map(float, found[3].split()), 0, 0, 0, 0][:4]
    except (binascii.Error, ValueError):
        return None
    cpu_s = (after - before) / 1000 if 0 <= before < after else None
    return ScriptResult(
        found[1] != "refused",
        int(found[2]),
        log[:_MOST].decode("utf-8", "replace"),
        load,
        int(cores),
        cpu_s,
        cut=len(log) > _MOST,
    )


def evaluation_of(spec: GradingSpec, marks: OutputMarks) -> str:
    """The evaluation script, with marks around the test command and its exit code after them."""
    lines = (spec.eval_script or _made(spec)).strip().split("\n")
    lines = [line for line in lines if line not in _HEADER]
    begin = next((n for n, line in enumerate(lines) if BEGIN in line), None)
    end = next((n for n, line in enumerate(lines) if END in line), None)
    if begin is not None and end is not None and begin < end:
        lines[end : end + 1] = [
            "TROOP_TEST_EXIT_CODE=$?",
            lines[end],
            f'echo "{EXIT_CODE}: $TROOP_TEST_EXIT_CODE"',
            f'echo "{marks.end} $TROOP_TEST_EXIT_CODE"',
        ]
        lines.insert(begin + 1, f"echo {marks.begin}")
    return "\n".join([*_HEADER, *lines]) + "\n"


def command_of(spec: GradingSpec) -> str:
    """The lines of the evaluation script that run the tests; "" if they cannot be found."""
    text = spec.eval_script or _made(spec)
    return text.partition(BEGIN)[2].partition(END)[0]


def runner_output(log: str, marks: OutputMarks) -> RunnerOutput | None:
    """What the test command printed, and its exit code; None: it did not run to its end."""
    found = re.search(rf"^{marks.begin}\n(.*?)^{marks.end} (\d+)$", log, re.MULTILINE | re.DOTALL)
    return RunnerOutput(found[1], int(found[2])) if found else None


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
