"""The selector "model": one look at the issue and the diffs, no tests, then a choice.

A baseline for voting and for the selection trajectory (CodeMonkeys, arXiv 2501.14723).
"""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING

from agent.journal import Kind
from agent.outcome import Outcome
from agent.prompting import render
from agent.replies import Unreadable, find_choice, require_whole
from agent.trajectory import Answer
from selection.selectors.asking import LETTERS, ask, chosen, keys, question_digest, unasked
from selection.selectors.protocol import Needs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agent.model import Choice
    from agent.workbench import Workbench
    from selection.candidates import Candidate
    from selection.race import Race
    from selection.selectors.protocol import Ranking, SelectorContext

TURNS = 3
"""How many replies it may take until one can be read."""
SHOWN_CHARS = 120_000
"""The longest diffs in all, in characters: about 35,000 tokens, after a context of 128,000."""


class Judge:
    """See the module; a `Selector`."""

    needs = Needs.MODEL

    def __init__(self, context: SelectorContext) -> None:
        self._context = context

    async def choose(self, race: Race, bench: Workbench) -> Ranking:
        """See `Selector`."""
        matrix = await race.matrix()
        order, options = by_writers(matrix.candidates), shown_to_judge(matrix.candidates)
        alone = unasked(order, options)
        if alone is not None:
            return alone
        context, settings = self._context, self._context.settings
        common = (context.model, settings.temperature, settings.max_tokens)
        digest = question_digest(*common, TURNS, *(c.patch.diff for c in options))
        names = keys(context, Kind.JUDGE, digest)
        task = partial(_task, options)
        ended = await ask(bench, race, Kind.JUDGE, names, task, turns=TURNS, context=context)
        return chosen(ended, options, order)


def by_writers(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """The candidates that most wrote first, then the shorter diff; flagged ones come last.

    Tests do not count.
    """
    return tuple(sorted(candidates, key=lambda c: (bool(c.flags), -c.support, c.size, c.number)))


def shown_to_judge(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """The candidates that one prompt holds, in the order of their letters.

    Flagged candidates are not shown, because a model that is not shown their flags cannot clear
    them. If there are more than there are letters, or more than fit, those that fewer wrote and
    the longer ones are left out. They are ordered by digest, so that the order does not show how
    many wrote each.
    """
    options: list[Candidate] = []
    left = SHOWN_CHARS
    for candidate in by_writers(c for c in candidates if not c.flags):
        if len(options) < len(LETTERS) and candidate.size <= left:
            options.append(candidate)
            left -= candidate.size
    return tuple(sorted(options, key=_digest))


def _task(options: Sequence[Candidate]) -> Answer[str]:
    letters = LETTERS[: len(options)]
    named = [
        {"letter": letter, "diff": candidate.patch.diff.rstrip("\n")}
        for letter, candidate in zip(letters, options, strict=True)
    ]
    reminder = f"<choose>LETTER</choose>, with one of the letters {', '.join(letters)}"

    def read(choice: Choice) -> str:
        letter = find_choice(require_whole(choice), letters)
        if letter is None:
            raise Unreadable("It has no choice.")
        return letter

    prompt = render("judge", candidates=named, reminder=reminder)
    return Answer(prompt, reminder, read, out_of_turns=Outcome.OUT_OF_TURNS)


def _digest(candidate: Candidate) -> str:
    return hashlib.sha256(candidate.patch.diff.encode("utf-8", "surrogatepass")).hexdigest()
