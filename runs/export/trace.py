"""A reasoning trace to be read: one Markdown file for each instance.

Every step stands there: prompts, replies, what was executed and what it printed,
votes and the choice. What opens many conversations alike (the issue, the files of
the codebase, the task) stands once instead of in each; `--format atif` has every
message to the letter.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agent.journal import Kind
from runs.export.wording import happened, voted, why_chosen
from runs.words import ending

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runs.export.story import Story
    from runs.store.reading import Conversation, Turn

_Shown = dict[str, str]
"""Prompts that stand in the trace already, and where."""
_TICKS = re.compile(r"`{3,}")


def trace(story: Story) -> str:
    """The trace of one instance."""
    return "\n".join(_parts(story)) + "\n"


def _parts(story: Story) -> Iterator[str]:
    instance, shown = story.instance, _Shown()
    yield f"# {story.name}\n"
    yield f"Repository {instance['repo']} at {instance['base_commit']}."
    yield f"Result: {why_chosen(story)}.\n"
    yield f"## The issue\n\n{fenced(story.problem)}\n"
    yield from _reading(story, shown)
    for number in story.numbers:
        yield f"## Sample {number}\n"
        for talk in story.of_sample(number):
            yield from _conversation(talk, "###", shown)
    if story.votes:
        yield f"## Votes\n\nEvery test on every candidate:\n\n{voted(story)}\n"
    for talk in story.of_kind(Kind.SELECTION):
        yield from _conversation(talk, "##", shown)
    yield f"## The patch\n\n{fenced(story.patch, 'diff') if story.patch else 'There is none.'}"


def _reading(story: Story, shown: _Shown) -> Iterator[str]:
    """How the context was made: a line of prompt for each file would say nothing."""
    if read := story.of_kind(Kind.RELEVANCE):
        yield f"## Which files matter\n\nA model read {len(read)} files one by one and said:\n"
        for talk in read:
            yield f"- `{talk.key.removeprefix('relevance/')}`: {_indented(_last(talk))}"
        yield ""
    for talk in story.of_kind(Kind.RANKING):
        yield from _conversation(talk, "##", shown)
    files = "\n".join(f"- `{path}`" for path in story.context) or "None."
    yield "## The context\n\nThese files stood before every conversation from here on:\n"
    yield f"{files}\n"


def _conversation(talk: Conversation, level: str, shown: _Shown) -> Iterator[str]:
    yield f"{level} {talk.row['kind'].capitalize()} ({talk.key}): {happened(talk)}\n"
    for turn in talk.turns:
        yield _prompt(talk, turn, shown)
        yield from _answer(turn)


def _prompt(talk: Conversation, turn: Turn, shown: _Shown) -> str:
    before = " (after the issue and the files)" if talk.prefix and not turn.row["turn"] else ""
    place = shown.setdefault(turn.prompt, talk.key)
    if place != talk.key:
        return f"**Troop**{before}: as in {place}.\n"
    return f"**Troop**{before}:\n\n{fenced(turn.prompt)}\n"


def _answer(turn: Turn) -> Iterator[str]:
    row = turn.row
    if turn.reasoning:
        yield f"**{row['model']}**, thinking:\n\n{fenced(turn.reasoning)}\n"
    yield f"**{row['model']}**:\n\n{fenced(turn.reply)}\n"
    for seen in turn.executions:
        yield (
            f"**Run {seen['purpose']}**: {ending(seen)}, {seen['duration_s']:.2f} s\n\n"
            f"{fenced(seen['output'])}\n"
        )


def fenced(text: str, language: str = "") -> str:
    """`text` as a code block, whatever backticks it holds."""
    longest = max((len(run) for run in _TICKS.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def _last(talk: Conversation) -> str:
    return talk.turns[-1].reply if talk.turns else happened(talk)


def _indented(text: str) -> str:
    """Lines of a list item."""
    return "\n  ".join(text.strip().splitlines())
