"""Several systems' files: each system keeps a name of its own."""

import json

import pytest

from data.errors import UsageError
from data.predictions.systems import read_systems


def write(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def row(name="", patch="diff", instance="a__b-1"):
    named = {"model_name_or_path": name} if name else {}
    return {"instance_id": instance, "model_patch": patch, **named}


def names(paths, instance="a__b-1"):
    return [one.model_name_or_path for one in read_systems(paths)[instance]]


def test_rows_name_their_systems_without_spaces(tmp_path):
    file = write(tmp_path / "x.jsonl", row("GPT  4 (high)", "1"), row("other", "2"))
    assert names([file]) == ["GPT_4_(high)", "other"]


def test_a_shared_name_is_told_apart_by_the_files(tmp_path):
    files = [write(tmp_path / f"run-{n}.jsonl", row("agent", str(n))) for n in (1, 2)]
    assert names(files) == ["agent@run-1", "agent@run-2"]


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path):
    files = [
        write(tmp_path / folder / "verified" / "all_preds.jsonl", row("agent", folder))
        for folder in ("first", "second")
    ]
    assert names(files) == ["agent@first/verified/all_preds", "agent@second/verified/all_preds"]


def test_files_without_names_are_called_as_they_are(tmp_path):
    files = [write(tmp_path / folder / "preds.jsonl", row(patch=folder)) for folder in "ab"]
    assert names(files[:1]) == ["preds"]
    assert names(files) == ["a/preds", "b/preds"]
    other = write(tmp_path / "a" / "preds.json", row(patch="x"))
    assert sorted(names([files[0], other])) == ["preds.json", "preds.jsonl"]


def test_the_same_twice_is_one_vote_and_damaged_rows_are_left_out(tmp_path):
    notes: list[str] = []
    good = [row("m", "1"), row("m", "1"), row("m", "2"), row("m", "3", "c__d-2")]
    file = write(tmp_path / "x.jsonl", *good, row("m", ""), {"model_patch": "y"})
    file.write_text(file.read_text() + '{"instance_id": "a__b-1", "model_pa')
    found = read_systems([file], notes=notes)
    assert [one.model_patch for one in found["a__b-1"]] == ["1", "2"]
    assert [one.model_patch for one in found["c__d-2"]] == ["3"]
    said = "\n".join(notes)
    for part in ("has the same patch twice", "is empty", "is it cut off?", "left out"):
        assert part in said


def test_a_file_given_twice_is_refused(tmp_path):
    file = write(tmp_path / "x.jsonl", row("m"))
    with pytest.raises(UsageError, match="given twice"):
        read_systems([file, tmp_path / "." / "x.jsonl"])
