"""A trajectory, to be read from top to bottom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from agent.model import Finish
from runs.show.instance import ENDINGS
from runs.show.layout import Heading, Verbatim
from runs.show.screen import as_shown
from runs.words import counted, plain, tokens, usd, verdict_words
from selection.selectors.trajectory import UNEDITED_NAME

if TYPE_CHECKING:
    from rich.console import RenderableType

    from runs.store.conversations import StoredConversation, Turn
    from runs.store.records import SeenExecution

SHOWN_PREFIX = 600
"""How many characters of the context are shown without --full."""
_PURPOSES = {
    "before": "before the edit",
    "after": "after the edit",
    UNEDITED_NAME: "before the edit",
}


def trajectory_report(talk: StoredConversation, *, full: bool, letters: str = "") -> RenderableType:
    """Prompts, replies and executions in order.

    `full` shows the whole context, too; `letters` says which candidate each letter means.
    """
    parts: list[RenderableType] = [_heading(talk)]
    if letters:
        parts.append(plain(letters + "\n"))
    if talk.system and full:
        parts += [Heading("system prompt"), Verbatim(talk.system, "dim")]
    if talk.prefix:
        title = "context: the issue and files that every conversation begins with"
        parts += [Heading(title), Verbatim(_shortened(talk.prefix, full=full), "dim")]
    for turn in talk.turns:
        parts += _turn(turn)
    if talk.trajectory.error:
        title = "unexpected error"
        parts += [Heading(title, "red", left=True), Verbatim(talk.trajectory.error)]
    return Group(*parts)


def _heading(talk: StoredConversation) -> Text:
    of = talk.trajectory
    ended = "it has not ended"
    if of.outcome is not None:
        ended = f"{of.outcome.replace('_', ' ')}: {ENDINGS[of.outcome]}"
    return Text.assemble((of.key, "bold"), f"  {counted(of.turns, 'turn')}, {ended}\n")


def _turn(turn: Turn) -> list[RenderableType]:
    record, call = turn.record, turn.record.call
    cost = [
        f"{tokens(call.prompt_tokens)} prompt tokens",
        f"{tokens(call.completion_tokens)} reply tokens",
        "cost unknown" if call.cost_usd is None else usd(call.cost_usd),
        f"{call.duration_s:.1f} s",
    ]
    if call.n > 1:
        cost.append(f"one call brought {call.n} replies; its whole cost is shown here")
    if record.finish is not Finish.STOP:
        cost.append(f"ended by {record.finish}")
    if call.replayed:
        cost.append("replayed")
    title = f"turn {record.number}"  # from 0, as in the view
    parts: list[RenderableType] = [
        Heading(f"{title}: Troop", "cyan", left=True),
        Verbatim(_unix(turn.prompt), "dim"),
        Heading(f"{title}: {call.model}", "green", left=True),
        plain(", ".join(cost), "dim"),
        Verbatim(_unix(turn.reply)),
    ]
    return [*parts, *(part for seen in turn.executions for part in _execution(seen))]


def _execution(seen: SeenExecution) -> list[RenderableType]:
    ran = seen.execution
    where = _PURPOSES.get(seen.purpose, f"on {seen.purpose}")
    heading = f"script run {where}: {verdict_words(ran)}, {ran.duration_s:.2f} s"
    output = as_shown(ran.output.rstrip()) or "(it printed nothing)"
    return [Heading(heading, "yellow", left=True), Verbatim(output)]


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n")


def _shortened(text: str, *, full: bool) -> str:
    text = _unix(text)
    if full or len(text) <= SHOWN_PREFIX:
        return text
    left = counted(len(text) - SHOWN_PREFIX, "more character")
    return f"{text[:SHOWN_PREFIX]}\n[{left}: --full shows them]"
