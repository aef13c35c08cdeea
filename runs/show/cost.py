"""What an instance cost, stage by stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from agent.journal import Kind
from runs.show.layout import Heading
from runs.show.legends import legend, table
from runs.words import counted, tokens, usd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from runs.store.records import CallRecord
    from runs.store.story import Story

_STAGES = {
    Kind.RELEVANCE: "asking which files matter",
    Kind.RANKING: "putting these files in order",
    Kind.TESTING: "writing test scripts",
    Kind.EDITING: "writing edits",
    Kind.SELECTION: "writing scripts that tell finalists apart, and choosing",
    Kind.JUDGE: "choosing from the diffs alone",
}


def cost_table(story: Story) -> RenderableType:
    """What each stage took."""
    if not story.calls:
        return Group(Heading("cost"), Text("No model was asked."))
    names = ("calls", "prompt tokens", "of them cached", "reply tokens", "cost")
    made = table("stage", *names, numbers=",".join(names))
    shown = [kind for kind in Kind if any(call.kind is kind for call in story.calls)]
    for kind in shown:
        made.add_row(kind, *_cells([call for call in story.calls if call.kind is kind]))
    made.add_row(Text("all", style="bold"), *_cells(story.calls))
    seconds = sum(execution.duration_s for execution in story.executions)
    ran = counted(len(story.executions), "execution of a script or test file", _EXECUTIONS)
    return Group(
        Heading("cost"),
        made,
        legend(
            *((kind, _STAGES[kind]) for kind in shown if kind in _STAGES),
            ("calls", "requests to the model server; one may bring several replies"),
            ("tokens", "pieces of text, as that server counts them"),
            ("cached", "prompt tokens that the server had from an earlier call"),
            ("cost", "US dollars, by your own or list prices; unknown: no price is known"),
            f"{ran} in a sandbox took {seconds:.1f} s in all.",
            _REPLAYED if any(call.replayed for call in story.calls) else "",
        ),
    )


_EXECUTIONS = "executions of scripts and test files"
_REPLAYED = (
    "Replies came from a recording, so nothing was spent. A live model would have cost this."
)


def _cells(calls: Sequence[CallRecord]) -> list[str]:
    known = [call.cost_usd for call in calls if call.cost_usd is not None]
    cost = usd(sum(known) if known or not calls else None)
    if known and len(known) < len(calls):
        cost += f" + {counted(len(calls) - len(known), 'call')} of unknown price"
    return [
        f"{len(calls):,}",
        tokens(sum(call.prompt_tokens or 0 for call in calls)),
        tokens(sum(call.cached_tokens or 0 for call in calls)),
        tokens(sum(call.completion_tokens or 0 for call in calls)),
        cost,
    ]
