"""The marks that say what a test needs are held true."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
HOOKS = """
import pytest
from tests.support.lanes import (
    pytest_collection_modifyitems, pytest_runtest_call, pytest_runtest_protocol
)

@pytest.fixture
def troop():
    pass
"""
TESTS = """
import subprocess, sys
import pytest

def start(program):
    assert subprocess.run([program, "--version"], check=False).returncode == 0

def test_unmarked():
    start(sys.executable)

@pytest.mark.slow
def test_marked():
    start(sys.executable)

def test_by_its_fixture(troop):
    start(sys.executable)

def test_git_is_free():
    start("git")

@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_on_both(dialect, request):
    marked = request.node.get_closest_marker("postgres") is not None
    assert marked == (dialect == "postgresql")
"""


def test_a_test_that_starts_a_program_needs_its_mark(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(HOOKS)
    (tmp_path / "test_some.py").write_text(TESTS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore", tmp_path],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 failed, 5 passed" in done.stdout, done.stdout
    assert "test_unmarked - Failed: It lacks a mark" in done.stdout
