"""Why a candidate was chosen: what decided, what tests say, what the model saw and replied."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.text import Text

from agent.journal import Kind
from runs.show.layout import Heading
from runs.show.screen import as_shown
from runs.show.support import MEANING, STYLES, support_sentence
from runs.words import counted, decided_by, plain, verdict_words
from selection.matrix import Verdict
from selection.selectors.asking import LETTERS
from selection.selectors.judge import shown_to_judge
from selection.selectors.protocol import Reason
from selection.selectors.trajectory import UNEDITED_NAME, option_names
from selection.support import Support

if TYPE_CHECKING:
    from rich.console import RenderableType

    from runs.store.conversations import StoredConversation
    from runs.store.records import SeenExecution
    from runs.store.story import Story

HEAD, TAIL = 3, 5
"""Lines shown of a script's output: the first, and the last, which mostly decide."""
WIDTH = 160
SAID = 600
"""Characters shown of the model's last reply."""


def choice(story: Story) -> list[RenderableType]:
    """Why the patch was chosen, with what the model that chose it saw."""
    instance, evidence = story.instance, story.evidence
    reason = decided_by(instance.reason, story.run.config)
    chosen = (f"candidate {instance.chosen}", "bold green")
    lines: list[RenderableType] = [
        Heading("choice"),
        Text.assemble("Chosen: ", chosen, f", because {reason}."),
    ]
    if evidence is not None:
        lines.append(plain(support_sentence(evidence), STYLES[evidence.support]))
        if evidence.support is Support.SUPPORTED:
            lines.append(plain(MEANING, "dim"))
    broken = _broken(story)
    if broken:
        said = f"It breaks tests of the repository in {broken}: does the issue ask for that?"
        lines.append(plain(said, "yellow"))
    if instance.reason in {Reason.SELECTION, Reason.FALLBACK}:
        lines += _asked(story)
    return lines


def _asked(story: Story) -> list[RenderableType]:
    """What the model that chose was shown, what it ran, and its last reply."""
    lines: list[RenderableType] = []
    for kind in (Kind.SELECTION, Kind.JUDGE):
        talk = story.find(kind)
        if talk is None or not talk.turns:
            continue
        lines.append(Text(letters(story, kind)))
        lines += _scripts(story, talk)
        last = _last_words(story, talk)
        if last:
            lines.append(Padding(Text("Its last reply: ") + plain(last), (0, 0, 0, 2)))
    return lines


def letters(story: Story, key: str) -> str:
    """Which candidate each letter means in the trajectory that chose for the run."""
    if key not in {Kind.SELECTION, Kind.JUDGE} or not story.candidates:
        return ""
    kind = Kind(key)
    pairs = zip(LETTERS, _options(story, kind), strict=False)
    said = ", ".join(f"{letter} is candidate {number}" for letter, number in pairs)
    called = "selection trajectory" if kind is Kind.SELECTION else "judge's trajectory"
    return f"In the {called}, {said}."


def _options(story: Story, kind: Kind) -> tuple[int, ...]:
    """The candidates that a model was shown, in the order of their letters."""
    if kind is Kind.SELECTION:
        return story.finalists
    return tuple(c.number for c in shown_to_judge(story.matrix.candidates))


def _scripts(story: Story, talk: StoredConversation) -> list[RenderableType]:
    numbers = _options(story, talk.kind)
    names = dict(zip(option_names(len(numbers)), numbers, strict=True))
    lines: list[RenderableType] = []
    tried = [turn for turn in talk.turns if turn.executions]
    for number, turn in enumerate(tried, 1):
        lines.append(Text(f"Script {number} of {len(tried)} that it wrote and ran:"))
        executions = sorted(turn.executions, key=_unedited_first)
        lines += [_seen(story, talk, seen, names) for seen in executions]
    return lines


def _unedited_first(seen: SeenExecution) -> tuple[bool, str]:
    return seen.purpose != UNEDITED_NAME, seen.purpose


def _seen(
    story: Story, talk: StoredConversation, seen: SeenExecution, names: dict[str, int]
) -> RenderableType:
    """One execution, with the beginning and the end of its output."""
    ran, name = seen.execution, "before the edit"
    if seen.purpose in names:
        name = f"on {seen.purpose[-1]}, candidate {names[seen.purpose]}"
    text = Text.assemble(f"{name}: ", (verdict_words(ran), "green" if ran.passed else "red"))
    every = f"troop show {story.run.name} {story.name} {talk.key}"
    for line in shortened(as_shown(ran.output), every):
        text.append_text(plain(f"\n  {line}", "dim"))
    return Padding(text, (0, 0, 0, 2))


def shortened(output: str, every: str) -> list[str]:
    """The first and the last lines, and how many are left out; the command `every` shows all."""
    lines = output.strip().splitlines()
    shown = [line if len(line) <= WIDTH else f"{line[:WIDTH]} […]" for line in lines]
    left = len(shown) - HEAD - TAIL
    if left <= 1:  # saying that one line is left out takes a line, too
        return shown
    gap = f"[{counted(left, 'line')} left out; all of them: {every}]"
    return [*shown[:HEAD], gap, *shown[-TAIL:]]


def _last_words(story: Story, talk: StoredConversation) -> str:
    words = re.sub(r"\s*<choose>\s*(\w+)\s*</choose>", r" [chooses \1]", talk.turns[-1].reply)
    words = words.strip()
    if len(words) <= SAID:
        return words
    left = counted(len(words) - SAID, "more character")
    return f"{words[:SAID]} [{left}: troop show {story.run.name} {story.name} {talk.key}]"


def _broken(story: Story) -> str:
    """The repository's own test files that the chosen patch breaks, for example "tests/a.py"."""
    labels = {test.number: test.label for test in story.tests if not test.flaky}
    chosen = (vote for vote in story.votes if vote.candidate == story.instance.chosen)
    broken = (labels.get(vote.test) for vote in chosen if vote.verdict is not Verdict.PASS)
    return ", ".join(filter(None, broken))
