"""Selection once more, over a stored run: what each method would choose, and what that is worth.

Nothing is generated here and nothing is executed: rankings of methods that ask
a model come in from `runs/compare/reselect_asked.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from runs.compare.figures import ORACLE, by_oracle
from selection.methods import rank_by

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runs.compare.grades import Grades
    from runs.store.reading import Reader
    from runs.store.records import InstanceRecord
    from selection.candidates import Candidate
    from selection.methods import Ranking
    from selection.votes import Matrix


@dataclass(frozen=True, slots=True)
class Reselected:
    """One instance with the choices of all methods that were asked for."""

    instance_id: str
    matrix: Matrix
    chosen: int | None
    """The number of the candidate that the run chose; None: there was none."""
    reason: str
    """Why the run chose it, as the view `instances` has it."""
    rankings: Mapping[str, Ranking]
    """By method."""
    grades: Mapping[int, bool] | None = None
    """Resolved or not, by candidate number; None where no grades were given."""

    def choice(self, method: str) -> Candidate | None:
        """What a method chooses."""
        ranked = self.rankings[method].candidates
        return ranked[0] if ranked else None

    def agrees(self, method: str) -> bool:
        """Whether a method chooses what the run chose."""
        choice = self.choice(method)
        return choice is not None and choice.number == self.chosen

    @property
    def ungraded(self) -> int:
        """How many candidates have no grade."""
        return len(self.matrix.candidates) - len(self.grades or ())


def ended(instances: Iterable[InstanceRecord]) -> list[InstanceRecord]:
    """The instances that came to their end."""
    return [one for one in instances if one.status.final]


def reselect(
    reader: Reader,
    instances: Iterable[InstanceRecord],
    methods: Sequence[str],
    *,
    seed: int,
    asked: Mapping[tuple[str, str], Ranking] = MappingProxyType({}),
) -> list[Reselected]:
    """Run the methods over instances that came to their end (`ended`).

    Args:
        reader: the database.
        instances: what is chosen for.
        methods: names; the oracle's ranking comes with the grades.
        seed: of the method `random`.
        asked: what methods that ask a model said, by method and instance.

    Raises:
        UsageError: there is no such method.
        StoreError: the database fails or is damaged.
    """
    found = []
    for instance in instances:
        name, matrix = instance.instance_id, reader.story(instance).matrix
        rankings = {
            method: asked.get((method, name))
            or rank_by(method, matrix, instance_id=name, seed=seed)
            for method in methods
            if method != ORACLE
        }
        found.append(Reselected(name, matrix, instance.chosen, instance.reason, rankings))
    return found


def graded(
    found: Iterable[Reselected], grades: Grades, *, oracle: bool = False
) -> list[Reselected]:
    """The same choices, made before, with what the grades say; `oracle` adds its ranking."""
    given = [replace(one, grades=grades.of(one.instance_id, one.matrix)) for one in found]
    if not oracle:
        return given
    return [replace(one, rankings={**one.rankings, ORACLE: by_oracle(one)}) for one in given]
