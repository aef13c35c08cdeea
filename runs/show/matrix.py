"""The vote matrix: every test on every candidate and on the unedited code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from runs.words import plain
from selection.candidates import TestKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from runs.store.reading import Reader, Row

_SIGNS = {"pass": ("✔", "green"), "fail": ("✘", "red"), "error": ("!", "magenta")}
LEGEND = (
    "one column a test: ✔ exit 0, fixed   ✘ exit 2, the issue is there   ! anything else\n"
    "votes: tests passed that do not pass before the edit   paper: all tests passed\n"
    "alike: samples whose patch all tests see alike   size: characters of the diff"
)
_OLD = (
    "r: the repository's own tests, ✘ with how many of those that passed before are broken\n"
    "old: files of these of which no other candidate breaks less"
)


def vote_matrix(reader: Reader, instance: Row) -> RenderableType:
    """The matrix of one instance, narrow enough for ten tests in 80 columns."""
    where = {"run": instance["run"], "instance_id": instance["instance_id"]}
    tests = sorted(reader.view("tests", **where), key=lambda row: row["test"])
    votes = {(v["candidate"], v["test"]): v for v in reader.view("votes", **where)}
    candidates = sorted(reader.view("candidates", **where), key=lambda row: row["place"])
    counts = {"votes": "discriminating_votes", "paper": "paper_votes"}
    if any(_is_old(test) for test in tests):
        counts["old"] = "regression_votes"
    counts |= {"alike": "agreement", "size": "size"}
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("tests:", no_wrap=True)
    for test in tests:
        table.add_column(f"{test['test']}{_marks(test)}", no_wrap=True)
    for place, name in enumerate(counts):
        table.add_column(name if place else f" {name}", justify="right", no_wrap=True)
    table.add_column("from", overflow="fold")
    table.add_row(Text("unedited", style="dim"), *(_sign(votes[0, t["test"]]) for t in tests))
    for row in candidates:
        table.add_row(
            Text(f"candidate {row['candidate']}", style="bold green" if row["chosen"] else ""),
            *(_sign(votes[row["candidate"], test["test"]]) for test in tests),
            *(str(row[column]) for column in counts.values()),
            plain(_origin(row)),
        )
    files = reader.view("regression_files", **where)
    legend = Text("\n".join(_legend(tests)), style="dim")
    return Group(Rule("votes", style="dim"), table, legend, *_files(files))


def _is_old(test: Row) -> bool:
    return bool(test["kind"] == TestKind.REGRESSION)


def _marks(test: Row) -> str:
    """What stands behind a test's number."""
    if _is_old(test):
        return "r~" if test["flaky"] else "r"
    if test["flaky"]:
        return "~"
    return "" if test["discriminates"] else "*"


def _legend(tests: Sequence[Row]) -> list[str]:
    lines = [LEGEND]
    if any(map(_is_old, tests)):
        lines.append(_OLD)
    if any(_marks(test) == "*" for test in tests):
        lines.append("*: passes on the unedited code")
    if any(test["flaky"] for test in tests):
        lines.append("~: flaky, it says something else when it is run again: no vote")
    return lines


def _files(files: Sequence[Row]) -> list[Text]:
    """The repository's own test files, by the columns that they are in, and those left out."""
    lines = []
    for row in sorted(files, key=lambda row: (row["test"] is None, row["test"] or row["place"])):
        if row["test"] is None:
            lines.append(plain(f"left out: {row['path']}: {row['reason']}", "dim"))
        else:
            count = "" if row["passing"] is None else f", {row['passing']} tests"
            lines.append(plain(f"{row['test']}r: {row['path']}{count}", "dim"))
    return lines


def _sign(vote: Row) -> Text:
    sign, style = _SIGNS[vote["verdict"]]
    return Text(f"{sign}{vote['broken'] or ''}", style=style)


def _origin(row: Row) -> str:
    """For example "samples 1, 2, 6"."""
    numbers = row["samples"].split()
    samples = f"sample{'' if len(numbers) == 1 else 's'} {', '.join(numbers)}" if numbers else ""
    return ", ".join(filter(None, [samples, row["sources"]]))
