"""Lists: runs, the instances of a run, the trajectories of an instance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from agent.journal import Kind
from runs.show.instance import endings_legend
from runs.show.legends import legend, or_dash, table
from runs.show.support import LEGEND, STYLES
from runs.store.registry import Status
from runs.words import counted, plain, usd

if TYPE_CHECKING:
    from rich.console import RenderableType

    from runs.store.reading import Reader
    from runs.store.records import InstanceRecord, RunRecord
    from runs.store.story import Story

STATUS_STYLE = {
    Status.PATCHED: "green",
    Status.FINISHED: "green",
    Status.FAILED: "red",
    Status.NO_PATCH: "yellow",
}
_COST = ("cost", "US dollars, by your own or list prices; unknown: no price is known")
_DECIDED = {
    "only_candidate": "only candidate",
    "vote": "votes",
    "selection": "model",
    "fallback": "votes, no answer",
}
_DECIDED_LEGEND = (
    ("decided by", "votes: the tests'; model: the selection trajectory, or a judge;"),
    ("", "votes, no answer: the votes, because the model gave no usable answer"),
)


def runs_list(reader: Reader) -> RenderableType:
    """All runs, the latest first."""
    names = ("model", "patched", "supported", "cost")
    numbers = ",".join(names[1:])
    made = table("run", "status", "begun (UTC)", *names, numbers=numbers, fold="model")
    found = reader.runs()
    for run in reversed(found):
        status = run.state
        made.add_row(
            plain(run.name, "bold"),
            Text(status.words, style=STATUS_STYLE.get(status, "")),
            f"{run.created_at:%Y-%m-%d %H:%M}",
            plain(run.model),
            f"{run.patched} of {run.instances}",
            or_dash(_supported(run)),
            usd(run.cost_usd) + (_RECORDED if run.replayed else ""),
        )
    replayed = any(run.replayed for run in found)
    notes = legend(
        ("patched", "instances for which a patch came out, right or wrong"),
        ("supported", "of these, those whose patch the generated tests support"),
        *(_UNKNOWN if any(_supported(run) is None for run in found) else ()),
        _COST,
        *(_REPLAYED if replayed else ()),
        f"Database: {reader.place}",
    )
    return Group(made, Text(), notes)


_UNKNOWN = (("-", "not stored, because an older version of Troop chose the patch"),)
_RECORDED = "*"
_REPLAYED = ((_RECORDED, "replies came from a recording, so nothing was spent"),)


def _supported(run: RunRecord) -> int | None:
    """How many patches are supported; None: it is not stored for any."""
    return None if run.patched and not run.weighed else run.supported


def run_report(reader: Reader, run: RunRecord) -> RenderableType:
    """One run with its instances."""
    made = table(
        "instance", "status", "chosen", "support", "decided by", "cost", "error", fold="error"
    )
    found = reader.instances(run.name)
    for one in found:
        made.add_row(
            plain(one.instance_id),
            Text(one.status.words, style=STATUS_STYLE.get(one.status, "")),
            "-" if one.chosen is None else f"candidate {one.chosen}",
            _support(one),
            _DECIDED.get(one.reason, one.reason),
            usd(one.cost_usd),
            plain(one.error[:80], "red"),
        )
    return Group(
        _run_heading(run),
        made,
        Text(),
        legend(
            ("patched", "a patch came out, right or wrong"),
            *(LEGEND if any(one.support for one in found) else ()),
            *(_UNKNOWN if any(one.patch and one.support is None for one in found) else ()),
            *(_DECIDED_LEGEND if any(one.reason for one in found) else ()),
            _COST,
        ),
    )


def _support(one: InstanceRecord) -> Text:
    if one.support is None:
        return Text("-", style="dim")
    return Text(one.support, style=STYLES[one.support])


def _run_heading(run: RunRecord) -> Text:
    supported = _supported(run)
    known = "" if supported is None else f", {supported} of them supported by tests"
    cost = "cost unknown" if run.cost_usd is None else f"cost {usd(run.cost_usd)}"
    return Text.assemble(
        (run.name, "bold"),
        f"  {run.state.words}: {run.patched} of {counted(run.instances, 'instance')} patched"
        f"{known}; {cost}\nmodel {run.model}, {run.sandbox} sandbox\n",
    )


def trajectories_list(story: Story) -> RenderableType:
    """The trajectories of an instance, in the order of work."""
    made = table("trajectory", "turns", "ended", numbers="turns")
    found = [one for one in story.trajectories if one.kind is not Kind.MATRIX]
    for one in found:
        ended = "not yet" if one.outcome is None else one.outcome.replace("_", " ")
        made.add_row(plain(one.key), str(one.turns), ended)
    notes = legend(
        ("trajectory", "one conversation with the model"),
        ("turns", "the model's replies in it"),
        *endings_legend(one.outcome for one in found if one.outcome is not None),
        f"To read one: troop show {story.run.name} {story.name} TRAJECTORY",
    )
    return Group(made, Text(), notes)
