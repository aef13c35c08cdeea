"""The demo's repository: the same commit everywhere, whatever surrounds it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from runs.demo.subject import demo_instance

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = pytest.mark.slow


def test_the_commit_is_the_one_that_runs_are_stored_under(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as surrounded:
        surrounded.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
        surrounded.setenv("GIT_AUTHOR_DATE", "2030-01-01T00:00:00Z")
        instance = demo_instance(tmp_path, image=None)
    assert instance.base_commit == "11b36fef1675bfe5f6cfeca8d3c1322522ebace6"
    assert demo_instance(tmp_path, image=None) == instance
    source = instance.environment.source
    for words in (["status", "--porcelain"], ["log", "--format=%d%s", "main"]):
        ran = subprocess.run(["git", *words], cwd=source, capture_output=True, check=True)
        assert ran.stdout.decode().strip() in {"", "(HEAD -> main)cadence 0.4.1"}
