"""Patches from contents and from foreign diffs, against real checkouts."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.applying import apply_diff, diff_files
from data.codebase_reader import RawFile, codebase_from_files
from data.errors import UsageError
from data.patch import UNEDITED, FileChange, Patch

if TYPE_CHECKING:
    from data.codebase import Codebase

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


def codebase_of(files: dict[str, bytes], executable: tuple[str, ...] = ()) -> Codebase:
    return codebase_from_files(RawFile(p, c, p in executable) for p, c in files.items())


def checked_out(
    files: dict[str, bytes], diff: str, executable: tuple[str, ...] = ()
) -> dict[str, bytes]:
    """What a checkout holds after `git apply`."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        for path, content in files.items():
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            file.chmod(0o755 if path in executable else 0o644)
        for arguments in (["init", "-q"], ["add", "-A"], ["apply", "--index", "-"]):
            subprocess.run(
                ["git", *arguments],
                cwd=root,
                env=ENVIRONMENT,
                input=diff.encode("utf-8") if arguments[0] == "apply" and diff else b"",
                check=bool(diff) or arguments[0] != "apply",
                capture_output=True,
            )
        return {
            str(file.relative_to(root)): file.read_bytes()
            for file in root.rglob("*")
            if file.is_file() and ".git" not in file.relative_to(root).parts
        }


BASE = {
    "src/app.py": b"one\ntwo\nthree\n",
    "src/other.py": b"a\nb\n",
    "windows.txt": b"one\r\ntwo\r\nthree\r\n",
    "run.sh": b"#!/bin/sh\n",
    "latin.py": b"# coding: latin-1\nname = '\xe9'\n",
    "image.png": b"\x89PNG\0",
}
CODEBASE = codebase_of(BASE, executable=("run.sh",))


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


EDITED = diff_files({"src/app.py": b"one\n2\nthree\n"}, CODEBASE)


def forms(diff: str) -> dict[str, tuple[str, str]]:
    """Diffs as people and models write them -> what the note says."""
    plain = diff.replace("a/src", "src").replace("b/src", "src")
    headless = "\n".join(plain.split("\n")[2:])
    return {
        "as it is": (diff, ""),
        "prose before": ("Here is the fix:\n\n" + diff + "\nDone.\n", ""),
        "times": (diff.replace("--- a/src/app.py", "--- a/src/app.py\t2020-01-01 00:00:00"), ""),
        "no final newline": (diff.rstrip("\n"), "newline"),
        "fenced": (f"```diff\n{diff.rstrip()}\n```", ""),
        "fenced with wrong counts": (
            f"Fix:\n```diff\n{diff.replace('-1,3 +1,3', '-1,9 +1,9')}```\n- a point\n",
            "Markdown fences",
        ),
        "windows": (diff.replace("\n", "\r\n"), "CRLF"),
        "wrong counts": (diff.replace("-1,3 +1,3", "-1,2 +1,7"), "counted"),
        "no prefixes": (plain, "without a/ and b/"),
        "no prefixes, no git line": (headless, "without a/ and b/"),
        "other prefixes": (diff.replace("a/src", "old/src").replace("b/src", "new/src"), ""),
        "mnemonic prefixes": (diff.replace("a/src", "i/src").replace("b/src", "w/src"), ""),
        "blank context": (diff.replace(" three\n", " three\n\n"), ""),
    }


@pytest.mark.parametrize("form", forms(EDITED.diff))
def test_a_diff_as_others_write_it(form: str) -> None:
    text, note = forms(EDITED.diff)[form]
    applied = apply_diff(text, CODEBASE)
    assert applied.patch == EDITED
    assert any(note in said for said in applied.notes) == bool(note)
    assert bool(note) or applied.notes == ()


def test_an_lf_diff_for_a_crlf_file() -> None:
    diff = "--- a/windows.txt\n+++ b/windows.txt\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n"
    applied = apply_diff(diff, CODEBASE)
    assert applied.patch.files[0].content == b"one\r\n2\r\nthree\r\n"
    assert applied.notes == ("kept the CRLF line endings of the files",)
    crlf = apply_diff(diff.replace("\n", "\r\n"), CODEBASE)
    assert crlf.patch == applied.patch


def test_new_files_without_prefixes_and_with_crlf() -> None:
    diff = "--- /dev/null\n+++ lib/new.py\n@@ -0,0 +1 @@\n+x\n"
    applied = apply_diff(diff, CODEBASE)
    assert applied.patch.files == (FileChange("lib/new.py", b"x\n"),)
    diff = diff.replace("lib", "b/lib").replace("\n", "\r\n")
    assert apply_diff(diff, CODEBASE).patch == applied.patch


def test_an_empty_diff() -> None:
    for diff in ("", "\n \n"):
        assert apply_diff(diff, CODEBASE).patch == UNEDITED


def test_renames_modes_and_deletions() -> None:
    diff = (
        "diff --git a/src/app.py b/lib/app two.py\n"
        "similarity index 70%\n"
        "rename from src/app.py\n"
        "rename to lib/app two.py\n"
        "--- a/src/app.py\n"
        "+++ b/lib/app two.py\t\n"
        "@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n"
        "diff --git a/run.sh b/run.sh\n"
        "old mode 100755\n"
        "new mode 100644\n"
        "diff --git a/src/other.py b/src/other.py\n"
        "deleted file mode 100644\n"
        "--- a/src/other.py\n"
        "+++ /dev/null\n"
        "@@ -1,2 +0,0 @@\n-a\n-b\n"
        "diff --git a/tool b/tool\n"
        "new file mode 100755\n"
    )
    patch = apply_diff(diff, CODEBASE).patch
    assert patch.files == (
        FileChange("lib/app two.py", b"one\n2\nthree\n"),
        FileChange("run.sh", b"#!/bin/sh\n"),
        FileChange("src/app.py", None),
        FileChange("src/other.py", None),
        FileChange("tool", b"", executable=True),
    )
    assert "rename" not in patch.diff
    assert "old mode 100755\nnew mode 100644\n" in patch.diff
    assert apply_diff(patch.diff, CODEBASE).patch == patch


LINK = (
    "diff --git a/link b/link\nnew file mode 120000\n--- /dev/null\n+++ b/link\n"
    "@@ -0,0 +1 @@\n+/etc/passwd\n\\ No newline at end of file\n"
)
PICTURE = (
    "diff --git a/image.png b/image.png\nindex 1234567..89abcde 100644\n"
    "Binary files a/image.png and b/image.png differ\n"
)


@pytest.mark.parametrize(
    ("diff", "complaint"),
    [
        ("nothing of a diff", "No valid patches"),
        (EDITED.diff.replace("two", "zwei"), r"patch failed: src/app.py:1"),
        (EDITED.diff.replace("app", "missing"), "src/missing.py: does not exist"),
        (EDITED.diff.replace("src/app.py", "image.png"), "image.png, which was not read: binary"),
        (
            "--- a/../x\n+++ b/../x\n@@ -0,0 +1 @@\n+x\n",
            r"names a/\.\./x, which no patch may touch",
        ),
        ("--- /dev/null\n+++ /etc/cron\n@@ -0,0 +1 @@\n+x\n", "names /etc/cron"),
        ("--- /dev/null\n+++ b/.git/config\n@@ -0,0 +1 @@\n+x\n", r"names b/\.git/config"),
        ('--- /dev/null\n+++ "b/.g\\151t/config"\n@@ -0,0 +1 @@\n+x\n', r"names b/\.git/config"),
        ("--- /dev/null\n+++ b//etc/x\n@@ -0,0 +1 @@\n+x\n", "etc/x"),
        ("--- /dev/null\n+++ b/src/app.py\n@@ -0,0 +1 @@\n+x\n", "already exists"),
        ("--- /dev/null\n+++ b/src/app.py/x\n@@ -0,0 +1 @@\n+x\n", "src/app.py is a file"),
        ("--- /dev/null\n+++ b/image.png\n@@ -0,0 +1 @@\n+x\n", "image.png, which was not read"),
        (LINK, "makes link a link"),
        ("\ud800", "characters that no file can hold"),
        (PICTURE, "image.png, which was not read: binary"),
    ],
)
def test_a_diff_that_is_refused(diff: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint) as caught:
        apply_diff(diff, CODEBASE)
    assert "\n" not in caught.value.message


def test_lines_that_look_like_headers() -> None:
    base = {"q.sql": b"-- a/../up\n++ b/.git/x\nselect\n", "r": b"x\n"}
    codebase = codebase_of(base)
    patch = diff_files({"q.sql": b"select\n", "r": b"y\n"}, codebase)
    assert "--- a/../up" in "".join(patch.diff)
    assert apply_diff(patch.diff, codebase).patch == patch


@given(st.text('-+ @ab/\n1,x`"\\\r\t', max_size=120))
@settings(max_examples=60, deadline=None)
def test_noise_is_refused_in_words(noise: str) -> None:
    try:
        applied = apply_diff("--- a/src/app.py\n+++ b/src/app.py\n" + noise, CODEBASE)
    except UsageError:
        return
    assert isinstance(applied.patch, Patch)
