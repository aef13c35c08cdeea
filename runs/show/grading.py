"""The results of grading: a table of patches, and the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from runs.show.legends import legend, table
from runs.words import counted, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from runs.grading.figures import Graded, GradeFigures

STYLES = {True: "green", False: "", None: "red"}

_SHOWN = {"cannot judge": "cannot grade", "timeout": "time-out", "unresolved": "not resolved"}
"""Stored words, and what people are shown for them."""


def grading_report(
    found: Sequence[Graded], figures: GradeFigures, grader: str, *, every: bool
) -> RenderableType:
    """A row for each patch, then the figures; `every`: all candidates were graded."""
    names = ("instance", "patch", "grade", "F2P", "P2P", "seconds", "remark")
    made = table(*names, numbers="F2P,P2P,seconds", fold="patch,remark")
    for each in found:
        made.add_row(*_cells(each))
    notes = legend(
        ("grade", "the benchmark's own verdict on the patch"),
        ("F2P", "FAIL_TO_PASS: how many of the tests pass that the fix must make pass"),
        ("P2P", "PASS_TO_PASS: how many of the tests pass that must still pass"),
        ("seconds", "how long the tests took"),
    )
    return Group(made, Text(), notes, Text(), *_lines(figures, grader, every=every))


def _cells(each: Graded) -> list[Text]:
    grade = each.grade
    counts = (None, None) if grade is None else (grade.fail_to_pass, grade.pass_to_pass)
    seconds = None if grade is None else grade.duration_s
    said = verdict(each)
    return [
        plain(each.subject.instance_id),
        plain(_name(each)),
        plain(_SHOWN.get(said, said), STYLES[each.resolved]),
        *(plain("-" if count is None else count) for count in counts),
        plain("-" if seconds is None else f"{seconds:.1f}"),
        plain((grade.detail if grade else each.why)[:120]),
    ]


def verdict(each: Graded) -> str:
    """The grade, in words."""
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
        plain(f"{name}: {right:.4g} of {counted(of, 'instance')} resolved, by the {grader}", "bold")
        for name, (right, of) in figures.resolved.items()
    ]
    if every and figures.instances:
        of = f"of {counted(figures.instances, 'instance')}"
        lines.append(Text(f"coverage: {figures.coverage} {of} have a resolved candidate"))
        lines.append(
            Text(
                f"random pick: {figures.by_chance:.2f} {of} are expected to be resolved, where any"
                " sample or system is as likely to be picked as any other"
            )
        )
        if figures.pass_at:
            values = ", ".join(f"pass@{k} {value:.3f}" for k, value in figures.pass_at.items())
            lines.append(
                Text(f"{values}: the chance that one of k samples is resolved, on average")
            )
    if figures.left_out:
        names = ", ".join(figures.left_out)
        said = f"Left out, because some of their patches have no grade: {names}."
        lines.append(plain(said, "yellow"))
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
