"""A trajectory, to be read from top to bottom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from agent.model import Finish
from runs.show.layout import Heading, Verbatim
from runs.words import ending, tokens, usd

if TYPE_CHECKING:
    from rich.console import RenderableType

    from runs.store.conversations import StoredConversation, Turn

SHOWN_PREFIX = 600
"""Characters of the shared context that are shown unless all is asked for."""


def trajectory_report(talk: StoredConversation, *, full: bool) -> RenderableType:
    """Prompts, replies and executions in order; `full` shows the shared context too."""
    of = talk.trajectory
    parts: list[RenderableType] = [
        Text.assemble(
            (of.key, "bold"),
            f"  {of.turns} turns, {of.outcome or 'not ended'}\n",
        )
    ]
    if talk.system and full:
        parts += [Heading("system"), Verbatim(talk.system, "dim")]
    if talk.prefix:
        parts += [Heading("context"), Verbatim(_shortened(talk.prefix, full=full), "dim")]
    for turn in talk.turns:
        parts += _turn(turn)
    return Group(*parts)


def _turn(turn: Turn) -> list[RenderableType]:
    record, call = turn.record, turn.record.call
    cost = [
        f"{tokens(call.prompt_tokens)} + {tokens(call.completion_tokens)} tokens",
        usd(call.cost_usd),
        f"{call.duration_s:.1f} s",
    ]
    if call.n > 1:
        cost.append(f"one request for {call.n} replies")
    if record.finish is not Finish.STOP:
        cost.append(record.finish)
    if call.replayed:
        cost.append("replayed")
    title = f"turn {record.number}"
    parts: list[RenderableType] = [
        Heading(f"{title}: Troop", "cyan", left=True),
        Verbatim(turn.prompt, "dim"),
        Heading(f"{title}: {call.model} ({', '.join(cost)})", "green", left=True),
        Verbatim(turn.reply),
    ]
    for seen in turn.executions:
        ran = seen.execution
        heading = f"run {seen.purpose}: {ending(ran)}, {ran.duration_s:.2f} s"
        output = ran.output.rstrip() or "(printed nothing)"
        parts += [Heading(heading, "yellow", left=True), Verbatim(output)]
    return parts


def _shortened(text: str, *, full: bool) -> str:
    if full or len(text) <= SHOWN_PREFIX:
        return text
    left = len(text) - SHOWN_PREFIX
    return f"{text[:SHOWN_PREFIX]}\n[... {left:,} more characters; --full shows them]"
