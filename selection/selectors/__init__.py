"""Selectors: ways to choose between the candidates of a race, by name.

To add one: docs/selectors.md. The oracle is not here, because it looks at the grades, which no
selector sees.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from selection.selectors import likeness, voting
from selection.selectors.chance import by_chance
from selection.selectors.codet import codet
from selection.selectors.judge import Judge
from selection.selectors.protocol import SelectorContext
from selection.selectors.pure import Pure
from selection.selectors.trajectory import SelectionTrajectory
from selection.settings import SelectionSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from selection.selectors.protocol import Needs, Selector

SELECTORS: dict[str, Callable[[SelectorContext], Selector]] = {
    "random": lambda context: Pure(partial(by_chance, seed=context.seed)),
    "shortest": lambda _: Pure(likeness.shortest),
    "agreement": lambda _: Pure(likeness.agreeing),
    "paper": lambda _: Pure(voting.paper),
    "discriminating": lambda _: Pure(voting.discriminating),
    "codet": lambda _: Pure(codet),
    "regression": lambda _: Pure(voting.regression),
    "regression-first": lambda _: Pure(voting.regression_first),
    "model": Judge,
    "selection": SelectionTrajectory,
}
"""The simplest first, those that ask a model last."""


def needs(name: str) -> Needs:
    """What the selector of this name needs."""
    return SELECTORS[name](SelectorContext(SelectionSettings())).needs
