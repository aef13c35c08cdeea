"""Patches from new contents, against real checkouts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import UsageError
from data.patches.applying import apply_diff, diff_files
from data.patches.patch import UNEDITED, FileChange
from tests.data.codebases.checkouts import BASE, CODEBASE, checked_out, codebase_of

if TYPE_CHECKING:
    from pathlib import Path


def test_an_edit() -> None:
    patch = diff_files({"src/app.py": b"one\n2\nthree\n"}, CODEBASE)
    assert patch.files == (FileChange("src/app.py", b"one\n2\nthree\n"),)
    assert patch.diff == (
        "diff --git a/src/app.py b/src/app.py\n"
        "index 4cb29ea..f04eb26 100644\n"
        "--- a/src/app.py\n"
        "+++ b/src/app.py\n"
        "@@ -1,3 +1,3 @@\n"
        " one\n"
        "-two\n"
        "+2\n"
        " three\n"
    )


def test_new_deleted_empty_and_executable() -> None:
    changes = {
        "new/file.py": b"no newline at the end",
        "new/empty": b"",
        "src/other.py": None,
        "run.sh": b"#!/bin/bash\n",
    }
    patch = diff_files(changes, CODEBASE)
    assert [change.path for change in patch.files] == sorted(changes)
    assert {change.path: change.content for change in patch.files} == changes
    assert [change.path for change in patch.files if change.executable] == ["run.sh"]
    assert "\\ No newline at end of file" in patch.diff
    assert "index 0000000..e69de29" in patch.diff
    after = checked_out(BASE, patch.diff, executable=("run.sh",))
    assert after == {path: c for path, c in {**BASE, **changes}.items() if c is not None}


def test_what_equals_the_base_is_no_change() -> None:
    assert diff_files({"src/app.py": BASE["src/app.py"], "missing": None}, CODEBASE) == UNEDITED
    assert diff_files({}, CODEBASE) == UNEDITED
    both = diff_files({"src/app.py": BASE["src/app.py"], "src/other.py": b"c\n"}, CODEBASE)
    assert len(both.files) == 1
    assert "app.py" not in both.diff


def test_contents_that_are_not_utf8_stand_as_binary() -> None:
    changes = {"latin.py": BASE["latin.py"] + b"# \xe8\n", "src/app.py": b"caf\xc3\xa9\n"}
    patch = diff_files(changes, CODEBASE)
    assert "GIT binary patch" in patch.diff
    assert "+café" in patch.diff
    assert checked_out(BASE, patch.diff) == {**BASE, **changes}


def test_a_character_cut_by_git_in_a_hunk_header() -> None:
    line = b"def " + b"x" * 70 + "é".encode() * 20 + b":\n"
    for shift in (b"", b"y"):
        base = {"a.py": shift + line + b"    1\n" * 30}
        after = {"a.py": base["a.py"] + b"    2\n"}
        patch = diff_files(dict(after), codebase_of(base))
        assert "é" in patch.diff
        assert checked_out(base, patch.diff) == after


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("/etc/passwd", "leads out"),
        ("../up.py", "leads out"),
        ("src/../app.py", "leads out"),
        (".git/hooks/pre-commit", "git's own folder"),
        ("sub/.GIT/config", "git's own folder"),
        ("", "not a path"),
        ("src//app.py", "not a path"),
        ("x" * 300, "too long"),
        ("image.png", "was not read: binary"),
        ("src/app.py/inner.py", "src/app.py is a file"),
        ("image.png/inner.py", "image.png is a file"),
        ("src", "is a folder"),
    ],
)
def test_paths_that_cannot_be_edited(path: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        diff_files({path: b"x\n"}, CODEBASE)


def test_a_file_may_make_room_for_a_folder() -> None:
    changes = {"src/app.py": None, "src/app.py/inner.py": b"x\n"}
    patch = diff_files(changes, CODEBASE)
    assert checked_out(BASE, patch.diff)["src/app.py/inner.py"] == b"x\n"
    changes = {"src/app.py": None, "src/other.py": None, "src": b"x\n"}
    patch = diff_files(changes, CODEBASE)
    assert checked_out(BASE, patch.diff)["src"] == b"x\n"


def test_nothing_of_the_person_s_git_matters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = diff_files({"src/app.py": b"x\n"}, CODEBASE)
    (tmp_path / ".config/git").mkdir(parents=True)
    (tmp_path / ".config/git/attributes").write_text("* -diff -text\n")
    (tmp_path / ".gitconfig").write_text(
        "[diff]\nnoprefix = true\nmnemonicPrefix = true\ncontext = 0\nexternal = false\n"
        "algorithm = patience\n[color]\nui = always\n[core]\nautocrlf = true\nabbrev = 30\n"
        "[apply]\nwhitespace = fix\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    monkeypatch.setenv("GIT_DIFF_OPTS", "-u0")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert diff_files({"src/app.py": b"x\n"}, CODEBASE) == expected
    assert apply_diff(expected.diff, CODEBASE).patch == expected


def test_without_git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="git is not installed"):
        diff_files({"src/app.py": b"x\n"}, CODEBASE)


names = st.text(
    st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"])
    | st.sampled_from(" \t\n\"'\\é-"),
    min_size=1,
    max_size=8,
).filter(lambda name: name not in {".", ".."} and name.lower() != ".git")
lines = st.lists(
    st.sampled_from(
        [
            b"one\n",
            b"two\r\n",
            b"\n",
            b"-- x\n",
            b"++ y\n",
            b"@@ -1 +1 @@\n",
            b"\xe9\n",
            b"\xc3\xa9",
            b"diff --git a/x b/x\n",
            b"last",
            b"\0",
            b"\\ No newline at end of file\n",
            b"\x0c\n",
            b"\r",
        ]
    ),
    max_size=8,
).map(b"".join)
folders = st.sampled_from(["", "d1/", "d 2/e/"])


@given(
    base=st.dictionaries(st.tuples(folders, names).map("".join), lines, max_size=4),
    edits=st.lists(st.tuples(st.integers(0, 5), st.none() | lines), max_size=3),
    added=st.dictionaries(st.tuples(folders, names).map("".join), lines, max_size=2),
    executable=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_the_diff_and_the_files_say_the_same(
    base: dict[str, bytes],
    edits: list[tuple[int, bytes | None]],
    added: dict[str, bytes],
    executable: bool,
) -> None:
    runs = tuple(base)[:1] if executable else ()
    codebase = codebase_of(base, runs)
    readable = sorted(codebase.files)
    changes: dict[str, bytes | None] = dict(added)
    changes |= {readable[n % len(readable)]: content for n, content in edits if readable}
    try:
        patch = diff_files(changes, codebase)
    except UsageError:
        everything = {*base, *changes}
        assert any(path in codebase.skipped for path in changes) or any(
            other.startswith(path + "/") for path in everything for other in everything
        )
        return
    expected = {p: c for p, c in {**base, **changes}.items() if c is not None}
    assert checked_out(base, patch.diff, runs) == expected
    assert {change.path: change.content for change in patch.files} == {
        path: content for path, content in changes.items() if base.get(path) != content
    }
    assert patch.diff.endswith("\n") or not patch.diff
    assert apply_diff(patch.diff, codebase).patch == patch
    assert diff_files(changes, codebase) == patch
