"""A file of damaged predictions: each has its verdict, and none stops the others."""

from __future__ import annotations

import json
import resource
from typing import TYPE_CHECKING

import pytest

from data.errors import UsageError
from data.predictions.check import Checked, check_predictions
from data.predictions.predictions import read_predictions
from tests.data.patches.test_repairs import GOOD

if TYPE_CHECKING:
    from pathlib import Path


def row(name: str = "a-1", patch: object = GOOD, **more: object) -> dict[str, object]:
    return {"instance_id": name, "model_name_or_path": "m", "model_patch": patch, **more}


def checked(path: Path, content: bytes | str, known: set[str] | None = None) -> list[Checked]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(check_predictions(path, known=known))


@pytest.mark.parametrize(
    ("damaged", "verdict", "note"),
    [
        (json.dumps(row("b", None)), "repaired", "null"),
        (json.dumps(row("b", "")), "accepted", "empty"),
        (json.dumps({"instance_id": "b"}), "refused", "lacks model_patch"),
        (json.dumps({"instance_id": "b", "patch": GOOD}), "repaired", "another column"),
        (json.dumps(row("b", 3)), "refused", "must be text"),
        (json.dumps(row()), "repaired", "left out: line 1 has the same"),
        (json.dumps(row(patch=GOOD + "\n")), "accepted", "line 1 has another"),
        (json.dumps(row("b", "prose")), "refused", "no diff"),
        (json.dumps(row("b\n/c")), "refused", "is not an id"),
        (json.dumps(row("A-1 ")), "repaired", "took A-1 as a-1"),
        (json.dumps(row("a-2")), "refused", "no instance a-2. Near it: a-1."),
        (json.dumps(row("b", model_name_or_path="x\ny")), "repaired", "name of its model"),
        ("[3]", "refused", "holds a list"),
        ('{"instance_id": "b", "model_pa', "refused", "cut off"),
        ("\0\0\0", "refused", "NUL bytes"),
        ("[" * 200_000, "refused", "cannot be read"),
        ('{"instance_id": "b", "model_patch": "\udce9"}', "refused", "not UTF-8"),
    ],
)
def test_one_damaged_among_good(tmp_path: Path, damaged: str, verdict: str, note: str) -> None:
    good = json.dumps(row())
    content = f"{good}\n{damaged}\n{json.dumps(row('z'))}\n".encode("utf-8", "surrogateescape")
    first, second, last = checked(tmp_path / "p.jsonl", content, {"a-1", "b", "z"})
    assert first.verdict.value == last.verdict.value == "accepted"
    assert first.patch == last.patch == GOOD
    assert second.verdict.value == verdict
    assert note in "; ".join(second.notes)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_and_documents(tmp_path: Path, encoding: str) -> None:
    rows = [row("a"), row("b")]
    for text in (
        json.dumps(rows),
        json.dumps({one["instance_id"]: one for one in rows}, indent=1),
        "\n".join(map(json.dumps, rows)),
    ):
        found = checked(tmp_path / "preds.json", text.encode(encoding))
        assert [(one.instance_id, one.verdict.value) for one in found] == [
            ("a", "accepted"),
            ("b", "accepted"),
        ]


@pytest.mark.parametrize("keyed", [True, False])
def test_a_document_that_is_cut_off(tmp_path: Path, keyed: bool) -> None:
    rows = [row("a"), row("b")]
    text = json.dumps({one["instance_id"]: one for one in rows} if keyed else rows)
    first, second = checked(tmp_path / "preds.json", text[:-20])
    assert first.verdict.value == "accepted"
    assert second.verdict.value == "refused"
    assert read_predictions(tmp_path / "preds.json").keys() == {"a"}


def test_a_line_of_fifty_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    with path.open("w") as file:
        for name, patch in (("a", GOOD), ("huge", "+x\n" * 17_000_000), ("b", GOOD)):
            file.write(json.dumps(row(name, patch)) + "\n")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = list(check_predictions(path))
    assert [one.verdict.value for one in found] == ["accepted", "refused", "accepted"]
    assert found[1].instance_id == "huge"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(UsageError):
            list(check_predictions(path))
    with pytest.raises(UsageError, match="is empty"):
        checked(tmp_path / "empty", " \n")
