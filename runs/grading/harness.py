"""The official SWE-bench harness as it is installed: its version, its command line, its rows.

Versions 4 and 5 differ in their flags, in what they need of a row and in where
the image's name comes from. They write the same files.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from runs.grading.nouns import GradingTask

OLDEST, NEWEST = (4, 1), 5
INSTALL = (
    "Install it (pip install 'troop-repair[grade]'), name a Python that has it with"
    " --harness-python, or grade with --with sandbox."
)
_MODULE = "swebench.harness.run_evaluation"
_ASK_VERSION = "import importlib.metadata as m; print(m.version('swebench'))"
_V5_COLUMNS = ("image", "eval_script", "log_parser", "eval_type", "version")
_CHECK_S = 600
_ASK_S = 60

_CHECK = """\
import json, sys
rows, major = json.load(open(sys.argv[1], encoding="ascii")), sys.argv[2]
if major == "4":
    from swebench.harness.log_parsers import MAP_REPO_TO_PARSER as parsers
    from swebench.harness.test_spec.test_spec import make_test_spec
    column = "repo"
else:
    from swebench.harness.log_parsers import PARSER_REGISTRY as parsers
    from swebench.harness.utils import make_test_spec
    column = "log_parser"
refused = {}
for row in rows:
    try:
        make_test_spec(row)
        parsers[row[column]]
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        refused[row["instance_id"]] = [why, isinstance(error, OSError)]
print(json.dumps(refused))
"""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the harness cannot grade a row."""

    why: str
    passing: bool = False
    """Whether it may work at another time: version 4 asks the network for some rows."""


@dataclass(frozen=True, slots=True)
class Harness:
    """An installed harness."""

    python: str
    version: str

    @property
    def major(self) -> int:
        """The major version, 4 or 5."""
        return int(self.version.split(".")[0])

    def command(self, run_id: str, *, workers: int, timeout_s: float) -> list[str]:
        """The command for the `dataset.json` and `predictions.json` of the folder it runs in."""
        common = [
            *(self.python, "-m", _MODULE),
            *("--dataset_name", "dataset.json", "--split", "test"),
            *("--predictions_path", "predictions.json", "--run_id", run_id),
            *("--max_workers", str(workers), "--timeout", f"{timeout_s:.0f}"),
            *("--report_dir", "."),
        ]
        # Otherwise version 4 removes each image after its test run and pulls it for the next.
        return [*common, "--cache_level", "instance"] if self.major == OLDEST[0] else common

    def environment(self, engine: str) -> dict[str, str]:
        """Variables for its processes; `engine` is where Docker answers."""
        own = {"HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}  # its rows are in a file
        # It only looks at DOCKER_HOST, while `docker` and Troop also follow the current context.
        found = {"DOCKER_HOST": engine} | dict(os.environ) | own
        found.pop("PYTHONPATH", None)
        return found

    def refused(self, rows: Sequence[Mapping[str, object]], folder: Path) -> dict[str, Refusal]:
        """Why it cannot grade some of `rows`, by id. One such row would end its whole run.

        Raises:
            UsageError: the harness does not work.
        """
        found = dict[str, Refusal]()
        if self.major > OLDEST[0]:
            for row in rows:
                lacking = [name for name in _V5_COLUMNS if not row.get(name)]
                if lacking:
                    found[str(row["instance_id"])] = Refusal(
                        f"its row lacks {', '.join(lacking)}, which swebench 5 asks for"
                        " (newer revisions of the datasets have them; swebench 4 does not ask)"
                    )
        file = folder / "check.json"
        checked = [row for row in rows if str(row["instance_id"]) not in found]
        file.write_text(json.dumps(checked), encoding="ascii")
        words = [self.python, "-c", _CHECK, str(file), str(self.major)]
        try:
            asked = subprocess.run(
                words,
                cwd=folder,
                env=self.environment(""),
                capture_output=True,
                text=True,
                timeout=_CHECK_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise UsageError(f"swebench {self.version} does not work: {error}") from error
        try:
            refused = json.loads(last_line(asked.stdout))
        except ValueError as error:
            said = last_line(asked.stderr)
            raise UsageError(
                f"swebench {self.version} does not work: {said}", hint=INSTALL
            ) from error
        return found | {name: Refusal(*said) for name, said in refused.items()}


def find_harness(python: str | None) -> Harness:
    """The harness installed for a Python, by default for this one.

    Raises:
        UsageError: there is none, or its version is not supported.
    """
    where = python or sys.executable
    try:
        asked = subprocess.run(
            [where, "-c", _ASK_VERSION],
            capture_output=True,
            text=True,
            timeout=_ASK_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"{where} does not start as a Python: {error}", hint=INSTALL) from error
    version = asked.stdout.strip()
    if asked.returncode or not version:
        raise UsageError(f"{where} has no swebench, the official harness.", hint=INSTALL)
    check_version(version)
    return Harness(where, version)


def check_version(version: str) -> None:
    """Refuse a version whose command line is not known.

    Raises:
        UsageError: the version is not supported.
    """
    numbers = re.match(r"(\d+)\.(\d+)", version)
    found = (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)
    if found < OLDEST or found[0] > NEWEST:
        raise UsageError(
            f"swebench {version} is not one of the versions that Troop supports (4.1 to 5).",
            hint=INSTALL,
        )


def harness_row(task: GradingTask) -> dict[str, object]:
    """The row of a task's instance, with only the columns that the harness uses."""
    return {"hints_text": "", "problem_statement": "", **task.spec.row}


def last_line(text: str) -> str:
    """The last line that a program printed."""
    return next((line for line in reversed(text.splitlines()) if line.strip()), "it said nothing")
