"""Tables can be read by somebody who has not read the code, and reports say what they mean."""

from __future__ import annotations

import asyncio
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console, Group
from rich.table import Table

from data.predictions.predictions import Prediction
from runs.compare.reselect import make_selectors, reselect
from runs.run.batch import Outside
from runs.run.config import load_config
from runs.show.choice import shortened
from runs.show.instance import instance_report
from runs.show.lists import run_report, runs_list, trajectories_list
from runs.show.selecting import selection_report
from runs.show.trajectory import trajectory_report
from sandbox.protocol import Limits
from tests.runs.run.test_regression import LINE
from tests.selection.matrices import PURE
from tests.support import scripted_model
from tests.support.model_server import ModelServer
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

pytestmark = pytest.mark.slow

WORDS = Path(__file__).parents[3] / "CONTRIBUTING.md"
WORD = 8
"""Characters of a word that may be broken."""
EVERYDAY = {
    *("method", "chooses", "because", "ended", "model", "error", "status", "begun (UTC)"),
    *("written by", "support"),
}
"""Columns that need no word of ours."""


def diff(new: str) -> str:
    head = "--- a/calc/ops.py\n+++ b/calc/ops.py\n@@ -1,3 +1,3 @@\n def mean(values):\n"
    return f"{head}-{LINE}+{new}\n \n"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """One run of four samples, with a candidate of an outside system."""
    with ModelServer(scripted_model.answer) as server:
        made = World(tmp_path_factory.mktemp("world"), server.base_url)
        given = [Prediction("calc", "system-1", diff("    return 0.0"))]
        asyncio.run(made.solve(job={"outside": Outside({"calc": given}), "name": "first"}))
        yield made


@pytest.fixture
def reader(world):
    with world.reader() as opened:
        yield opened


@pytest.fixture
def story(reader):
    return reader.story(reader.instance("first", None))


def printed(report: RenderableType, width: int = 300) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(report)
    return console.file.getvalue()


def tables(report: RenderableType) -> Iterator[Table]:
    if isinstance(report, Table):
        yield report
    if isinstance(report, Group):
        for part in report.renderables:
            yield from tables(part)


def known_words() -> set[str]:
    """The words of CONTRIBUTING's page, one by one."""
    page = WORDS.read_text().partition("\n## Words\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([a-z, -]+) \|", page, re.MULTILINE)
    return {word.strip() for row in rows for word in row.split(",")}


async def reports(reader, story) -> dict[str, RenderableType]:
    run = reader.run("first")
    selectors = make_selectors(PURE, load_config(None, {"model.name": "mock"}))
    found = await reselect(reader, [story.instance], selectors, Limits())
    return {
        "runs": runs_list(reader),
        "run": run_report(reader, run),
        "instance": instance_report(story),
        "trajectories": trajectories_list(story),
        "select": selection_report(run, found, PURE, None),
    }


async def test_each_column_is_a_word_of_the_page_or_is_explained_below(reader, story):
    known = known_words() | EVERYDAY
    assert {"candidate", "verdict", "patched", "supported"} <= known
    for name, report in (await reports(reader, story)).items():
        shown = list(tables(report))
        explained = {str(cell).strip() for made in shown for cell in list(made.columns[0].cells)}
        for column in (column for made in shown for column in made.columns):
            header = str(column.header).strip()
            if not header or re.match(r"(test:|\d)", header):
                continue
            words = {header, header.rstrip("s"), header.removeprefix("of them ")}
            words |= {header.split(" ")[-1], header.split(" ")[-1].rstrip("s")}
            assert words & (known | explained), f"{name}: {header}"


async def test_nothing_is_left_out_at_80_columns(reader, story):
    for name, report in (await reports(reader, story)).items():
        narrow = printed(report, 80)
        for column in (column for made in tables(report) for column in made.columns):
            for cell in (column.header, *column.cells):
                for word in str(cell).split():
                    assert len(word) > WORD or word in narrow, f"{name}: {word}"


def test_letters_are_replaced_by_candidates_everywhere(story):
    said = f"A is candidate {story.finalists[0]}, B is candidate {story.finalists[1]}"
    report = printed(instance_report(story))
    assert said in report
    assert f"on A, candidate {story.finalists[0]}: exit" in report


def test_samples_and_systems_are_named_as_such(story):
    """Samples are samples, and outside systems are systems."""
    report = printed(instance_report(story))
    assert "system-1" in report
    assert "samples or systems" in report


def test_testing_comes_before_editing_and_selection_last(story):
    keys = [trajectory.key for trajectory in story.trajectories]
    for number in story.numbers:
        assert keys.index(f"sample-{number}/testing") < keys.index(f"sample-{number}/editing")
    assert keys[-1] == "selection"
    listed = printed(trajectories_list(story))
    assert listed.index("sample-1/testing") < listed.index("sample-1/editing")


def test_a_choice_comes_with_its_support(reader, story):
    assert story.evidence.support == story.instance.support == "supported"
    report = printed(instance_report(story))
    assert re.search(r"Supported: it passes \d of \d generated tests? that fails? before", report)
    assert "1 of 1 instance patched, 1 of them supported" in printed(
        run_report(reader, reader.run("first"))
    )
    for once in ("solved", "since ", "alike", "as 1 more"):
        assert once not in report


def test_a_trajectory_says_what_its_executions_mean(story):
    shown = printed(trajectory_report(story.conversation("sample-1/testing"), full=False))
    assert "script run before the edit: exit 2, the issue is still there" in shown
    assert "prompt tokens" in shown


@pytest.mark.parametrize(
    ("count", "left"), [(0, 0), (1, 0), (8, 0), (9, 0), (10, 2), (11, 3), (100, 92)]
)
def test_of_a_long_output_the_beginning_and_the_end_are_shown(count, left):
    lines = [f"line {n}" for n in range(1, count + 1)]
    shown = shortened("\n".join(lines), "troop show last")
    kept = [line for line in shown if not line.startswith("[")]
    assert len(kept) == count - left
    if left:
        assert f"[{left} lines left out; all of them: troop show last]" in shown
        assert kept[0] == lines[0]
        assert kept[-1] == lines[-1]
