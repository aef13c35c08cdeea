"""Patches from foreign diffs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import UsageError
from data.patches.applying import apply_diff, diff_files
from data.patches.patch import UNEDITED, FileChange, Patch
from tests.data.codebases.checkouts import CODEBASE, codebase_of

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


def test_a_file_that_is_named_otherwise_is_not_written_over() -> None:
    made = "--- /dev/null\n+++ b/src//app.py\n@@ -0,0 +1 @@\n+three\n"
    with pytest.raises(UsageError, match="which is there already"):
        apply_diff(made, CODEBASE)
