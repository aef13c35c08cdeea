"""Is an instance fit for grading? Its gold patch must be resolved, but not the unedited code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runs.grading.nouns import GradeOutcome, GradingTask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from data.instances.grading import Specs
    from runs.grading.session import Key
    from runs.grading.stored import Stored

NO_EDIT = """\
diff --git a/troop-preflight.txt b/troop-preflight.txt
new file mode 100644
index 0000000..12ab5d9
--- /dev/null
+++ b/troop-preflight.txt
@@ -0,0 +1 @@
+This file changes nothing.
"""
"""A patch that changes no code, because the harness runs no tests for an empty patch."""


@dataclass(frozen=True, slots=True)
class Fitness:
    """The grades of the two patches of an instance."""

    instance_id: str
    gold: Stored | None
    no_edit: Stored | None
    unfit: str = ""
    """Why it is not fit; "" if it is fit, or if that is not known."""
    unknown: str = ""
    """Why it is not known whether it is fit: something around it broke."""


def preflight_tasks(specs: Specs) -> list[GradingTask]:
    """The two patches of every instance that has a gold patch."""
    return [
        GradingTask.of(spec, diff)
        for spec in specs.found.values()
        if spec.gold.strip()
        for diff in (spec.gold, NO_EDIT)
    ]


def fitness(ids: Sequence[str], specs: Specs, known: Mapping[Key, Stored]) -> list[Fitness]:
    """What is known of each instance, in the order of `ids`."""
    return [_fitness(name, specs, known) for name in ids]


def _fitness(name: str, specs: Specs, known: Mapping[Key, Stored]) -> Fitness:
    spec = specs.found.get(name)
    if spec is None:
        return Fitness(name, None, None, f"cannot be graded: {specs.refused.get(name, '')}")
    if not spec.gold.strip():
        return Fitness(name, None, None, "its row has no gold patch")
    gold, no_edit = (known.get(GradingTask.of(spec, diff).key) for diff in (spec.gold, NO_EDIT))
    unfit, unknown = _why(gold, no_edit)
    return Fitness(name, gold, no_edit, unfit, unknown)


def _why(gold: Stored | None, no_edit: Stored | None) -> tuple[str, str]:
    """Why an instance is not fit, or why that is not known."""
    for grade in (gold, no_edit):
        if grade is None or grade.outcome is GradeOutcome.ERROR:
            return "", grade.detail if grade else "it was not graded"
        if grade.outcome is GradeOutcome.CANNOT_GRADE:
            return f"cannot be graded: {grade.detail}", ""
    if gold is not None and not gold.resolved:
        return f"the gold patch is not resolved: {said(gold)}", ""
    return ("resolved without an edit" if no_edit is not None and no_edit.resolved else ""), ""


def said(grade: Stored | None) -> str:
    """A grade in a few words, with how many tests of both lists pass."""
    if grade is None:
        return ""
    words = grade.outcome.replace("_", " ")
    if grade.fail_to_pass is None:
        return words
    return f"{words} (F2P {grade.fail_to_pass}, P2P {grade.pass_to_pass})"
