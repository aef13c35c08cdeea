"""The vote matrix: every test on every candidate and on the unedited code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from runs.show.layout import Heading, Sheet
from runs.show.legends import legend
from runs.show.own_tests import own_tests
from runs.words import listed, plain
from selection.candidates import TestKind
from selection.matrix import Verdict
from selection.votes import uncounted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from runs.store.records import CandidateRecord, TestRecord, VoteRecord
    from runs.store.story import Story
    from runs.store.votes import VoteRow

_SIGNS = {
    Verdict.PASS: ("✔", "green"),
    Verdict.FAIL: ("✘", "red"),
    Verdict.ERROR: ("!", "magenta"),
}
_UNCOUNTED = "-"
_ORDERS = {
    "regression": "votes and repo together",
    "regression-first": "the fewest broken repository tests, then votes",
    "discriminating": "votes",
    "paper": "passed",
}


def vote_matrix(story: Story) -> RenderableType:
    """The matrix of one instance, narrow enough for ten tests in 80 columns."""
    grid, repository = story.vote_grid, any(map(_of_repository, story.tests))
    lone = uncounted(story.matrix)
    table = Sheet("test:", gap=1)
    for test in grid.tests:
        table.column(f"{test.number}{_marks(test)}")
    names = ("votes", *(("repo",) if repository else ()), "passed", "same", "size")
    for place, name in enumerate(names):
        table.column(name if place else f" {name}", justify="right")
    table.column("written by", fold=True)
    for row in grid.rows:
        table.add_row(*_cells(row, lone, repository=repository))
    return Group(Heading("votes"), table, legend(*_legend(story, lone)), *own_tests(story))


def _cells(row: VoteRow, lone: frozenset[tuple[int, int]], *, repository: bool) -> list[Text]:
    signs = [_sign(vote, lone) for vote in row.votes]
    of = row.candidate
    if of is None:
        return [Text("before the edit", style="dim"), *signs]
    counts = [
        of.discriminating_votes,
        *((of.regression_votes,) if repository else ()),
        *(of.paper_votes, of.agreement, of.size),
    ]
    name = Text(row.name, style="bold green" if of.chosen else "")
    return [name, *signs, *(Text(str(count)) for count in counts), plain(_origin(of))]


def _of_repository(test: TestRecord) -> bool:
    return test.kind is TestKind.REGRESSION


def _marks(test: TestRecord) -> str:
    """The marks after a test's number."""
    if _of_repository(test):
        return "r~" if test.flaky else "r"
    if test.flaky:
        return "~"
    return "" if test.discriminates else "*"


def _sign(vote: VoteRecord | None, lone: frozenset[tuple[int, int]]) -> Text:
    if vote is None:
        return Text("")
    sign, style = _SIGNS[vote.verdict]
    mark = _UNCOUNTED if (vote.candidate, vote.test) in lone else str(vote.broken or "")
    return Text(f"{sign}{mark}", style=style)


def _legend(story: Story, lone: frozenset[tuple[int, int]]) -> Iterator[tuple[str, str] | str]:
    repository = any(map(_of_repository, story.tests))
    yield "✔", "pass (exit 0: the issue is fixed)"
    yield "✘", "fail (exit 2: the issue is still there)"
    if any(vote.broken for vote in story.votes):
        yield "✘2", "two tests in this repository test file are broken by the edit"
    yield "!", "no verdict (anything else)"
    if lone:
        what = "a pass without a vote: one sample wrote both test and patch, and no other agrees"
        yield f"✔{_UNCOUNTED}", what
    yield from _marks_explained(story)
    yield "votes", "generated tests that pass with this candidate and did not pass before the edit"
    if repository:
        yield "repo", "repository test files in which no other candidate breaks fewer tests"
    yield "passed", "generated tests that pass, whatever they say before the edit"
    yield (
        "same",
        "how many samples or systems wrote a patch with the same verdict of every test",
    )
    yield "size", "characters of the patch"
    if len(story.candidates) > 1:
        rule = story.run.config.get("selection.votes", "regression")
        order = _ORDERS.get(rule, rule)
        ties = "same, then how many wrote exactly this patch, then size"
        yield f"Order of the candidates: by {order}. If equal: {ties}."


def _marks_explained(story: Story) -> Iterator[tuple[str, str]]:
    marks = "".join(map(_marks, story.tests))
    if "r" in marks:
        yield "r", "a test file of the repository; tests without an r are generated"
    if "*" in marks:
        yield "*", "the test passes before the edit, so it has no vote"
    if "~" in marks:
        yield "~", "the test is flaky: run again, it gave another verdict, so it has no vote"


def _origin(candidate: CandidateRecord) -> str:
    """For example "samples 1, 2 and 6"."""
    numbers = candidate.samples
    samples = f"sample{'' if len(numbers) == 1 else 's'} {listed(numbers)}" if numbers else ""
    return ", ".join(filter(None, [samples, *candidate.systems]))
