"""Damaged patches: each repair, what is refused, and that nothing else happens."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import UsageError
from data.patches.applying import apply_diff, diff_files
from data.patches.parts import parts_of
from data.patches.repairs import ALONE, LARGEST_PATCH, WITH_CODE, DiffRepair, repair
from tests.data.codebases.checkouts import BASE, CODEBASE, codebase_of

GOOD = (
    "diff --git a/src/x.py b/src/x.py\n--- a/src/x.py\n+++ b/src/x.py\n"
    "@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
)
NAMES = GOOD.replace("a/src", "{}src").replace("b/src", "{}src")
PICTURE = "diff --git a/i.png b/i.png\nindex 1..2 100644\nBinary files a/i.png and b/i.png differ\n"
BINARY = (
    "diff --git a/i.png b/i.png\nnew file mode 100644\nindex 0000000..f76dd23\n"
    "GIT binary patch\nliteral 1\nIcmZPo000310RR91\n\nliteral 0\nHcmV?d00001\n\n"
)
MOVED = "diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n"

EDIT = diff_files({"src/app.py": b"one\n2\nthree\n"}, CODEBASE).diff
WITH_CODE_DAMAGE = {
    "fences": (
        f"```diff\n{EDIT.replace('-1,3 +1,3', '-1,9 +1,9')}```\n- a point\n",
        "Markdown fences",
    ),
    "newline": (EDIT.rstrip("\n"), "newline"),
    "CRLF": (EDIT.replace("\n", "\r\n"), "CRLF"),
    "recount": (EDIT.replace("-1,3 +1,3", "-1,2 +1,7"), "counted"),
    "names": (EDIT.replace("a/src", "src").replace("b/src", "src"), "without a/ and b/"),
}
LINK = (
    "diff --git a/l b/l\nnew file mode 120000\nindex 0000000..1de5659\n--- /dev/null\n+++ b/l\n"
    "@@ -0,0 +1 @@\n+target\n\\ No newline at end of file\n"
)
SUBMODULE = (
    "diff --git a/vendor b/vendor\nindex 1de5659..2de5659 160000\n--- a/vendor\n+++ b/vendor\n"
    "@@ -1 +1 @@\n-Subproject commit 1de5659\n+Subproject commit 2de5659\n"
)
DAMAGE = {
    "padding": ("\ufeff" + GOOD + "\0\0", "byte order mark"),
    "colours": (GOOD.replace("diff", "\x1b[1mdiff").replace("+c", "\x1b[32m+c\x1b[m"), "colours"),
    "line ends": (GOOD.replace("\n", "\r\n"), "CRLF"),
    "indent": ("".join(f"    {line}\n" for line in GOOD.splitlines()), "before its lines"),
    "newline": (GOOD.rstrip("\n"), "newline"),
    "prose": (f"Fix:\n```diff\n{GOOD}```\n- done\n", "took out 4 lines of code fences and prose"),
    "times": (GOOD.replace("+++ b/src/x.py", "+++ b/src/x.py 2020-01-01 00:00:00 +0000"), "times"),
    "checkout": (NAMES.format(*["/testbed/"] * 4), "absolute paths"),
    "prefixes": (NAMES.format(*[""] * 4), "added a/ and b/"),
    "counts": (GOOD.replace("-1,2 +1,2", "-1,9 +1"), "counted the lines of 1 hunk again"),
    "links": (LINK + GOOD + SUBMODULE, "left out l, vendor: a link or a submodule"),
    "contents": (GOOD + PICTURE, "left out i.png"),
}


@pytest.mark.parametrize("repair", WITH_CODE, ids=lambda repair: repair.name)
def test_every_repair_with_the_code_at_hand_gives_the_edit(repair: DiffRepair) -> None:
    text, note = WITH_CODE_DAMAGE[repair.name]
    applied = apply_diff(text, CODEBASE)
    assert applied.patch.diff == EDIT
    assert any(note in said for said in applied.notes)


@pytest.mark.parametrize("one", ALONE, ids=lambda one: one.name)
def test_every_repair_gives_back_the_good_diff(one: DiffRepair) -> None:
    text, note = DAMAGE[one.name]
    repaired = repair(text)
    assert repaired.text == GOOD
    assert any(note in said for said in repaired.notes)


@pytest.mark.parametrize(
    "good",
    [
        GOOD,
        "\n" + GOOD + "\n",
        GOOD.replace("src/x.py\n---", "src/x.py\nindex 1..2 100644\n---"),
        GOOD.partition("\n")[2],
        GOOD.replace("x.py\n@@", "x.py\t2020-01-01 00:00:00\n@@"),
        GOOD.replace("+c\n", "+c\r\n"),
        BINARY,
        MOVED,
        MOVED.replace("rename", "copy"),
        "diff --git a/x b/x\nold mode 100644\nnew mode 100755\n",
        "diff --git a/x b/x\nnew file mode 100644\nindex 0000000..e69de29\n",
        GOOD + "\\ No newline at end of file\n" + BINARY + MOVED,
        "",
    ],
)
def test_a_good_diff_is_left_alone(good: str) -> None:
    repaired = repair(good)
    assert repaired.text == good
    assert repaired.notes == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("I fixed it.", "holds no diff"),
        (PICTURE, "binary"),
        (GOOD.replace("src/", "../"), "outside the repository"),
        (NAMES.format(*["/etc/"] * 4), "outside the repository"),
        (GOOD.replace("src/", ".git/"), "git's own folder"),
        (GOOD.replace("c\n", "\0\n"), "NUL"),
        (GOOD.replace("c\n", "\udce9\n"), "UTF-8"),
        ("diff --cc x\n@@@ -1 -1 +1 @@@\n", "merge"),
        ("@@ -1 +1 @@\n-a\n+b\n" + GOOD, "no file"),
        (
            GOOD.replace("+1,2", "+1,4").replace("+c", "+<<<<<<< a\n+=======\n+>>>>>>> b"),
            "merge conflict",
        ),
        (
            "diff --git a/x b/x\nnew file mode 120000\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+/\n",
            "link",
        ),
        ("diff --git a/x b/x\nnew file mode 100644\n" * 2, "made twice"),
        ("+" * (LARGEST_PATCH + 1), "million characters"),
    ],
)
def test_what_cannot_be_used_is_refused(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        repair(text)


PIECES = [
    *GOOD.splitlines(keepends=True),
    *PICTURE.splitlines(keepends=True),
    "```\n",
    "x\r\n",
    "\n",
]


@given(st.lists(st.sampled_from([*PIECES, "+", "-- \n", "@@ -0,0 +1 @@\n"]) | st.text(max_size=9)))
@settings(max_examples=300, deadline=None)
def test_anything_is_mended_for_good_or_refused(pieces: list[str]) -> None:
    try:
        repaired = repair("".join(pieces))
    except UsageError:
        return
    assert repair(repaired.text).text == repaired.text
    assert repair(repaired.text).notes == ()


@given(st.lists(st.text("-+ @\\ab\n\r`", max_size=12), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_what_git_writes_comes_back_byte_by_byte(lines: list[str]) -> None:
    new = {"src/app.py": "\n".join(lines).encode(), "src/other.py": None, "n/ew é.txt": b"x"}
    diff = diff_files(new, CODEBASE).diff
    assert repair(diff).text == diff


def test_what_applying_alone_cannot_read_is_mended_first() -> None:
    diff = diff_files({"src/app.py": b"one\n2\nthree\n"}, CODEBASE).diff
    absolute = diff.replace("a/src", "/testbed/src").replace("b/src", "/testbed/src")
    applied = apply_diff(absolute, codebase_of(BASE, executable=("run.sh",)))
    assert applied.patch.diff == diff
    assert applied.notes == ("took its absolute paths as paths in the repository",)


@pytest.mark.parametrize(
    "line",
    ["+\n", " \n", "diff --git " + " " * 5000 + "\n", "@@ -1 +1 @@\n", "```\n", "    --- a\n"],
)
def test_time_is_linear(line: str) -> None:
    def once(size: int) -> float:
        begun = time.process_time()
        with contextlib.suppress(UsageError):
            repair(GOOD + line * (size // len(line)))
        return time.process_time() - begun

    def seconds(size: int) -> float:
        """Of the processor; the least of three, because a loaded machine only adds to it."""
        return min(once(size) for _ in range(3))

    assert seconds(1_000_000) < 12 * max(seconds(250_000), 0.02)
    assert parts_of.cache_info().currsize == 0
