"""Every dataset of the family: what is taken of its rows, and that the grade never is."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from data.errors import UsageError
from data.instances.family import ACTIVATE, FAMILY, GENERIC, aliases, find, recognised, split_source
from data.instances.instance import Environment, Instance
from data.instances.loaders import load_instances
from tests.support.family_rows import COMMIT, GRADE, ROWS

if TYPE_CHECKING:
    from pathlib import Path

SWE_BENCH = "swebench/sweb.eval.x86_64.acme_1776_tool-7:latest"
LIVE = "starryzhang/sweb.eval.x86_64"
TESTBED = ("/testbed", ACTIVATE)
EXPECTED: dict[str, tuple[str | None, tuple[str, str], str]] = {
    "full": (SWE_BENCH, TESTBED, "python"),
    "lite": (SWE_BENCH, TESTBED, "python"),
    "verified": (SWE_BENCH, TESTBED, "python"),
    "multilingual": (SWE_BENCH, TESTBED, ""),
    "multimodal": (SWE_BENCH, TESTBED, "javascript"),
    "pro": ("jefzda/sweap-images:acme.tool-abc", ("/app", ""), "go"),
    "live": (f"{LIVE}.acme_1776_tool-7:latest", TESTBED, "python"),
    "live-multilang": (f"{LIVE}.own", TESTBED, ""),
    "rebench": ("swerebench/sweb.eval.x86_64.acme_1776_tool-7:latest", TESTBED, "python"),
    "rebench-v2": ("docker.io/swerebenchv2/acme-tool:7-abc", ("/Tool", ""), "javascript"),
    "multi-swe": ("mswebench/acme_m_tool:pr-7", ("/home/Tool", ""), "rust"),
    "smith": ("jyangballin/swesmith.x86_64.acme_1776_tool.abc", TESTBED, "python"),
    "gym": ("xingyaoww/sweb.eval.x86_64.acme_s_tool-7:latest", TESTBED, "python"),
    "fficiency": ("ghcr.io/swefficiency/swefficiency-images:Acme__Tool-7", TESTBED, "python"),
    "omnigirl": (None, TESTBED, "typescript"),
}
ISSUES = {
    "pro": "It breaks.\n\nRequirements:\n- must not\n\nNew interfaces introduced:\nf(x)",
    "rebench-v2": "It breaks.\n\nNew interfaces introduced:\ng()",
    "multi-swe": "It breaks.\nAlways.\n\nAgain",
}


def jsonl(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def parquet(path: Path, *rows: dict[str, object]) -> Path:
    """Through the real library, by way of its own JSON reader, as a person would make it."""
    import datasets

    source = str(jsonl(path.with_suffix(".source.jsonl"), *rows))
    table = datasets.Dataset.from_json(source, cache_dir=str(path.parent / "cache"))
    table.to_parquet(path)
    return path


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
@pytest.mark.parametrize("alias", aliases())
def test_what_is_taken_and_that_the_grade_is_not(tmp_path: Path, alias: str, form: str) -> None:
    write = jsonl if form == "jsonl" else parquet
    path = write(tmp_path / f"rows.{form}", ROWS[alias])
    assert GRADE in json.dumps(ROWS[alias])
    (instance,) = load_instances(f"{alias}:{path}")
    image, (folder, activate), language = EXPECTED[alias]
    row = ROWS[alias]
    smith = alias == "smith"
    assert instance == Instance(
        instance_id=row["instance_id"],
        repo="swesmith/acme__tool.abc" if smith else "Acme/Tool",
        base_commit=row["instance_id"] if smith else COMMIT,
        problem_statement=ISSUES.get(alias, "It breaks."),
        environment=Environment(
            image, folder, activate, None, instance.environment.setup, language
        ),
    )
    assert bool(instance.environment.setup) == smith
    assert GRADE not in repr(instance)


@pytest.mark.parametrize("alias", aliases())
def test_no_column_of_the_grade_is_read(alias: str) -> None:
    graded = {name for name, value in ROWS[alias].items() if GRADE in json.dumps(value)}
    dataset = find(alias)
    assert dataset
    # Of `base` the commit alone is taken.
    assert dataset.columns & graded <= ({"base"} if alias == "multi-swe" else set())


@pytest.mark.parametrize("alias", ["pro", "rebench-v2", "multi-swe", "smith"])
def test_rows_that_tell_where_they_are_from(tmp_path: Path, alias: str) -> None:
    named = load_instances(f"{alias}:{jsonl(tmp_path / 'rows.jsonl', ROWS[alias])}")
    assert recognised(ROWS[alias]) is find(alias)
    assert load_instances(str(tmp_path / "rows.jsonl")) == named
    assert load_instances(str(parquet(tmp_path / "rows.parquet", ROWS[alias]))) == named


def test_rows_that_do_not_tell() -> None:
    for alias in ("full", "gym", "live", "rebench", "omnigirl"):
        assert recognised(ROWS[alias]) is GENERIC
    first = {**ROWS["rebench"], "image_name": "swerebench/sweb.eval.x86_64.acme_1776_tool-7"}
    assert recognised(first) is GENERIC


def test_the_table() -> None:
    assert set(ROWS) == set(EXPECTED) == set(aliases())
    names = [name.lower() for each in FAMILY for name in (each.alias, each.hub, *each.also)]
    assert len(set(names)) == len(names)
    assert find("princeton-nlp/SWE-bench_Lite") is find("LITE")
    assert find("swe-gym/swe-gym") is find("gym")


@pytest.mark.parametrize(
    ("source", "alias", "place"),
    [
        ("gym:rows.jsonl", "gym", "rows.jsonl"),
        ("Gym:/a:b.jsonl", "gym", "/a:b.jsonl"),
        ("nosuch:rows.jsonl", None, "nosuch:rows.jsonl"),
        ("gym:", None, "gym:"),
        ("gym", None, "gym"),
    ],
)
def test_naming_the_shape_of_a_file(source: str, alias: str | None, place: str) -> None:
    assert split_source(source) == (find(alias) if alias else None, place)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"base": "main"}, "base must be an object, not text"),
        ({"base": {"ref": "main"}}, "base: sha is missing"),
        ({"number": None}, "number is null"),
        ({"number": True}, "number must be text, not true or false"),
        ({"resolved_issues": []}, "resolved_issues is empty"),
        ({"resolved_issues": [{"title": " ", "body": None}]}, "resolved_issues is empty"),
        ({"resolved_issues": ["text"]}, "resolved_issues holds text, not an object"),
        ({"resolved_issues": [{"title": 3}]}, "title must be text, not a number"),
        ({"org": "../up"}, "instance_id .* cannot name a folder"),
    ],
)
def test_a_row_of_another_shape_that_does_not_fit(
    tmp_path: Path, change: dict[str, object], complaint: str
) -> None:
    path = jsonl(tmp_path / "rows.jsonl", {**ROWS["multi-swe"], **change})
    with pytest.raises(UsageError, match=f"row 1.*{complaint}"):
        load_instances(f"multi-swe:{path}")


def test_a_file_of_another_dataset(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "rows.jsonl", ROWS["full"])
    with pytest.raises(UsageError, match="lacks org, number, base, resolved_issues") as caught:
        load_instances(f"multi-swe:{path}")
    assert "as in Multi-SWE-bench" in caught.value.hint


def test_rows_without_an_issue(tmp_path: Path) -> None:
    bare = {**ROWS["smith"], "instance_id": "bare", "problem_statement": ""}
    path = jsonl(tmp_path / "rows.jsonl", bare, ROWS["smith"])
    assert [each.instance_id for each in load_instances(f"smith:{path}")] == [
        ROWS["smith"]["instance_id"]
    ]


def test_an_image_made_for_a_row_needs_no_setup(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "rows.jsonl", {**ROWS["smith"], "image": "mine:1"})
    (instance,) = load_instances(f"smith:{path}")
    assert (instance.environment.image, instance.environment.setup) == ("mine:1", "")


def git(folder: Path, *words: str) -> str:
    name = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    done = subprocess.run(
        ["git", *name, *words], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_bug_of_smith_is_laid_without_what_tells_the_fix(tmp_path: Path) -> None:
    """The setup in a repository as SWE-smith's images have it, with its mirror near by."""
    mirror = tmp_path / "mirrors" / ROWS["smith"]["repo"]
    mirror.mkdir(parents=True)
    git(mirror, "init", "-q", "-b", "main")
    (mirror / "code.py").write_text("right\n")
    (mirror / "test_code.py").write_text("hidden\n")
    git(mirror, "add", ".")
    git(mirror, "commit", "-qm", "release")
    checkout = tmp_path / "testbed"
    git(tmp_path, "clone", "-q", str(mirror), str(checkout))
    (checkout / "built.so").write_text("built")
    git(mirror, "checkout", "-qb", ROWS["smith"]["instance_id"])
    (mirror / "code.py").write_text("wrong\n")
    git(mirror, "commit", "-qam", "bug")
    git(mirror, "rm", "-q", "test_code.py")
    git(mirror, "commit", "-qm", "remove tests")
    (instance,) = load_instances(f"smith:{jsonl(tmp_path / 'rows.jsonl', ROWS['smith'])}")
    redirect = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{tmp_path}/mirrors/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/",
    }
    subprocess.run(
        ["sh", "-ec", instance.environment.setup],
        cwd=checkout,
        env={**os.environ, **redirect},
        check=True,
    )
    assert (checkout / "code.py").read_text() == "wrong\n"
    assert sorted(path.name for path in checkout.iterdir()) == [".git", "built.so", "code.py"]
    assert git(checkout, "rev-list", "--all", "--reflog", "--count") == "1"
    assert git(checkout, "remote") == ""
    objects = git(checkout, "cat-file", "--batch-all-objects", "--batch-check")
    assert len(objects.splitlines()) == 3  # commit, tree, the file with the bug
