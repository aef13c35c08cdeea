"""A program in the place of a Python that has swebench: same command line, same files.

It grades at once, by what a patch says: a line "+verdict WORD" with one of
resolved, unresolved, refused, timeout, infra, damaged, other, silent, crash, or
slow, which ends only when it is told to; a patch without one is unresolved.
FAKE_HARNESS_VERSION is its version; it notes each call in calls.txt beside itself.
"""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_PROGRAM = """\
#!{python}
import json, os, pathlib, sys, time
HERE = pathlib.Path(__file__).parent
words = sys.argv[1:]
with (HERE / "calls.txt").open("a") as file:
    file.write(json.dumps(words) + "\\n")
if words[0] == "-c":
    if len(words) == 2:
        print(os.environ.get("FAKE_HARNESS_VERSION", "5.0.2"))
    else:
        rows = json.load(open(words[2]))
        refusing = [row for row in rows if "refuse" in row]
        said = {{r["instance_id"]: [r["refuse"], r.get("passing", False)] for r in refusing}}
        print("chatter")
        print(json.dumps(said))
    sys.exit()
flags = dict(zip(words[2::2], words[3::2]))
rows = {{row["instance_id"]: row for row in json.load(open(flags["--dataset_name"]))}}
predictions = json.load(open(flags["--predictions_path"]))
assert len({{each["instance_id"] for each in predictions}}) == len(predictions)
logs = pathlib.Path("logs/run_evaluation", flags["--run_id"])
for each in predictions:
    name, patch = each["instance_id"], each["model_patch"]
    word = (patch.split("+verdict ")[1:] or ["unresolved"])[0].split()[0]
    folder = logs / each["model_name_or_path"] / name
    if word == "crash":
        sys.exit("the engine is gone")
    folder.mkdir(parents=True)
    (folder / "patch.diff").write_text(patch)
    if word == "refused":
        (folder / "run_instance.log").write_text("INFO - >>>>> Patch Apply Failed:\\nno")
    elif word == "timeout":
        (folder / "test_output.txt").write_text("dots\\n\\nTimeout error: 7 seconds exceeded.")
    elif word == "silent":
        (folder / "run_instance.log").write_text("x\\ndocker.errors.NotFoundError: gone\\n")
    elif word == "slow":
        (HERE / "slow").write_text(str(os.getpid()))
        time.sleep(600)
    elif word == "damaged":
        (folder / "report.json").write_text('{{"tiny')
    else:
        right = word in ("resolved", "other")
        sides = {{"success": ["t"] * right, "failure": ["t"] * (not right)}}
        tests = {{"FAIL_TO_PASS": sides, "PASS_TO_PASS": sides}}
        report = {{"resolved": right, "tests_status": tests}}
        if word == "infra":
            reason = {{"infra_failure": True, "infra_failure_reason": "out_of_memory"}}
            report = {{"resolved": False, **reason}}
        if word == "other":
            (folder / "patch.diff").write_text("another")
        (folder / "test_output.txt").write_text("what the tests printed")
        (folder / "report.json").write_text(json.dumps({{name: report}}))
"""


def fake_harness(folder: Path) -> Path:
    """The program, in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "python"
    program.write_text(_PROGRAM.format(python=sys.executable))
    os.chmod(program, program.stat().st_mode | stat.S_IXUSR)  # noqa: PTH101
    return program


def patch(word: str, *, number: int = 1) -> str:
    """A diff that the program above takes for `word`."""
    return (
        "diff --git a/v.txt b/v.txt\nnew file mode 100644\n--- /dev/null\n+++ b/v.txt\n"
        f"@@ -0,0 +1 @@\n+verdict {word} {number}\n"
    )
