"""What selection methods would have chosen: a table of instances, and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from runs.compare.oracle import ORACLE
from runs.show.legends import legend, table
from runs.show.worth import worth, worth_document
from runs.store.blobs import digest_of
from runs.words import counted, decided_by, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from runs.compare.figures import Figures
    from runs.compare.reselect import Reselected
    from runs.show.layout import Sheet
    from runs.store.records import RunRecord

NO_SELECTOR = f"({ORACLE})"
"""How the method that looks at the grades is marked."""
_CHOICES = (
    ("choices", "the candidates chosen, each with the methods that choose it"),
    ("the run", "what the run itself chose"),
)
_GRADES = (("✔ ✘", "resolved and not resolved, by the grades; without either, not graded"),)
ALONE = 1
"""With at most so many instances, the reasons are shown, too."""
_SIGNS = {True: ("✔", "green"), False: ("✘", "red"), None: ("", "")}


def selection_report(
    run: RunRecord, found: Sequence[Reselected], methods: Sequence[str], figures: Figures | None
) -> RenderableType:
    """Choices per instance, agreement with the run and, if there are grades, the figures."""
    parts: list[RenderableType] = [_choices(run, found, methods), Text(), _legend(found, methods)]
    if len(found) <= ALONE and methods:
        parts += [Text(), *(_reasons(run, one, methods) for one in found)]
    if any(method != ORACLE for method in methods):
        parts += [Text(), _agreement(found, methods)]
    if figures is not None:
        parts += [Text(), *worth(run, figures, found)]
    what = "which candidate each method chooses" if methods else "which candidate was chosen"
    return Group(Text.assemble((run.name, "bold"), f"  {what}\n"), *parts)


def _choices(run: RunRecord, found: Sequence[Reselected], methods: Sequence[str]) -> Sheet:
    last = "choices" if methods else "chosen"
    made = table("instance", "candidates", "tests", last, numbers="candidates,tests", fold=last)
    for one in found:
        counts = (str(len(one.matrix.candidates)), str(len(one.matrix.tests)))
        made.add_row(plain(one.instance_id), *counts, _by_whom(run, one, methods))
    return made


def _by_whom(run: RunRecord, one: Reselected, methods: Sequence[str]) -> Text:
    """Each candidate that is chosen, with the methods that choose it; the run's choice first."""
    if not methods:
        if one.chosen is None:
            return _cell(one, None)
        return Text.assemble(
            _cell(one, one.chosen), f", because {decided_by(one.reason, run.config)}"
        )
    choosers: dict[int | None, list[str]] = {one.chosen: ["the run"]}
    for method in methods:
        choice = one.choice(method)
        shown = NO_SELECTOR if method == ORACLE else method
        choosers.setdefault(None if choice is None else choice.number, []).append(shown)
    lines = [
        Text.assemble(_cell(one, number), ": ", ", ".join(names))
        for number, names in choosers.items()
    ]
    return Text("\n").join(lines)


def _cell(one: Reselected, number: int | None) -> Text:
    """A candidate, bold if the run chose it; green or red if it is graded."""
    if number is None:
        return Text("no candidate", style="dim")
    sign, colour = _SIGNS[(one.grades or {}).get(number)]
    style = f"{colour} bold" if number == one.chosen else colour
    return Text(f"candidate {number}{f' {sign}' if sign else ''}", style=style.strip())


def _legend(found: Sequence[Reselected], methods: Sequence[str]) -> RenderableType:
    graded = any(one.grades for one in found)
    return legend(
        ("candidates", "how many distinct patches there are"),
        ("tests", "how many tests vote on them: generated tests, and repository test files"),
        *(_CHOICES if methods else ()),
        *(_GRADES if graded else ()),
        *(((NO_SELECTOR, "not a selector, because it looks at the grades"),) * (ORACLE in methods)),
        "What each method is: troop select --help" if methods else "",
    )


def _reasons(run: RunRecord, one: Reselected, methods: Sequence[str]) -> Sheet:
    made = table("method", "chooses", "because", fold="because")
    rows = [("the run", one.chosen, decided_by(one.reason, run.config))]
    for method in methods:
        choice = one.choice(method)
        number = None if choice is None else choice.number
        shown = NO_SELECTOR if method == ORACLE else method
        rows.append((shown, number, one.rankings[method].reason))
    for name, number, reason in rows:
        made.add_row(name, "-" if number is None else f"candidate {number}", plain(reason))
    return made


def _agreement(found: Sequence[Reselected], methods: Sequence[str]) -> Text:
    chosen = [one for one in found if one.chosen is not None]
    selectors = [method for method in methods if method != ORACLE]
    counts = (f"{method} {sum(one.agrees(method) for one in chosen)}" for method in selectors)
    of = counted(len(chosen), "instance")
    return Text(f"How often each method chooses what the run chose, of {of}: {', '.join(counts)}")


def selection_document(
    run: RunRecord,
    found: Sequence[Reselected],
    methods: Sequence[str],
    seed: int,
    figures: Figures | None,
) -> dict[str, Any]:
    """The same for programs."""
    chosen = [one for one in found if one.chosen is not None]
    document: dict[str, Any] = {
        "run": run.name,
        "seed": seed,
        "instances": [_instance(one, methods) for one in found],
        "agrees_with_run": {
            m: sum(one.agrees(m) for one in chosen) for m in methods if m != ORACLE
        },
        "instances_with_choice": len(chosen),
    }
    if figures is not None:
        document["figures"] = worth_document(figures, found)
    return document


def _instance(one: Reselected, methods: Sequence[str]) -> dict[str, Any]:
    digests = {c.number: digest_of(c.patch.diff) for c in one.matrix.candidates}
    made: dict[str, Any] = {
        "instance_id": one.instance_id,
        "candidates": digests,
        "tests": len(one.matrix.tests),
        "chosen": one.chosen,
        "reason": one.reason,
        "methods": {
            method: {
                "ranking": [c.number for c in one.rankings[method].candidates],
                "reason": one.rankings[method].reason,
                "agrees": one.agrees(method),
                "selector": method != ORACLE,
            }
            for method in methods
        },
    }
    if one.grades is not None:
        made["resolved"] = dict(one.grades)
    return made
