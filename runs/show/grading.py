"""What grading came to: a table of patches, and the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from runs.show.layout import Sheet
from runs.words import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from runs.grading.figures import Graded, GradeFigures

STYLES = {True: "green", False: "", None: "red"}


def grading_report(
    found: Sequence[Graded], figures: GradeFigures, grader: str, *, every: bool
) -> RenderableType:
    """A row for each patch, then what they come to; `every`: all candidates were graded."""
    table = Sheet()
    for name in ("instance", "patch", "verdict", "F2P", "P2P", "s", ""):
        table.column(name, fold=name in {"patch", ""})
    for each in found:
        table.add_row(*_cells(each))
    return Group(table, Text(), *_lines(figures, grader, every=every))


def _cells(each: Graded) -> list[Text]:
    grade = each.grade
    counts = (None, None) if grade is None else (grade.fail_to_pass, grade.pass_to_pass)
    seconds = None if grade is None else grade.duration_s
    said = verdict(each)
    return [
        plain(each.subject.instance_id),
        plain(_name(each)),
        plain(said, STYLES[each.resolved]),
        *(plain("" if count is None else count) for count in counts),
        plain("" if seconds is None else f"{seconds:.1f}"),
        plain((grade.detail if grade else each.why)[:120]),
    ]


def verdict(each: Graded) -> str:
    """In words."""
    if not each.subject.diff:
        return "no patch"
    return "cannot judge" if each.grade is None else each.grade.outcome.replace("_", " ")


def _name(each: Graded) -> str:
    subject = each.subject
    if subject.candidate is None:
        return subject.model
    return f"candidate {subject.candidate}" + (" (chosen)" if subject.chosen else "")


def _lines(figures: GradeFigures, grader: str, *, every: bool) -> list[Text]:
    lines = [
        plain(f"{name}: {right:.4g} of {of} resolved, by the {grader}", "bold")
        for name, (right, of) in figures.resolved.items()
    ]
    if every and figures.instances:
        of = f"of {figures.instances}"
        lines.append(Text(f"coverage, any right patch: {figures.coverage} {of}"))
        lines.append(Text(f"a random writer, expected: {figures.by_chance:.2f} {of}"))
        if figures.pass_at:
            values = ", ".join(f"pass@{k} {value:.3f}" for k, value in figures.pass_at.items())
            lines.append(Text(values))
    if figures.left_out:
        names = ", ".join(figures.left_out)
        lines.append(plain(f"left out, without a verdict on each patch: {names}", "yellow"))
    return lines


def grading_document(found: Sequence[Graded], figures: GradeFigures, grader: str) -> dict[str, Any]:
    """The same for programs."""
    return {
        "grader": grader,
        "judge": grader,  # the key of 0.1.0
        "patches": [
            {
                "instance_id": each.subject.instance_id,
                "name": each.subject.name,
                "model": each.subject.model,
                "candidate": each.subject.candidate,
                "chosen": each.subject.chosen,
                "digest": each.subject.key[1],
                "resolved": each.resolved,
                "outcome": verdict(each).replace(" ", "_"),
                "detail": each.grade.detail if each.grade else each.why,
                "fail_to_pass": _pair(each, "fail_to_pass"),
                "pass_to_pass": _pair(each, "pass_to_pass"),
                "seconds": each.grade.duration_s if each.grade else None,
            }
            for each in found
        ],
        "figures": {
            "instances": figures.instances,
            "left_out": list(figures.left_out),
            "resolved": {
                name: {"resolved": right, "of": of}
                for name, (right, of) in figures.resolved.items()
            },
            "coverage": figures.coverage,
            "random_expected": figures.by_chance,
            "pass_at": {str(k): value for k, value in figures.pass_at.items()},
        },
    }


def _pair(each: Graded, name: str) -> dict[str, int] | None:
    counts = getattr(each.grade, name, None)
    return None if counts is None else {"passing": counts.passing, "failing": counts.failing}
