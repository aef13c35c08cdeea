"""What the selectors that ask a model share: a choice by letter, asked only once."""

from __future__ import annotations

import hashlib
from string import ascii_uppercase
from typing import TYPE_CHECKING

from agent.conversation import Conversation
from agent.journal import TrajectoryId
from agent.observer import Stage
from agent.outcome import Outcome
from agent.prompting import render
from agent.replies import Unreadable, find_choice
from agent.trajectory import Step, Task, converse
from agent.workbench import NotRecordedError
from selection.selectors.protocol import Ranking, Reason
from selection.selectors.pure import ranking

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.journal import Kind, RecordedEnding
    from agent.workbench import Workbench
    from selection.candidates import Candidate
    from selection.race import Race
    from selection.selectors.protocol import SelectorContext

LETTERS = ascii_uppercase


def keys(context: SelectorContext, kind: Kind, *digests: str) -> tuple[str, ...]:
    """The keys of a trajectory: its kind if a run chooses, its question's digest if asked again.

    Further digests are other keys under which the same question may have been answered. When
    a run gets more samples, its answer is set aside and the question is asked again.
    """
    return tuple(f"{kind}-{each}" for each in digests) if context.anew else (kind.value,)


def unasked(order: Sequence[Candidate], options: Sequence[Candidate]) -> Ranking | None:
    """The ranking if there is nothing to choose between; None: there are several options."""
    if len(options) > 1:
        return None
    only = len(order) == 1
    return ranking(
        order,
        "it is the only candidate" if only else "no other candidate was to be shown to the model",
    )


async def ask(
    bench: Workbench,
    race: Race,
    kind: Kind,
    names: Sequence[str],
    task: Callable[[], Task[Step]],
    *,
    turns: int,
    context: SelectorContext,
) -> RecordedEnding:
    """Run the trajectory to its end, unless it has ended before. Returns how it ended.

    `names`: its `keys`; a new trajectory gets the first.

    Raises:
        ModelError, SandboxError, StoreError, Interrupted.
        NotRecordedError: the bench only recalls, and this was never answered.
    """
    for key in names:
        ended = bench.journal.recall_ending(key)
        if ended is not None:
            return ended
    if bench.only_recalls:
        raise NotRecordedError
    bench.observer.stage(Stage(kind), turns)
    talk = Conversation(
        bench,
        TrajectoryId(names[0], kind),
        model=context.model,
        temperature=context.settings.temperature,
        max_tokens=context.settings.max_tokens,
        system=render("system"),
        prefix=await race.context(),
    )
    await converse(talk, task(), turns=turns)
    ended = bench.journal.recall_ending(names[0])
    assert ended is not None  # noqa: S101 - `converse` has just recorded it
    return ended


def chosen(
    ended: RecordedEnding, options: Sequence[Candidate], order: Sequence[Candidate]
) -> Ranking:
    """The ranking of a trajectory that has ended: its choice first, then the given order."""
    choice = _choice(ended, options)
    if choice is None:
        said = ended.outcome.replace("_", " ")
        reason = f"it is first in the order without a model, which gave no usable answer ({said})"
        return Ranking(tuple(order), reason, Reason.FALLBACK)
    others = (c for c in order if c.number != choice.number)
    shown, total = len(options), len(order)
    among = f"{shown} candidates" + ("" if shown == total else f", those shown to it of {total}")
    return Ranking((choice, *others), f"a model chose it from {among}", Reason.SELECTION)


def _choice(ended: RecordedEnding, options: Sequence[Candidate]) -> Candidate | None:
    if ended.outcome != Outcome.DONE:
        return None
    try:
        letter = find_choice(ended.last_reply, LETTERS[: len(options)])
    except Unreadable:
        return None
    return None if letter is None else options[LETTERS.index(letter)]


def question_digest(*parts: object) -> str:
    """The name of a question: twelve hex digits over everything that its answer depends on."""
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:12]
