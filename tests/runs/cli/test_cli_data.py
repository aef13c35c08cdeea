"""`troop data`, and how `troop run` picks instances."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from data.instances.family import aliases
from runs.cli.shared.flags import dataset_name
from tests.support.command import Command
from tests.support.docker import require_docker
from tests.support.family_rows import GRADE, ROWS

if TYPE_CHECKING:
    from pathlib import Path

ANSI = "\x1b[31m"


@pytest.fixture
def troop(tmp_path: Path) -> Command:
    return Command(tmp_path)


@pytest.fixture
def rows(tmp_path: Path) -> str:
    """Five instances; the last one's text would paint a terminal."""
    file = tmp_path / "rows.jsonl"
    made = [
        {
            **ROWS["gym"],
            "instance_id": f"acme__tool-{number}",
            "problem_statement": f"Issue {number}",
        }
        for number in range(5)
    ]
    made[4]["problem_statement"] = f"{ANSI}red"
    file.write_text("".join(json.dumps(row) + "\n" for row in made))
    return str(file)


def test_data_list_names_every_dataset(troop: Command) -> None:
    output = troop.finish("data", "list")
    for alias in aliases():
        assert f"\n{alias} " in output
    listed = json.loads(troop.finish("data", "list", "--json"))
    assert [each["alias"] for each in listed] == aliases()
    assert listed[1]["also"] == ["princeton-nlp/SWE-bench_Lite"]


def test_what_is_taken_of_a_row(troop: Command, rows: str) -> None:
    output = troop.finish("data", "show", "acme__tool-1", "--dataset", f"gym:{rows}")
    for shown in ("Acme/Tool", "c" * 40, "x86_64.acme_s_tool-1:latest", "/testbed", "Issue 1"):
        assert shown in output
    assert GRADE not in output
    assert ANSI not in troop.finish("data", "show", "acme__tool-4", "--dataset", rows)
    found = json.loads(
        troop.finish("data", "show", "acme__tool-1", "--dataset", rows, "--json"),
    )
    assert found["image"] == "swebench/sweb.eval.x86_64.acme_1776_tool-1:latest"
    assert found["problem_statement"] == "Issue 1"
    assert (found["language"], found["scripts"]) == ("python", "Python")
    assert GRADE not in str(found)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["data"], "WHAT"),
        (["data", "nosuch"], "invalid choice"),
        (["data", "show", "acme__tool-1"], "--dataset"),
        (["data", "show", "acme__tool-9", "--dataset", "ROWS"], "no instance acme__tool-9"),
        (["data", "check", "--dataset", "ROWS", "--slice", "2"], "--slice 2 has no colon"),
        (["data", "check", "--dataset", "nosuch", "--filter", "("], "not a regular expression"),
        (["run", "--dataset", "ROWS", "--filter", "tool"], "leaves none of 5 instances"),
        (["run", "--dataset", "ROWS", "--seed", "3"], "--seed is for --shuffle"),
        (["run", "--dataset", "ROWS", "--exclude", "missing"], "There is no file missing"),
        (["run", "--dataset", "ROWS", "--instances", ", "], "--instances names none"),
        (["run", "--dataset", "ROWS", "--slice=-9:-5"], "--slice -9:-5 leaves none"),
        (["run", "--dataset", "ROWS", "--seed", "x"], "--seed"),
    ],
)
def test_bad_words(troop: Command, rows: str, words: list[str], told: str) -> None:
    code, output, errors = troop.run(*(rows if word == "ROWS" else word for word in words))
    assert (code, output) == (2, "")
    assert told in errors
    assert "Traceback" not in errors


def test_no_engine(troop: Command, rows: str, tmp_path: Path) -> None:
    troop.extra["DOCKER_HOST"] = f"unix://{tmp_path}/none.sock"
    code, _, errors = troop.run("data", "check", "--dataset", rows)
    assert code == 3
    assert "troop doctor" in errors


@pytest.mark.docker
def test_which_images_are_here(troop: Command, rows: str, tmp_path: Path) -> None:
    require_docker()
    exclude = tmp_path / "exclude"
    exclude.write_text("acme__tool-0  # broken\n")
    words = ["data", "check", "--dataset", rows, "--exclude", str(exclude), "--slice", ":2"]
    output = troop.finish(*words)
    assert "2 instances, 2 images: 0 here, 2 to be pulled" in output
    assert "unknown" in output
    names = [f"swebench/sweb.eval.x86_64.acme_1776_tool-{number}:latest" for number in (1, 2)]
    found = json.loads(troop.finish(*words, "--json"))
    assert found == {"instances": 2, "here": {}, "to_pull": names, "without_image": []}
    output = troop.finish("data", "check", "--dataset", f"omnigirl:{rows}")
    assert "5 rows without an image" in output


def test_a_file_is_stored_by_its_whole_path(
    tmp_path: Path, rows: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert dataset_name("rows.jsonl") == rows
    assert dataset_name("gym:rows.jsonl") == f"gym:{rows}"
    assert dataset_name("gym") == "gym"
