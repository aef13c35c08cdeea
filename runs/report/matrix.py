"""The vote matrix: every test on every candidate and on the unedited code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from runs.report.words import plain

if TYPE_CHECKING:
    from rich.console import RenderableType

    from runs.store.reading import Reader, Row

_SIGNS = {"pass": ("✔", "green"), "fail": ("✘", "red"), "error": ("!", "magenta")}
LEGEND = (
    "one column a test: ✔ exit 0, fixed   ✘ exit 2, the issue is there   ! anything else\n"
    "votes: tests passed that do not pass before the edit   paper: all tests passed\n"
    "alike: samples whose patch all tests see alike   size: characters of the diff"
)


def vote_matrix(reader: Reader, instance: Row) -> RenderableType:
    """The matrix of one instance, narrow enough for ten tests in 80 columns."""
    where = {"run": instance["run"], "instance_id": instance["instance_id"]}
    tests = sorted(reader.view("tests", **where), key=lambda row: row["test"])
    votes = {(v["candidate"], v["test"]): v["verdict"] for v in reader.view("votes", **where)}
    candidates = sorted(reader.view("candidates", **where), key=lambda row: row["place"])
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("tests:", no_wrap=True)
    for test in tests:
        table.add_column(f"{test['test']}{'' if test['discriminates'] else '*'}", no_wrap=True)
    for name in (" votes", "paper", "alike", "size"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("from", overflow="fold")
    unedited = [_sign(votes[0, test["test"]]) for test in tests]
    table.add_row(Text("unedited", style="dim"), *unedited)
    for row in candidates:
        table.add_row(
            Text(f"candidate {row['candidate']}", style="bold green" if row["chosen"] else ""),
            *(_sign(votes[row["candidate"], test["test"]]) for test in tests),
            str(row["discriminating_votes"]),
            str(row["paper_votes"]),
            str(row["agreement"]),
            str(row["size"]),
            plain(_origin(row)),
        )
    legend = LEGEND
    if not all(test["discriminates"] for test in tests):
        legend += "\n*: passes on the unedited code"
    return Group(Rule("votes", style="dim"), table, Text(legend, style="dim"))


def _sign(verdict: str) -> Text:
    sign, style = _SIGNS[verdict]
    return Text(sign, style=style)


def _origin(row: Row) -> str:
    """For example "samples 1, 2, 6"."""
    numbers = row["samples"].split()
    samples = f"sample{'' if len(numbers) == 1 else 's'} {', '.join(numbers)}" if numbers else ""
    return ", ".join(filter(None, [samples, *row["sources"].split()]))
