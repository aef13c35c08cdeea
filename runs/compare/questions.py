"""What a stored run's model is asked anew: one trajectory a method and instance, and its answer.

Nothing is asked here. A question's key holds all that its answer depends on, so
what was answered once is read from the database, without a server or an engine.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from string import ascii_uppercase
from typing import TYPE_CHECKING

from agent.journal import Kind, TrajectoryId
from agent.replies import Unreadable, find_choice
from selection.judge import TURNS, by_writers, shown_to_judge
from selection.methods import Ranking
from selection.votes import UNEDITED_ROW, rank

if TYPE_CHECKING:
    from runs.run.config import Config
    from runs.store.conversations import Conversation
    from runs.store.reading import Reader
    from runs.store.records import InstanceRecord
    from runs.store.story import Story
    from selection.candidates import Candidate
    from selection.votes import Matrix, Standing

MODEL = "model"
"""Model choice without tests."""
SELECTION = "selection"
"""The selection trajectory, run anew."""
ASKING = (MODEL, SELECTION)


@dataclass(frozen=True, slots=True)
class Question:
    """One method's question about one instance."""

    method: str
    instance: InstanceRecord
    matrix: Matrix
    options: tuple[Candidate, ...]
    """What is chosen between, in the order of their letters."""
    order: tuple[Candidate, ...]
    """All candidates; its first stands where no answer can be used."""
    trajectory: TrajectoryId
    finalists: tuple[Standing, ...] = ()
    """Of the selection trajectory: the options with their votes."""

    @property
    def instance_id(self) -> str:
        """The instance."""
        return self.instance.instance_id


def pose(method: str, story: Story, config: Config) -> Question:
    """The question that a method that asks a model has about an instance."""
    instance, matrix = story.instance, story.matrix
    settings = config.selection
    common = (config.model.name, settings.temperature, settings.max_tokens)
    if method == MODEL:
        options = shown_to_judge(matrix.candidates)
        key = _digest(*common, TURNS, *(c.patch.diff for c in options))
        trajectory = TrajectoryId(f"judge-{key}", Kind.JUDGE)
        return Question(
            method, instance, matrix, options, by_writers(matrix.candidates), trajectory
        )
    standings = rank(matrix, settings.votes)
    finalists = standings[: settings.finalists]
    options = tuple(standing.candidate for standing in finalists)
    rows = [matrix.row(number) for number in (UNEDITED_ROW, *(c.number for c in options))]
    told = (*(c.patch.diff for c in options), *(t.script.digest for t in matrix.tests), rows)
    key = _digest(*common, settings.turns, config.limits.timeout_s, *told)
    trajectory = TrajectoryId(f"selection-{key}", Kind.SELECTION)
    order = tuple(standing.candidate for standing in standings)
    return Question(method, instance, matrix, options, order, trajectory, finalists)


def answer(reader: Reader, question: Question) -> Ranking | None:
    """What is recorded of a question: a ranking, the choice first; None: ask."""
    if not question.order:
        return Ranking((), "")
    if len(question.options) < 2:  # noqa: PLR2004 - nothing to choose between
        only = len(question.order) == 1
        why = "it is the only candidate" if only else "only one was to be chosen from"
        return _first(question, question.options[0] if question.options else None, why)
    talk = reader.story(question.instance).find(question.trajectory.key)
    outcome = None if talk is None else talk.trajectory.outcome
    if talk is None or outcome is None:
        return None
    letter = _letter(talk, question) if outcome == "done" else None
    if letter is None:
        said = outcome.replace("_", " ")
        return _first(question, None, f"no usable answer ({said}): first by other means")
    shown, total = len(question.options), len(question.order)
    of = f"{shown}" if shown == total else f"{shown} shown of {total}"
    return _first(
        question,
        question.options[ascii_uppercase.index(letter)],
        f"the model chose it among {of}",
    )


def _letter(talk: Conversation, question: Question) -> str | None:
    letters = ascii_uppercase[: len(question.options)]
    try:
        return find_choice(talk.turns[-1].reply, letters) if talk.turns else None
    except Unreadable:
        return None


def _first(question: Question, chosen: Candidate | None, reason: str) -> Ranking:
    if chosen is None:
        return Ranking(question.order, reason)
    others = (c for c in question.order if c.number != chosen.number)
    return Ranking((chosen, *others), reason)


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:12]
