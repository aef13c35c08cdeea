"""What choices are worth by the grades: methods, systems, the random pick and the oracle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from runs.show.layout import Heading
from runs.show.legends import legend, table
from runs.words import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from runs.compare.figures import Figures, SystemFigures
    from runs.compare.reselect import Reselected
    from runs.store.records import RunRecord

_NOTES = (
    ("resolved", "instances whose chosen candidate is resolved; share: their part of those graded"),
    ("gap closed", "how far the method comes from the random pick (0%) to the oracle (100%);"),
    ("", "below 0%, it is worse than the random pick"),
    ("random pick", "any sample or system that wrote a candidate is as likely as any other"),
    ("oracle", "not a selector, but the bound of all: any resolved candidate counts"),
)
_OF_SYSTEMS = (
    ("system", "always that system's patch; without one, an instance is not resolved"),
    ("patched", "instances for which that system has a patch"),
)
_WITHOUT_GAP = (("-", "the random pick is as good as the oracle"),)


def worth(run: RunRecord, figures: Figures, found: Sequence[Reselected]) -> list[RenderableType]:
    """Figures over the instances that are wholly graded, and what is left out."""
    parts: list[RenderableType] = [Heading("by the grades, which no selector sees")]
    if figures.instances:
        names = [f"resolved of {figures.instances}", "share", "gap closed"]
        if figures.systems:
            names.append("patched")
        made = table("chosen by", *names, numbers=",".join(names))
        for name, resolved, answered in _lines(figures):
            gap = figures.gap_closed(resolved)
            made.add_row(
                plain(name),
                f"{resolved:.2f}" if isinstance(resolved, float) else str(resolved),
                f"{resolved / figures.instances:.1%}",
                "-" if gap is None else f"{gap:.0%}",
                *([answered] if figures.systems else []),
            )
        notes = (*_NOTES, *(_OF_SYSTEMS if figures.systems else ()))
        without = _WITHOUT_GAP if figures.gap_closed(figures.oracle) is None else ()
        parts += [made, Text(), legend(*notes, *without)]
    left_out = [one for one in found if one.ungraded]
    if left_out:
        missing = ", ".join(
            f"{one.instance_id} ({one.ungraded} of {len(one.matrix.candidates)})"
            for one in left_out
        )
        said = f"Left out, because candidates have no grade (how many, of how many): {missing}."
        parts.append(plain(said, "yellow"))
        parts.append(plain(f"Grade them: troop grade {run.name} --all-candidates", "dim"))
    return parts


def _lines(figures: Figures) -> Iterator[tuple[str, float, str]]:
    """(name, resolved, how many patches it has), from the run's choices to the oracle."""
    yield "the run", figures.by_run, ""
    for method, count in figures.by_method.items():
        yield method, count, ""
    yield "random pick, expected", float(figures.by_chance), ""
    for system in figures.systems:
        yield f"system {system.name}", _whole(system.resolved), str(system.answered)
    if figures.systems:
        best = figures.systems[0]
        name = f"best system, known in hindsight: {best.name}"
        yield name, _whole(best.resolved), str(best.answered)
    yield "oracle", figures.oracle, ""


def _whole(count: float) -> float:
    """A count of instances, as an integer if it is one."""
    return int(count) if count == int(count) else count


def worth_document(figures: Figures, found: Sequence[Reselected]) -> dict[str, Any]:
    """The same for programs."""
    best = figures.systems[0] if figures.systems else None
    return {
        "instances": figures.instances,
        "left_out": [one.instance_id for one in found if one.ungraded],
        "run": figures.by_run,
        "selected": dict(figures.by_method),
        "random_expected": figures.by_chance,
        "members": [_system(system) for system in figures.systems],
        "best_member": None
        if best is None
        else {"system": best.name, "resolved": best.resolved, "in_hindsight": True},
        "oracle": figures.oracle,
        "gap_closed": {
            "run": figures.gap_closed(figures.by_run),
            **{name: figures.gap_closed(count) for name, count in figures.by_method.items()},
        },
    }


def _system(system: SystemFigures) -> dict[str, Any]:
    return {"system": system.name, "resolved": system.resolved, "with_a_patch": system.answered}
