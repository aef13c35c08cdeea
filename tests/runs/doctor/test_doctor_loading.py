"""Checks run in threads: what several of them import is imported before."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from tests.support.command import ROOT

pytestmark = pytest.mark.slow

SHARED = ("data", "runs", "sandbox")
"""The model's check alone imports of `agent`, which takes long."""


def imported_late() -> set[str]:
    """The modules that functions of the doctor's import."""
    return {
        module
        for file in (ROOT / "runs/doctor").glob("*.py")
        for function in ast.walk(ast.parse(file.read_text()))
        if isinstance(function, ast.FunctionDef) and function.name != "_load"
        for node in ast.walk(function)
        if isinstance(node, ast.ImportFrom | ast.Import)
        for module in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
        )
        if module.partition(".")[0] in SHARED
    }


def test_what_checks_share_is_loaded_before_they_begin() -> None:
    wanted = imported_late()
    assert {"sandbox.docker.warm.probe", "data.instances.loaders"} <= wanted
    code = (
        "import sys\n"
        "from runs.doctor.examination import _load\n"
        "_load()\n"
        f"print({wanted!r} - sys.modules.keys())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"
