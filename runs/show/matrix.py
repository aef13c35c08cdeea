"""The vote matrix: every test on every candidate and on the unedited code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from runs.show.layout import Heading, Sheet
from runs.words import plain
from selection.candidates import TestKind
from selection.matrix import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from runs.store.records import CandidateRecord, RegressionFileRecord, TestRecord, VoteRecord
    from runs.store.story import Story
    from runs.store.votes import VoteRow

_SIGNS = {
    Verdict.PASS: ("✔", "green"),
    Verdict.FAIL: ("✘", "red"),
    Verdict.ERROR: ("!", "magenta"),
}
LEGEND = (
    "one column a test: ✔ exit 0, fixed   ✘ exit 2, the issue is there   ! anything else\n"
    "votes: tests passed that do not pass before the edit   paper: all tests passed\n"
    "alike: samples whose patch all tests see alike   size: characters of the diff"
)
_OLD = (
    "r: the repository's own tests, ✘ with how many of those that passed before are broken\n"
    "old: files of these of which no other candidate breaks less"
)


def vote_matrix(story: Story) -> RenderableType:
    """The matrix of one instance, narrow enough for ten tests in 80 columns."""
    votes = story.vote_grid
    old = any(map(_is_old, votes.tests))
    table = Sheet("tests:", gap=1)
    for test in votes.tests:
        table.column(f"{test.number}{_marks(test)}")
    for place, name in enumerate(("votes", "paper", *(("old",) if old else ()), "alike", "size")):
        table.column(name if place else f" {name}", justify="right")
    table.column("from", fold=True)
    for row in votes.rows:
        table.add_row(*_cells(row, old=old))
    legend = Text("\n".join(_legend(votes.tests)), style="dim")
    return Group(Heading("votes"), table, legend, *_files(story.regression_files))


def _cells(row: VoteRow, *, old: bool) -> list[Text]:
    signs = [_sign(vote) for vote in row.votes]
    of = row.candidate
    if of is None:
        return [Text(row.name, style="dim"), *signs]
    counts = [
        *(of.discriminating_votes, of.paper_votes),
        *((of.regression_votes,) if old else ()),
        *(of.agreement, of.size),
    ]
    name = Text(row.name, style="bold green" if of.chosen else "")
    return [name, *signs, *(Text(str(count)) for count in counts), plain(_origin(of))]


def _is_old(test: TestRecord) -> bool:
    return test.kind is TestKind.REGRESSION


def _marks(test: TestRecord) -> str:
    """What stands behind a test's number."""
    if _is_old(test):
        return "r~" if test.flaky else "r"
    if test.flaky:
        return "~"
    return "" if test.discriminates else "*"


def _legend(tests: Sequence[TestRecord]) -> list[str]:
    lines = [LEGEND]
    if any(map(_is_old, tests)):
        lines.append(_OLD)
    if any(_marks(test) == "*" for test in tests):
        lines.append("*: passes on the unedited code")
    if any(test.flaky for test in tests):
        lines.append("~: flaky, it says something else when it is run again: no vote")
    return lines


def _files(files: Sequence[RegressionFileRecord]) -> list[Text]:
    """The repository's own test files, by the columns that they are in, and those left out."""
    lines = []
    for file in sorted(files, key=lambda each: (each.test is None, each.test or each.place)):
        if file.test is None:
            lines.append(plain(f"left out: {file.path}: {file.reason}", "dim"))
        else:
            count = "" if file.passing is None else f", {file.passing} tests"
            lines.append(plain(f"{file.test}r: {file.path}{count}", "dim"))
    return lines


def _sign(vote: VoteRecord | None) -> Text:
    if vote is None:
        return Text("")
    sign, style = _SIGNS[vote.verdict]
    return Text(f"{sign}{vote.broken or ''}", style=style)


def _origin(candidate: CandidateRecord) -> str:
    """For example "samples 1, 2, 6"."""
    numbers = [str(number) for number in candidate.samples]
    samples = f"sample{'' if len(numbers) == 1 else 's'} {', '.join(numbers)}" if numbers else ""
    return ", ".join(filter(None, [samples, *candidate.systems]))
