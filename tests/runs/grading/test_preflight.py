"""Which instances are fit to be graded."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from data.instances.grading import load_specs
from runs.grading.nouns import Counts, GradeOutcome, GradingTask
from runs.grading.preflight import NO_EDIT, fitness, preflight_tasks, said
from runs.grading.stored import Stored
from tests.support.graded import RIGHT, row, write_rows

if TYPE_CHECKING:
    from pathlib import Path

ID = "tiny__calc-1"


def stored(outcome: GradeOutcome) -> Stored:
    return Stored(outcome, "its detail", Counts(1, 2), Counts(3, 0), "", 1.0, None)


@pytest.mark.parametrize(
    ("gold", "no_edit", "unfit", "unknown"),
    [
        (GradeOutcome.RESOLVED, GradeOutcome.UNRESOLVED, "", ""),
        (GradeOutcome.UNRESOLVED, GradeOutcome.UNRESOLVED, "the gold patch is not resolved", ""),
        (
            GradeOutcome.TIMEOUT,
            GradeOutcome.UNRESOLVED,
            "the gold patch is not resolved: timeout",
            "",
        ),
        (GradeOutcome.APPLY_FAILED, GradeOutcome.UNRESOLVED, "apply failed", ""),
        (GradeOutcome.RESOLVED, GradeOutcome.RESOLVED, "resolved without an edit", ""),
        (GradeOutcome.RESOLVED, GradeOutcome.ERROR, "", "its detail"),
        (GradeOutcome.CANNOT_GRADE, GradeOutcome.CANNOT_GRADE, "cannot be graded: its detail", ""),
    ],
)
def test_what_the_grades_of_two_patches_say_about_an_instance(
    tmp_path: Path, gold: GradeOutcome, no_edit: GradeOutcome, unfit: str, unknown: str
) -> None:
    specs = load_specs(write_rows(tmp_path), None, [ID])
    pair = dict(zip((RIGHT, NO_EDIT), (gold, no_edit), strict=True))
    known = {
        GradingTask.of(specs.found[ID], diff).key: stored(outcome) for diff, outcome in pair.items()
    }
    (found,) = fitness([ID], specs, known)
    assert bool(found.unfit) == bool(unfit)
    assert unfit in found.unfit
    assert found.unknown == unknown


def test_rows_that_cannot_be_graded_are_not_fit(tmp_path: Path) -> None:
    rows = [row(), row(instance_id="b", patch=""), row(instance_id="c", PASS_TO_PASS=None)]
    ids = [ID, "b", "c", "d"]
    specs = load_specs(write_rows(tmp_path, *rows), None, ids)
    assert [task.diff for task in preflight_tasks(specs)] == [RIGHT, NO_EDIT]
    whys = {each.instance_id: each.unfit or each.unknown for each in fitness(ids, specs, {})}
    assert "no gold patch" in whys["b"]
    assert "lacks PASS_TO_PASS" in whys["c"]
    assert "no such instance" in whys["d"]
    assert whys[ID] == "it was not graded"


def test_the_patch_that_changes_nothing_applies(tmp_path: Path) -> None:
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=NO_EDIT.encode(), check=True)
    assert [file.name for file in tmp_path.iterdir()] == ["troop-preflight.txt"]


def test_grades_in_words() -> None:
    assert said(stored(GradeOutcome.UNRESOLVED)) == "unresolved (F2P 1/3, P2P 3/3)"
    assert said(None) == ""
