"""Lists: runs, the instances of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from agent.journal import Kind
from runs.show.layout import Sheet
from runs.store.registry import Status
from runs.words import plain, usd

if TYPE_CHECKING:
    from rich.console import RenderableType

    from runs.store.reading import Reader
    from runs.store.records import RunRecord
    from runs.store.story import Story

STATUS_STYLE = {
    Status.SOLVED: "green",
    Status.FINISHED: "green",
    Status.FAILED: "red",
    Status.UNSOLVED: "yellow",
}


def runs_list(reader: Reader) -> RenderableType:
    """All runs, the latest first."""
    table = Sheet("run")
    for column in ("status", "begun (UTC)", "model", "instances", "with a patch", "cost"):
        table.column(column, fold=column == "model")
    for run in reversed(reader.runs()):
        status = run.state
        table.add_row(
            plain(run.name, "bold"),
            Text(status, style=STATUS_STYLE.get(status, "")),
            f"{run.created_at:%Y-%m-%d %H:%M}",
            plain(run.model + (" (replayed)" if run.replayed else "")),
            str(run.instances),
            str(run.solved),
            usd(run.cost_usd),
        )
    return Group(table, plain(f"\ndatabase: {reader.place}", "dim"))


def run_report(reader: Reader, run: RunRecord) -> RenderableType:
    """One run with its instances."""
    table = Sheet()
    for column in ("instance", "status", "chosen", "why", "cost", "error"):
        table.column(column, fold=column in {"why", "error"})
    for one in reader.instances(run.name):
        table.add_row(
            plain(one.instance_id),
            Text(one.status, style=STATUS_STYLE.get(one.status, "")),
            "-" if one.chosen is None else f"candidate {one.chosen}",
            one.reason.replace("_", " "),
            usd(one.cost_usd),
            plain(one.error[:80], "red"),
        )
    heading = Text.assemble(
        (run.name, "bold"),
        f"  {run.state}, {run.solved} of {run.instances} with a patch,"
        f" {usd(run.cost_usd)}, model {run.model}, {run.sandbox} sandbox\n",
    )
    return Group(heading, table)


def trajectories_list(story: Story) -> RenderableType:
    """The trajectories of an instance."""
    table = Sheet("trajectory", "turns", "ended")
    order = sorted(story.trajectories, key=lambda t: (t.sample or 0, t.kind is not Kind.TESTING))
    for trajectory in order:
        ended = (trajectory.outcome or "").replace("_", " ")
        table.add_row(plain(trajectory.key), str(trajectory.turns), ended)
    return table
