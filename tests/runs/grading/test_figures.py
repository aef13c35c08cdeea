"""What grades come to."""

from __future__ import annotations

from math import comb

import pytest

from runs.grading.figures import Graded, figures, pass_at
from runs.grading.nouns import GradeOutcome
from runs.grading.stored import Stored
from runs.grading.subjects import Subject


def graded(
    name: str, resolved: bool | None, *, writers: int = 1, chosen: bool = False, by: str = "run"
) -> Graded:
    outcome = {
        True: GradeOutcome.RESOLVED,
        False: GradeOutcome.UNRESOLVED,
        None: GradeOutcome.ERROR,
    }[resolved]
    stored = Stored(outcome, "", None, None, "", 1.0, None)
    return Graded(Subject(name, f"{resolved}{writers}", by, "m", chosen, writers), stored)


def test_chosen_coverage_and_chance() -> None:
    found = [
        graded("a", True, writers=1, chosen=True),
        graded("a", False, writers=3),
        graded("b", False, writers=2, chosen=True),
        graded("b", True, writers=2),
        graded("c", False, writers=4, chosen=True),
    ]
    counted = figures(found)
    assert counted.resolved == {"run": (1, 3)}
    assert (counted.instances, counted.coverage) == (3, 2)
    assert counted.by_chance == pytest.approx(1 / 4 + 2 / 4)
    assert counted.pass_at[1] == pytest.approx((1 / 4 + 2 / 4) / 3)
    assert counted.pass_at[3] == pytest.approx((3 / 4 + 1 + 0) / 3)
    assert sorted(counted.pass_at) == [1, 2, 3]  # no instance has fewer writers than four


def test_an_instance_without_all_verdicts_is_left_out() -> None:
    counted = figures([graded("a", True, chosen=True), graded("a", None), graded("b", True)])
    assert (counted.instances, counted.left_out, counted.resolved) == (1, ("a",), {"run": (1, 1)})


def test_no_patch_is_not_resolved_and_needs_no_grade() -> None:
    counted = figures([Graded(Subject("a", "", "run", "m", chosen=True), None)])
    assert (counted.instances, counted.resolved, counted.coverage) == (1, {"run": (0, 1)}, 0)


def test_models_of_a_file_are_counted_apart() -> None:
    found = [graded("a", True, chosen=True, by="x"), graded("a", False, chosen=True, by="y")]
    assert figures(found).resolved == {"x": (1, 1), "y": (0, 1)}
    found.append(graded("b", None, chosen=True, by="y"))
    found.append(graded("b", True, chosen=True, by="x"))
    assert figures(found).resolved == {"x": (2, 2), "y": (0, 1)}


def test_several_patches_of_one_model_are_one_instance() -> None:
    found = [graded("a", True, chosen=True), graded("a", False, chosen=True)]
    assert figures(found).resolved == {"run": (0.5, 1)}


@pytest.mark.parametrize(("n", "right", "k"), [(10, 3, 1), (10, 3, 5), (4, 4, 2), (5, 0, 5)])
def test_pass_at_k_is_the_chance_of_a_right_one_among_k(n: int, right: int, k: int) -> None:
    wrong = comb(n - right, k) / comb(n, k)
    assert pass_at(n, right, k) == pytest.approx(1 - wrong)
    assert 0 <= pass_at(n, right, k) <= 1
    assert pass_at(n, right, n) == (1.0 if right else 0.0)


def test_nothing_at_all() -> None:
    assert figures([]).instances == 0
