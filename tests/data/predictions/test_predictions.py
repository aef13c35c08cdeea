"""Predictions in the forms that other tools write and read."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import StoreError, UsageError
from data.predictions.forms import write_multi_swe
from data.predictions.predictions import (
    Prediction,
    read_predictions,
    validate_predictions,
    write_predictions,
)

KIT = Path(__file__).parents[3].parent / "shared/kit/candidates.jsonl"
DIFF = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+é\r\n"


def row(name: str = "a-1", model: str = "m", patch: object = DIFF) -> dict[str, object]:
    return {"instance_id": name, "model_name_or_path": model, "model_patch": patch}


def test_every_form_reads_alike(tmp_path: Path) -> None:
    rows = [row("a-1"), row("b-2")]
    forms = {
        "preds.json": json.dumps({"a-1": rows[0], "b-2": rows[1]}, indent=2),
        "compact.json": json.dumps({"a-1": rows[0], "b-2": rows[1]}),
        "all_preds.jsonl": "".join(json.dumps(one) + "\n" for one in rows),
        "list.json": json.dumps(rows),
        "list.jsonl": json.dumps(rows, indent=1),
    }
    for name, text in forms.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert read_predictions(tmp_path / name) == {
            "a-1": [Prediction("a-1", "m", DIFF)],
            "b-2": [Prediction("b-2", "m", DIFF)],
        }, name


def test_one_prediction_and_plain_patches(tmp_path: Path) -> None:
    path = tmp_path / "system.json"
    path.write_text(json.dumps(row()))
    assert read_predictions(path) == {"a-1": [Prediction("a-1", "m", DIFF)]}
    path.write_text(json.dumps({"a-1": DIFF}))
    assert read_predictions(path) == {"a-1": [Prediction("a-1", "system", DIFF)]}


def test_several_candidates_and_empty_ones(tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    rows = [row(), row(model="n"), row(patch=None), row(patch=" \n"), row()]
    path.write_text("\n".join(map(json.dumps, rows)))
    notes: list[str] = []
    found = read_predictions(path, notes=notes)
    assert [one.model_name_or_path for one in found["a-1"]] == ["m", "n", "m"]
    assert [note.partition(": ")[0].rpartition(", ")[2] for note in notes] == ["line 3", "line 4"]
    assert len(read_predictions(path)["a-1"]) == 3


def test_verdicts_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    path.write_text(json.dumps({**row(), "resolved": True}))
    (found,) = read_predictions(path)["a-1"]
    assert "resolved" not in repr(found)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "is empty"),
        ('{"instance_id": "a", "model_patch": 3}', "row 1: model_patch must be text"),
        ('{"a-1": 3}', "a-1: holds a number, not a prediction"),
        ('{"a-1": {"instance_id": "b", "model_patch": ""}}', "a-1: its instance_id says 'b'"),
        ('[{"model_patch": ""}]', "row 1: instance_id is missing"),
        ('[{"instance_id": 4, "model_patch": ""}]', "row 1: instance_id must be text"),
        ('[{"instance_id": "a"}]', "row 1: lacks model_patch"),
        ('[{"instance_id": "a", "model_patch": "", "x": }]', "line 1: malformed JSON"),
        ('{"instance_id": "a", "model_patch": ""}\n{"instance_id": \n', "line 2: malformed JSON"),
        ("3", "holds a number"),
    ],
)
def test_malformed(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "preds.jsonl"
    path.write_text(content)
    with pytest.raises(UsageError, match=complaint):
        read_predictions(path)


def test_written_files(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    write_predictions(folder, "troop", {"b-2": DIFF.rstrip("\n"), "a-1": ""})
    assert json.loads((folder / "preds.json").read_text()) == {
        "b-2": row("b-2", "troop"),
        "a-1": row("a-1", "troop", ""),
    }
    lines = (folder / "all_preds.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [row("b-2", "troop"), row("a-1", "troop", "")]
    for name in ("preds.json", "all_preds.jsonl"):
        assert validate_predictions(folder / name) == "troop"
        assert read_predictions(folder / name) == {"b-2": [Prediction("b-2", "troop", DIFF)]}


@given(st.dictionaries(st.text("abc-_", min_size=1), st.text()))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, patches: dict[str, str]
) -> None:
    folder = tmp_path_factory.getbasetemp() / "written"
    write_predictions(folder, "troop", patches)
    if not patches:
        return
    expected = {
        name: [Prediction(name, "troop", patch if patch.endswith("\n") else patch + "\n")]
        for name, patch in patches.items()
        if patch.strip()
    }
    assert read_predictions(folder / "preds.json") == expected
    assert read_predictions(folder / "all_preds.jsonl") == expected


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_predictions(tmp_path, "troop", {"a-1": DIFF})
    before = (tmp_path / "preds.json").read_bytes()

    def refuse(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(StoreError, match="No space left"):
        write_predictions(tmp_path, "troop", {"a-1": "other\n"})
    assert (tmp_path / "preds.json").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\0"])
def test_names_that_are_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="not a name for a model"):
        write_predictions(tmp_path, name, {})


def test_a_patch_outside_utf8(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="outside UTF-8"):
        write_predictions(tmp_path, "troop", {"a-1": "\udce9"})


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([], "not 0: no rows"),
        ([row("a"), row("b", "n")], "not 2: m .*, n "),
        ([row("a"), row("a")], "row 2: a is already at .*row 1"),
        ([row("a", patch=None)], "row 1: model_patch must be text, not null"),
        ([row("a", patch="x")], "does not end in a newline"),
        ([row("a", "")], "model_name_or_path is empty"),
    ],
)
def test_what_graders_refuse(tmp_path: Path, rows: list[dict[str, object]], complaint: str) -> None:
    path = tmp_path / "preds.json"
    path.write_text(json.dumps(rows))
    with pytest.raises(UsageError, match=complaint):
        validate_predictions(path)


@pytest.mark.skipif(not KIT.exists(), reason="the kit of real candidates is not here")
def test_real_candidates() -> None:
    notes: list[str] = []
    found = read_predictions(KIT, notes=notes)
    lines = KIT.read_text(encoding="utf-8").splitlines()
    assert sum(map(len, found.values())) + len(notes) == len(lines)


MULTI_SWE_ROW = {"org": "a", "repo": "b", "number": 1, "fix_patch": DIFF}


@pytest.mark.parametrize("lines", [1, 2])
@pytest.mark.parametrize(
    "row",
    [
        MULTI_SWE_ROW,
        {**MULTI_SWE_ROW, "number": "1", "repo": "a/b"},
        {"instance_id": "a__b-1", "test_result": {"git_patch": DIFF}, "history": []},
        {"test_result": {"git_patch": DIFF}, "instance_id": "a__b-1"},
        {"patch": DIFF, "prefix": "x", "instance_id": "a__b-1"},
    ],
)
def test_rows_of_other_benchmarks_and_agents(
    tmp_path: Path, row: dict[str, object], lines: int
) -> None:
    path = tmp_path / "theirs.jsonl"
    path.write_text((json.dumps(row) + "\n") * lines)
    found = read_predictions(path)
    assert [one.model_patch for one in found["a__b-1"]] == [DIFF] * lines


def test_what_is_written_for_multi_swe_bench_is_read_back(tmp_path: Path) -> None:
    write_multi_swe(tmp_path / "m.jsonl", {"a__b-1": "a/b"}, {"a__b-1": DIFF})
    assert read_predictions(tmp_path / "m.jsonl")["a__b-1"][0].model_patch == DIFF


def test_a_number_that_is_none_refuses_its_row_alone(tmp_path: Path) -> None:
    path, notes = tmp_path / "m.jsonl", list[str]()
    rows = [{**MULTI_SWE_ROW, "number": [1]}, MULTI_SWE_ROW]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert list(read_predictions(path, notes=notes)) == ["a__b-1"]
    assert "number must be a number" in notes[0]
