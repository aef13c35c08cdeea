"""`troop check-predictions` and the cleaning of exports, as people call them."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from runs.export.patches import chosen_patches
from runs.store.registry import Status
from tests.data.patches.test_litter import NEW
from tests.data.patches.test_repairs import GOOD
from tests.support.command import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def troop(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "runs", "check-predictions", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def write(path: Path, **patches: object) -> Path:
    rows = [{"instance_id": name, "model_patch": patch} for name, patch in patches.items()]
    path.write_text("".join(json.dumps(one) + "\n" for one in rows))
    return path


def test_verdicts_totals_and_exit_codes(tmp_path: Path) -> None:
    repaired = tmp_path / "repaired.jsonl"
    path = write(tmp_path / "p.jsonl", a=GOOD, b=f"```\n{GOOD}```\n", c="prose\x1b[2J")
    done = troop(path, "--write", repaired)
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert [line.split()[0] for line in lines[:3]] == ["accepted", "repaired", "refused"]
    assert lines[3] == "1 accepted, 1 repaired, 1 refused"
    again = troop(repaired, "--json")
    assert again.returncode == 0
    assert json.loads(again.stdout)["totals"] == {"accepted": 2, "repaired": 0, "refused": 0}
    assert [json.loads(one)["model_patch"] for one in repaired.read_text().splitlines()] == [
        GOOD
    ] * 2
    assert troop(tmp_path / "missing").returncode == 2
    assert sorted(file.name for file in tmp_path.iterdir()) == ["p.jsonl", "repaired.jsonl"]


class Finished:
    """A run that has ended, as `Reader` shows it."""

    def __init__(self, **patches: str) -> None:
        self.patches = patches

    def instances(self, _: str) -> list[SimpleNamespace]:
        row = {"repo": "o/r", "status": Status.PATCHED}
        return [SimpleNamespace(instance_id=name, patch=name, **row) for name in self.patches]

    def text(self, name: str) -> str:
        return self.patches[name]


def test_an_export_is_cleaned_by_rule() -> None:
    scratch, tested = NEW.format("reproduce.py"), NEW.format("tests/test_x.py")
    run = Finished(a=GOOD + scratch + tested, b=scratch)

    def exported(**how: object) -> tuple[list[str], list[str]]:
        patches = chosen_patches(run, "r", **how)  # type: ignore[arg-type]
        return list(patches.diffs.values()), patches.notes

    assert exported()[0] == [GOOD + scratch + tested, scratch]
    assert "b: touches reproduce.py (a script that reproduces the bug)" in exported()[1]
    patches, notes = exported(clean=True)
    assert patches == [GOOD + tested, ""]
    assert "a: took out reproduce.py (a script that reproduces the bug)" in notes
    assert "a: touches tests/test_x.py (a test)" in notes
    assert "b: nothing is left of the patch" in notes
    assert exported(clean=True, tests=True)[0] == [GOOD, ""]
    assert exported(only=["b"])[0] == [scratch]
