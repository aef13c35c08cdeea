"""Figures from grades: resolved, coverage, a random pick, pass@k."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import comb
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from runs.grading.stored import Stored
    from runs.grading.subjects import Subject

STEPS = (1, 2, 3, 5, 10, 20, 50, 100)
"""The values of k for which pass@k is given."""


@dataclass(frozen=True, slots=True)
class Graded:
    """A subject with its grade; None: no grader could grade it."""

    subject: Subject
    grade: Stored | None
    why: str = ""
    """Why there is no grade."""

    @property
    def resolved(self) -> bool | None:
        """The verdict; None: there is none."""
        if not self.subject.diff:
            return False
        return None if self.grade is None else self.grade.resolved


@dataclass(frozen=True, slots=True)
class GradeFigures:
    """Numbers of instances. All but `resolved` count instances whose patches all have verdicts."""

    instances: int
    left_out: tuple[str, ...]
    """Instances with a patch that has no verdict."""
    resolved: Mapping[str, tuple[float, int]]
    """By name (a run's or a model's): instances whose chosen patch is right, and instances where
    all of that name's patches have verdicts. Of several patches for one instance, the share that
    is right counts."""
    coverage: int
    """Instances with at least one right patch."""
    by_chance: float
    """Expected if a random writer is picked for each instance."""
    pass_at: Mapping[int, float] = field(default_factory=dict)
    """pass@k (Chen et al., arXiv 2107.03374, section 2.1), the mean over the instances."""


def figures(found: Iterable[Graded]) -> GradeFigures:
    """Count."""
    groups: dict[str, list[Graded]] = {}
    for each in found:
        groups.setdefault(each.subject.instance_id, []).append(each)
    whole = {k: group for k, group in groups.items() if all(g.resolved is not None for g in group)}
    tallies = [_tally(group) for group in whole.values()]
    least = min((n for n, _ in tallies), default=0)
    count = len(whole)
    return GradeFigures(
        count,
        tuple(name for name in groups if name not in whole),
        _by_name(groups.values()),
        sum(right > 0 for _, right in tallies),
        sum(right / n for n, right in tallies if n),
        {k: sum(pass_at(n, c, k) for n, c in tallies) / count for k in STEPS if k <= least},
    )


def pass_at(n: int, right: int, k: int) -> float:
    """The chance that of k patches, drawn from n with `right` right ones, at least one is right."""
    return 1.0 - comb(n - right, k) / comb(n, k)


def _tally(group: list[Graded]) -> tuple[int, int]:
    """How many writers there are, with or without a patch, and how many wrote a right one."""
    writers = sum(each.subject.writers for each in group)
    return writers, sum(each.subject.writers for each in group if each.resolved)


def _by_name(groups: Iterable[list[Graded]]) -> dict[str, tuple[float, int]]:
    found: dict[str, tuple[float, int]] = {}
    for group in groups:
        said: dict[str, list[bool | None]] = {}
        for each in group:
            if each.subject.chosen:
                said.setdefault(each.subject.name, []).append(each.resolved)
        for name, verdicts in said.items():
            if None not in verdicts:
                right, of = found.get(name, (0, 0))
                found[name] = right + sum(map(bool, verdicts)) / len(verdicts), of + 1
    return found
