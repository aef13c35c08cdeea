"""Lists: runs, the instances of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from runs.store.registry import Status
from runs.words import plain, usd
from sandbox.owner import is_dead, this_process

if TYPE_CHECKING:
    from rich.console import RenderableType

    from runs.store.reading import Reader, Row

STATUS_STYLE = {"solved": "green", "finished": "green", "failed": "red", "unsolved": "yellow"}


def runs_list(reader: Reader) -> RenderableType:
    """All runs, the latest first."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("run", overflow="fold", no_wrap=False, min_width=12)
    for column in ("status", "begun (UTC)", "model", "instances", "with a patch", "cost"):
        table.add_column(column, overflow="ellipsis")
    for row in sorted(reader.view("runs"), key=lambda row: row["created_at"], reverse=True):
        status = _status(row)
        table.add_row(
            plain(row["run"], "bold"),
            Text(status, style=STATUS_STYLE.get(status, "")),
            str(row["created_at"])[:16],
            plain(row["model"] + (" (replayed)" if row["replayed"] else "")),
            str(row["instances"]),
            str(row["solved"]),
            usd(row["cost_usd"]),
        )
    return Group(table, plain(f"\ndatabase: {reader.place}", "dim"))


def _status(run: Row) -> str:
    """The run's status; one that was killed still says "running" in the database."""
    owner, _, place = run["owner"].partition(" ")
    if run["status"] == Status.RUNNING and is_dead(owner, place, this_process()):
        return Status.INTERRUPTED
    return str(run["status"])


def run_report(reader: Reader, run: Row) -> RenderableType:
    """One run with its instances."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("instance", "status", "chosen", "why", "cost", "error"):
        table.add_column(column, overflow="fold")
    for row in reader.view("instances", run=run["run"]):
        table.add_row(
            plain(row["instance_id"]),
            Text(row["status"], style=STATUS_STYLE.get(row["status"], "")),
            "-" if row["chosen"] is None else f"candidate {row['chosen']}",
            row["reason"].replace("_", " "),
            usd(row["cost_usd"]),
            plain(row["error"][:80], "red"),
        )
    heading = Text.assemble(
        (run["run"], "bold"),
        f"  {_status(run)}, {run['solved']} of {run['instances']} with a patch,"
        f" {usd(run['cost_usd'])}, model {run['model']}, {run['sandbox']} sandbox\n",
    )
    return Group(heading, table)


def trajectories_list(reader: Reader, instance: Row) -> RenderableType:
    """The trajectories of an instance."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("trajectory", "turns", "ended"):
        table.add_column(column)
    where = {"run": instance["run"], "instance_id": instance["instance_id"]}
    rows = reader.view("trajectories", **where)
    for row in sorted(rows, key=lambda row: (row["sample"] or 0, row["kind"] != "testing")):
        ended = (row["outcome"] or "").replace("_", " ")
        table.add_row(plain(row["trajectory"]), str(row["turns"]), ended)
    return table
