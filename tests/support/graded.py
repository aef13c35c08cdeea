"""A benchmark of one tiny instance: its rows, its patches, and its image."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from data.instances.grading import load_specs
from tests.sandbox.repository import git

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from data.instances.grading import GradingSpec
    from sandbox.docker.engine import Engine

IMAGE = "troop-test/graded:1"

FILES = {
    "calc.py": """\
def add(a, b):
    return a - b
# The other
# way:
def sub(a, b):
    return a - b
""",
    "check.py": """\
import sys
import calc

failed = False
for name, right in {"test_add": calc.add(2, 2) == 4, "test_sub": calc.sub(3, 1) == 2}.items():
    print("PASSED" if right else "FAILED", f"check.py::{name}")
    failed |= not right
sys.exit(failed)
""",
}

RIGHT = """\
diff --git a/calc.py b/calc.py
--- a/calc.py
+++ b/calc.py
@@ -1,5 +1,5 @@
 def add(a, b):
-    return a - b
+    return a + b
 # The other
 # way:
 def sub(a, b):
"""
WRONG = RIGHT.replace("+    return a + b", "+    return 5")
BREAKS = """\
diff --git a/calc.py b/calc.py
--- a/calc.py
+++ b/calc.py
@@ -3,4 +3,4 @@ def add(a, b):
 # The other
 # way:
 def sub(a, b):
-    return a - b
+    return a + b
"""
ELSEWHERE = RIGHT.replace("def add(a, b):", "def nowhere(a, b):").replace("return a - b", "nothing")
HANGS = RIGHT.replace("+    return a + b", "+    while True: pass")
CHEATS = """\
diff --git a/calc.py b/calc.py
--- a/calc.py
+++ b/calc.py
@@ -1,2 +1,7 @@
+import os
+import sys
+print("PASSED check.py::test_add\\nPASSED check.py::test_sub")
+sys.stdout.flush()
+os._exit(1)
 def add(a, b):
     return a - b
"""
"""Prints what the runner would, and ends before it."""
TOUCHES_TESTS = """\
diff --git a/check.py b/check.py
--- a/check.py
+++ b/check.py
@@ -1,6 +1,3 @@
-import sys
-import calc
-
-failed = False
-for name, right in {"test_add": calc.add(2, 2) == 4, "test_sub": calc.sub(3, 1) == 2}.items():
-    print("PASSED" if right else "FAILED", f"check.py::{name}")
+failed = False
+import sys
+print("PASSED check.py::test_add\\nPASSED check.py::test_sub")
"""
"""The evaluation script takes its own tests instead."""


def row(**changes: Any) -> dict[str, Any]:
    """A row as harness 5 has it."""
    script = """\
#!/bin/bash
set -uxo pipefail
cd /testbed
git config --global --add safe.directory /testbed
git checkout HEAD check.py
: '>>>>> Start Test Output'
python check.py
: '>>>>> End Test Output'
git checkout HEAD check.py
"""
    made = {
        "instance_id": "tiny__calc-1",
        "repo": "tiny/calc",
        "base_commit": "HEAD",
        "version": "1",
        "problem_statement": "add() subtracts",
        "patch": RIGHT,
        "test_patch": "",
        "FAIL_TO_PASS": json.dumps(["check.py::test_add"]),
        "PASS_TO_PASS": ["check.py::test_sub"],
        "image": IMAGE,
        "eval_script": script,
        "log_parser": "parse_log_pytest",
        "eval_type": "pass_and_fail",
    }
    return {key: value for key, value in (made | changes).items() if value is not None}


def write_rows(folder: Path, *rows: dict[str, Any]) -> str:
    """A dataset file of these rows, by default the one above."""
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in rows or [row()]))
    return str(file)


def spec_of(folder: Path, **changes: Any) -> GradingSpec:
    """The row above with changes, as graders get it."""
    made = row(**changes)
    name = made["instance_id"]
    return load_specs(write_rows(folder, made), None, [name]).found[name]


@pytest.fixture(scope="session")
def graded_image(python_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The instance's image, with this machine's Python."""
    from sandbox.docker.engine import Engine as Connection

    folder = tmp_path_factory.mktemp("graded") / "testbed"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    git(folder, "init", "-q", "-b", "main", "--template=")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "Base")
    engine = Connection.connect()
    try:
        commit_folder(engine, python_image, folder, IMAGE)
        yield IMAGE
        engine.remove_image(IMAGE)
    finally:
        engine.close()


def commit_folder(engine: Engine, image: str, folder: Path, name: str) -> None:
    """Make the image `name`: `image` with a folder at /testbed."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.add(folder, "testbed", filter=_as_root)
    container = engine.create({"image": image, "command": ["true"]}, {})
    try:
        engine.put(container, buffer.getvalue())
        engine.commit(container, name, ["WORKDIR /testbed"])
    finally:
        engine.remove(container)


def _as_root(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    return info
