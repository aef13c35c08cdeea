"""Instances out of files and datasets."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import UsageError
from data.instances.family import find
from data.instances.loaders import load_instances, pick_instances

KIT = Path(__file__).parents[3].parent / "shared/kit/instances.jsonl"
ROW: dict[str, object] = {
    "instance_id": "acme__tool-1",
    "repo": "acme/tool",
    "base_commit": "0" * 40,
    "problem_statement": "It breaks.\r\nAlways.",
}
SECRETS: dict[str, object] = {
    "patch": "SECRET",
    "test_patch": "SECRET",
    "hints_text": "SECRET",
    "eval_script": "SECRET",
    "FAIL_TO_PASS": '["SECRET"]',
    "PASS_TO_PASS": ["SECRET"],
}


def written(path: Path, *rows: object) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def test_a_row(tmp_path: Path) -> None:
    (instance,) = load_instances(written(tmp_path / "rows.jsonl", ROW))
    assert instance.instance_id == "acme__tool-1"
    assert instance.repo == "acme/tool"
    assert instance.base_commit == "0" * 40
    assert instance.problem_statement == "It breaks.\r\nAlways."
    assert instance.environment.image == "swebench/sweb.eval.x86_64.acme_1776_tool-1:latest"
    assert instance.environment.repo_dir == "/testbed"
    assert instance.environment.source is None


@pytest.mark.parametrize(
    "grading",
    [
        SECRETS,
        {**SECRETS, "FAIL_TO_PASS": ["SECRET"], "PASS_TO_PASS": '["SECRET"]'},
        {"fail_to_pass": "['SECRET']", "pass_to_pass": [], "selected_test_files_to_run": "SECRET"},
        {"FAIL_TO_PASS": None, "image_assets": {"problem_statement": ["SECRET"]}, "version": 1.0},
    ],
)
def test_what_grades_is_dropped_in_any_form(tmp_path: Path, grading: dict[str, object]) -> None:
    plain = load_instances(written(tmp_path / "plain.jsonl", ROW))
    graded = load_instances(written(tmp_path / "graded.jsonl", {**ROW, **grading}))
    assert graded == plain
    assert "SECRET" not in repr(graded)


def test_the_sections_of_pro_belong_to_the_issue(tmp_path: Path) -> None:
    row = {**ROW, "requirements": "- must", "interface": "f()", "dockerhub_tag": "acme.tool-1"}
    (instance,) = load_instances(written(tmp_path / "rows.jsonl", row))
    assert instance.problem_statement == (
        "It breaks.\r\nAlways.\n\nRequirements:\n- must\n\nNew interfaces introduced:\nf()"
    )
    assert instance.environment.image == "jefzda/sweap-images:acme.tool-1"
    assert instance.environment.repo_dir == "/app"
    assert not instance.environment.activate


def test_file_forms(tmp_path: Path) -> None:
    other = {**ROW, "instance_id": "acme__tool-2"}
    expected = load_instances(written(tmp_path / "plain.jsonl", ROW, other))
    assert [instance.instance_id for instance in expected] == ["acme__tool-1", "acme__tool-2"]
    lines = (tmp_path / "plain.jsonl").read_bytes()
    forms = {
        "mark.jsonl": b"\xef\xbb\xbf" + lines,
        "windows.jsonl": lines.replace(b"\n", b"\r\n"),
        "blank.jsonl": b"\n \n" + lines.replace(b"\n", b"\n\n\n"),
        "no_end.jsonl": lines.rstrip(),
        "separator.jsonl": json.dumps({**ROW, "x": "\u2028"}, ensure_ascii=False).encode()
        + b"\n"
        + lines.split(b"\n")[1],
        "array.json": json.dumps([ROW, other]).encode(),
        "array.jsonl": json.dumps([ROW, other], indent=2).encode(),
        "lines.json": lines,
        "no_suffix": lines,
    }
    for name, content in forms.items():
        (tmp_path / name).write_bytes(content)
        assert load_instances(str(tmp_path / name)) == expected, name


def test_one_object(tmp_path: Path) -> None:
    for name in ("one.json", "one.jsonl"):
        (tmp_path / name).write_text(json.dumps(ROW, indent=1))
        assert len(load_instances(str(tmp_path / name))) == 1


def test_characters_that_no_text_may_hold(tmp_path: Path) -> None:
    row = {**ROW, "problem_statement": "a\0b\ud800c"}
    (instance,) = load_instances(written(tmp_path / "rows.jsonl", row))
    assert instance.problem_statement == "a\ufffdb\ufffdc"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b'{"instance_id": ', "line 2: malformed JSON at column 17"),
        (b"not json", "line 2: malformed JSON at column 1"),
        (b"[1, 2]", "line 2: holds a list, not an object"),
        (b"null", "line 2: holds null, not an object"),
        (b'{"x": "\xff"}', r"line 2: is not UTF-8 \(byte 0xff\)"),
        (b'{"x": "a\0b"}', "line 2: holds NUL bytes"),
        (b"[" * 100_000, "line 2: cannot be read as JSON"),
        (b'{"x": ' + b"1" * 5000 + b"}", "line 2: cannot be read as JSON"),
        (b"{}", "line 2: lacks instance_id, repo, base_commit, problem_statement"),
        (b'{"instance_id": "a", "repo": "r"}', "line 2: lacks base_commit, problem_statement"),
    ],
)
def test_a_malformed_line(tmp_path: Path, line: bytes, complaint: str) -> None:
    good = json.dumps(ROW).encode()
    (tmp_path / "rows.jsonl").write_bytes(good + b"\n" + line + b"\n" + good + b"\n")
    with pytest.raises(UsageError, match=complaint) as caught:
        load_instances(str(tmp_path / "rows.jsonl"))
    assert "rows.jsonl" in caught.value.message
    assert len(caught.value.message) < 300


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"problem_statement": 12}, "problem_statement must be text, not a number: 12"),
        ({"problem_statement": ["x"]}, "problem_statement must be text, not a list"),
        ({"problem_statement": None}, "problem_statement is null"),
        ({"problem_statement": " \n"}, "problem_statement is empty"),
        ({"base_commit": ""}, "base_commit is empty"),
        ({"base_commit": "--help"}, "base_commit .* is not a commit"),
        ({"repo": True}, "repo must be text, not true or false"),
        ({"instance_id": "../up"}, "instance_id .* cannot name a folder"),
        ({"instance_id": "a/b"}, "instance_id .* cannot name a folder"),
        ({"instance_id": "a b"}, "instance_id .* cannot name a folder"),
        ({"instance_id": "x" * 201}, "instance_id .* cannot name a folder"),
        ({"image": 3}, "image must be text, not a number"),
        ({"repo_dir": "relative"}, "repo_dir must be an absolute path"),
        ({"activate": {}}, "activate must be text, not an object"),
        ({"requirements": 1.5}, "requirements must be text, not a number"),
    ],
)
def test_a_field_that_does_not_fit(
    tmp_path: Path, change: dict[str, object], complaint: str
) -> None:
    source = written(tmp_path / "rows.jsonl", {**ROW, "instance_id": "fine"}, {**ROW, **change})
    with pytest.raises(UsageError, match=f"rows.jsonl, line 2: {complaint}"):
        load_instances(source)


def test_repeated_ids(tmp_path: Path) -> None:
    source = written(tmp_path / "rows.jsonl", ROW, {**ROW, "instance_id": "b"}, ROW)
    with pytest.raises(UsageError, match=r"line 3: .*acme__tool-1 is already at .*line 1"):
        load_instances(source)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"[]", "holds no instances"),
        (b"12", "holds a number"),
        (b'{"acme__tool-1": {}}', "not an instance"),
        (b"[{}, 3]", "row 2: holds a number"),
        (b'[{"x": 1},\n {"x":}]', "line 2: malformed JSON at column 7"),
        ("[]".encode("utf-16"), "is UTF-16"),
        (b'[\n"\xff"]', "line 2: is not UTF-8"),
    ],
)
def test_a_file_that_holds_no_instances(tmp_path: Path, content: bytes, complaint: str) -> None:
    (tmp_path / "rows.json").write_bytes(content)
    with pytest.raises(UsageError, match=complaint):
        load_instances(str(tmp_path / "rows.json"))


def test_paths_that_are_no_file(tmp_path: Path) -> None:
    for source, complaint in (
        (str(tmp_path), "is a folder"),
        (str(tmp_path / "missing.jsonl"), "There is no file"),
        ("missing/rows.jsonl", "There is no file"),
        ("./missing", "There is no file"),
    ):
        with pytest.raises(UsageError, match=complaint) as caught:
            load_instances(source)
        assert caught.value.hint


def test_a_name_that_is_nothing() -> None:
    with pytest.raises(UsageError, match="neither a file nor") as caught:
        load_instances("verifed")
    assert caught.value.hint == "Did you mean verified?"
    with pytest.raises(UsageError) as caught:
        load_instances("")
    assert "full, lite, verified" in caught.value.hint


def test_a_file_has_no_splits(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no splits"):
        load_instances(written(tmp_path / "rows.jsonl", ROW), split="test")


def test_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    written(tmp_path / "rows.jsonl", ROW)
    assert len(load_instances("~/rows.jsonl")) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read any file")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    source = written(tmp_path / "rows.jsonl", ROW)
    Path(source).chmod(0)
    with pytest.raises(UsageError, match="cannot be read"):
        load_instances(source)


@given(st.binary(max_size=200) | st.text('[]{}":,\n 1ae', max_size=60).map(str.encode))
def test_noise_is_refused_in_words(tmp_path_factory: pytest.TempPathFactory, noise: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.jsonl"
    path.write_bytes(b"x" + noise)
    with pytest.raises(UsageError, match=re.escape(path.name)):
        load_instances(str(path))


def test_picking(tmp_path: Path) -> None:
    names = ["acme__tool-1", "acme__tool-2", "other__thing-9"]
    instances = load_instances(
        written(tmp_path / "rows.jsonl", *({**ROW, "instance_id": name} for name in names))
    )
    picked = pick_instances(instances, ["other__thing-9", "acme__tool-1", "other__thing-9"])
    assert [instance.instance_id for instance in picked] == ["other__thing-9", "acme__tool-1"]
    assert pick_instances(instances, []) == []
    with pytest.raises(UsageError, match="acme__tool-3") as caught:
        pick_instances(instances, ["acme__tool-3"])
    assert "acme__tool-1" in caught.value.hint
    with pytest.raises(UsageError) as caught:
        pick_instances(instances, ["zzz"])
    assert "holds 3" in caught.value.hint


@pytest.mark.parametrize("alias", ["lite", "full", "verified", "multilingual"])
def test_short_names(alias: str) -> None:
    found = find(alias)
    assert found
    suffix = "" if alias == "full" else f"_{alias.capitalize()}"
    assert (found.hub, found.split) == (f"SWE-bench/SWE-bench{suffix}", "test")


@pytest.mark.skipif(not KIT.exists(), reason="the kit of real instances is not here")
def test_real_rows() -> None:
    instances = load_instances(str(KIT))
    rows = [json.loads(line) for line in KIT.read_text(encoding="utf-8").splitlines()]
    assert [instance.instance_id for instance in instances] == [row["instance_id"] for row in rows]
    for instance, row in zip(instances, rows, strict=True):
        assert instance.environment.image == row["image"]
        assert instance.problem_statement == row["problem_statement"]
        assert row["patch"] not in repr(instance)
