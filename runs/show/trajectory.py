"""A trajectory, to be read from top to bottom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from runs.words import ending, plain, tokens, usd

if TYPE_CHECKING:
    from rich.console import RenderableType

    from runs.store.reading import Conversation, Turn

SHOWN_PREFIX = 600
"""Characters of the shared context that are shown unless all is asked for."""


def trajectory_report(talk: Conversation, *, full: bool) -> RenderableType:
    """Prompts, replies and executions in order; `full` shows the shared context too."""
    row = talk.row
    parts: list[RenderableType] = [
        Text.assemble(
            (row["trajectory"], "bold"),
            f"  {row['turns']} turns, {row['outcome'] or 'not ended'}\n",
        )
    ]
    if talk.system and full:
        parts += [Rule("system", style="dim"), plain(talk.system, "dim")]
    if talk.prefix:
        parts += [Rule("context", style="dim"), plain(_shortened(talk.prefix, full=full), "dim")]
    for turn in talk.turns:
        parts += _turn(turn)
    return Group(*parts)


def _turn(turn: Turn) -> list[RenderableType]:
    row = turn.row
    cost = [
        f"{tokens(row['prompt_tokens'])} + {tokens(row['completion_tokens'])} tokens",
        usd(row["cost_usd"]),
        f"{row['duration_s']:.1f} s",
    ]
    if row["n"] > 1:
        cost.append(f"one request for {row['n']} replies")
    if row["finish"] != "stop":
        cost.append(row["finish"])
    if row["replayed"]:
        cost.append("replayed")
    title = f"turn {row['turn']}"
    parts: list[RenderableType] = [
        Rule(f"{title}: Troop", style="cyan", align="left"),
        plain(turn.prompt, "dim"),
        Rule(f"{title}: {row['model']} ({', '.join(cost)})", style="green", align="left"),
        plain(turn.reply),
    ]
    for seen in turn.executions:
        heading = f"run {seen['purpose']}: {ending(seen)}, {seen['duration_s']:.2f} s"
        output = plain(seen["output"].rstrip() or "(printed nothing)")
        parts.append(Panel(output, title=heading, title_align="left", border_style="yellow"))
    return parts


def _shortened(text: str, *, full: bool) -> str:
    if full or len(text) <= SHOWN_PREFIX:
        return text
    left = len(text) - SHOWN_PREFIX
    return f"{text[:SHOWN_PREFIX]}\n[... {left:,} more characters; --full shows them]"
