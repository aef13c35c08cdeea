"""A readable reasoning trace: one Markdown file for each instance.

It has every step: prompts, replies, what was executed and what it printed, votes and
the choice. What many conversations begin with (the issue, the files of the codebase,
the task) is written once instead of in each; `--format atif` has every message in
full.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, assert_never

from agent.journal import Kind
from runs.export.wording import happened, voted, why_chosen
from runs.words import ending

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runs.store.conversations import StoredConversation, Turn
    from runs.store.story import Story

_Shown = dict[str, str]
"""Prompts that are in the trace already, and where."""
_TICKS = re.compile(r"`{3,}")


def trace(story: Story, patch: str) -> str:
    """The trace of one instance. `patch` is the exported patch."""
    return "\n".join(_parts(story, patch)) + "\n"


def _parts(story: Story, patch: str) -> Iterator[str]:
    instance, shown = story.instance, _Shown()
    yield f"# {story.name}\n"
    yield f"Repository {instance.repo} at {instance.base_commit}."
    yield f"Result: {why_chosen(story)}.\n"
    yield f"## The issue\n\n{fenced(story.issue)}\n"
    for kind in Kind:
        yield from _stage(story, kind, shown)
    yield f"## The patch\n\n{fenced(patch, 'diff') if patch else 'There is none.'}"


def _stage(story: Story, kind: Kind, shown: _Shown) -> Iterator[str]:
    """What happened in the trajectories of a kind."""
    match kind:
        case Kind.RELEVANCE:
            yield from _relevance(story.of_kind(kind))
        case Kind.RANKING:
            yield from _conversations(story.of_kind(kind), "##", shown)
            yield from _context(story)
        case Kind.TESTING:
            for number in story.numbers:
                yield f"## Sample {number}\n"
                yield from _conversations(story.of_sample(number), "###", shown)
        case Kind.EDITING:
            pass  # shown with its sample
        case Kind.MATRIX:
            if story.votes:
                yield f"## Votes\n\nEvery test on every candidate:\n\n{voted(story.vote_grid)}\n"
        case Kind.SELECTION | Kind.JUDGE:
            yield from _conversations(story.of_kind(kind), "##", shown)
        case _:
            assert_never(kind)


def _relevance(talks: list[StoredConversation]) -> Iterator[str]:
    """How the context was made, without the prompt for each file, which would say nothing."""
    if talks:
        yield f"## Which files matter\n\nA model read {len(talks)} files one by one and said:\n"
        for talk in talks:
            yield f"- `{talk.key.removeprefix('relevance/')}`: {_indented(_last(talk))}"
        yield ""


def _context(story: Story) -> Iterator[str]:
    files = "\n".join(f"- `{path}`" for path in story.instance.context_files) or "None."
    yield "## The context\n\nThese files stood before every conversation from here on:\n"
    yield f"{files}\n"


def _conversations(talks: list[StoredConversation], level: str, shown: _Shown) -> Iterator[str]:
    for talk in talks:
        yield f"{level} {talk.kind.capitalize()} ({talk.key}): {happened(talk)}\n"
        for turn in talk.turns:
            yield _prompt(talk, turn, shown)
            yield from _answer(turn)


def _prompt(talk: StoredConversation, turn: Turn, shown: _Shown) -> str:
    first = not turn.record.number
    before = " (after the issue and the files)" if talk.prefix and first else ""
    place = shown.setdefault(turn.prompt, talk.key)
    if place != talk.key:
        return f"**Troop**{before}: as in {place}.\n"
    return f"**Troop**{before}:\n\n{fenced(turn.prompt)}\n"


def _answer(turn: Turn) -> Iterator[str]:
    model = turn.record.call.model
    if turn.reasoning:
        yield f"**{model}**, thinking:\n\n{fenced(turn.reasoning)}\n"
    yield f"**{model}**:\n\n{fenced(turn.reply)}\n"
    for seen in turn.executions:
        ran = seen.execution
        yield (
            f"**Run {seen.purpose}**: {ending(ran)}, {ran.duration_s:.2f} s\n\n"
            f"{fenced(ran.output)}\n"
        )


def fenced(text: str, language: str = "") -> str:
    """`text` as a code block, whatever backticks it holds."""
    longest = max((len(run) for run in _TICKS.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def _last(talk: StoredConversation) -> str:
    return talk.turns[-1].reply if talk.turns else happened(talk)


def _indented(text: str) -> str:
    """Lines of a list item."""
    return "\n  ".join(text.strip().splitlines())
