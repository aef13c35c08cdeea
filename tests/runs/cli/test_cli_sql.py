"""`troop sql` as people and programs read it: nothing is left out, whatever the width."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys

import pytest

from runs.cli.main import main
from runs.store.query import ask
from runs.store.views import VIEWS
from tests.runs.store.test_query import holding
from tests.support.command import ROOT

ISSUE = "the first line\n\tthe second, which is longer than a terminal is wide: " + "word " * 40


@pytest.fixture
async def asked(url, capsys, monkeypatch):
    """`troop sql` in this process, at a width: standard output of a command that must succeed."""
    await holding(url, ISSUE, "short")

    def run(*words: str, columns: int | None = None) -> str:
        if columns is None:
            monkeypatch.delenv("COLUMNS", raising=False)
        else:
            monkeypatch.setenv("COLUMNS", str(columns))
        code = main(["sql", *words, "--db", url])
        output, errors = capsys.readouterr()
        assert code == 0, errors
        return output

    return run


@pytest.mark.parametrize("columns", [None, 20, 80, 120, 400])
@pytest.mark.parametrize(
    "name", [view.name for view in VIEWS if view.name in {"runs", "instances"}]
)
def test_every_column_and_value_is_there_at_every_width(asked, url, name, columns):
    output = asked(f"SELECT * FROM {name}", columns=columns)
    result = ask(url, f"SELECT * FROM {name}")
    for column in result.columns:
        assert column in output
    for value in result.rows[0]:
        whole = "NULL" if value is None else str(value)
        assert whole in output or f"{whole[:10]}…" in output  # a digest in a table
    assert f"({len(result.rows)} row" in output


@pytest.mark.parametrize("columns", range(10, 60, 3))
def test_a_table_is_whole_or_has_a_line_for_each_value(asked, columns):
    output = asked("SELECT instance_id, repo, base_commit, status FROM instances", columns=columns)
    for told in ("instance_id", "repo", "base_commit", "status", "i0", "calc", "0" * 40, "waiting"):
        assert told in output
    if "-- row" not in output:
        assert max(map(len, output.splitlines())) <= columns


def test_the_width_of_the_terminal_decides(asked):
    query = "SELECT instance_id, base_commit, status FROM instances"
    assert "-- row 1 of 2" in asked(query, columns=60)
    assert "-- row" not in asked(query, columns=70)
    assert "-- row" not in asked(query)


def test_long_texts_are_printed_as_they_are(asked):
    alone = asked("SELECT content(problem) FROM instances WHERE instance_id = 'i0'", columns=40)
    assert alone == f"{ISSUE}\n"
    beside = asked("SELECT run, content(problem) AS issue FROM instances", columns=40)
    assert f"\n{' ' * len('issue  ')}" in beside  # what follows stands below the first line
    assert ISSUE.splitlines()[1].strip() in beside


async def test_programs_get_the_same_from_both_databases(asked):
    query = (
        "SELECT i.instance_id, replayed, i.cost_usd, content(problem) AS issue, i.created"
        " FROM (SELECT instance_id, run, problem, cost_usd, 1.5 AS created FROM instances) i"
        " JOIN runs r ON r.run = i.run ORDER BY 1"
    )
    rows = [["i0", 0, None, ISSUE, 1.5], ["i1", 0, None, "short", 1.5]]
    lines = asked("--format", "json", query).splitlines()
    assert [list(json.loads(line).values()) for line in lines] == rows
    names, *values = csv.reader(io.StringIO(asked("--format", "csv", query)))
    assert names == ["instance_id", "replayed", "cost_usd", "issue", "created"]
    assert values == [["" if v is None else str(v) for v in row] for row in rows]


@pytest.mark.slow
@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_a_reader_that_stops_reading_is_not_an_error(asked, url, form):
    """As `troop sql … | head -1`."""
    endless = "WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t WHERE x < 50000)"
    words = ["sql", "--db", url, "--format", form, f"{endless} SELECT x, x FROM t"]
    with subprocess.Popen(
        [sys.executable, "-m", "runs", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
    assert (process.returncode, errors) == (0, "")
