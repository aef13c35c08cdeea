"""What selection is worth on graded instances, compared with chance, single systems, an oracle."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runs.compare.oracle import ORACLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runs.compare.reselect import Reselected
    from selection.candidates import Candidate

_NO_GAP = 1e-9


@dataclass(frozen=True, slots=True)
class SystemFigures:
    """One outside system, over the instances that are counted."""

    name: str
    resolved: float
    """Resolved instances. If it has several patches for one, the share that is right counts."""
    answered: int
    """Instances for which it has a candidate. The others count as not resolved."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What selection is worth on graded instances: numbers of resolved instances.

    Only instances whose candidates all have a grade count. An instance that ended
    without a candidate counts as not resolved.
    """

    instances: int
    by_run: int
    """Resolved by what the run chose."""
    by_method: Mapping[str, int]
    by_chance: float
    """Expected if every writer of a candidate is equally likely to be chosen."""
    systems: tuple[SystemFigures, ...]
    """The outside systems, the one that resolves most first. This is known only in hindsight."""
    oracle: int
    """Instances with at least one right candidate."""

    def gap_closed(self, resolved: float) -> float | None:
        """How far `resolved` is from chance to the oracle, 0 to 1; None: the two are equal."""
        gap = self.oracle - self.by_chance
        return (resolved - self.by_chance) / gap if gap > _NO_GAP else None


def figures(found: Sequence[Reselected], methods: Sequence[str]) -> Figures:
    """Count over the instances whose candidates are all graded."""
    counted = [one for one in found if one.grades is not None and not one.ungraded]
    by_method = dict.fromkeys((m for m in methods if m != ORACLE), 0)
    by_run, oracle, by_chance = 0, 0, 0.0
    for one in counted:
        grades = one.grades or {}
        by_run += one.chosen is not None and grades[one.chosen]
        oracle += any(grades.values())
        by_chance += _expected(one.matrix.candidates, grades)
        for method in by_method:
            choice = one.choice(method)
            by_method[method] += choice is not None and grades[choice.number]
    return Figures(len(counted), by_run, by_method, by_chance, _systems(counted), oracle)


def _systems(counted: Sequence[Reselected]) -> tuple[SystemFigures, ...]:
    resolved: defaultdict[str, float] = defaultdict(float)
    answered: defaultdict[str, int] = defaultdict(int)
    for one in counted:
        said: defaultdict[str, list[bool]] = defaultdict(list)
        for candidate in one.matrix.candidates:
            for system in candidate.sources:
                said[system].append(bool((one.grades or {})[candidate.number]))
        for system, right in said.items():
            resolved[system] += sum(right) / len(right)
            answered[system] += 1
    found = [SystemFigures(name, resolved[name], answered[name]) for name in answered]
    return tuple(sorted(found, key=lambda m: (-m.resolved, m.answered, m.name)))


def _expected(candidates: Sequence[Candidate], grades: Mapping[int, bool]) -> float:
    writers = sum(candidate.support for candidate in candidates)
    right = sum(candidate.support for candidate in candidates if grades[candidate.number])
    return right / writers if writers else 0.0
