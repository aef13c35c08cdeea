"""Scratch and test files in a patch: what the rules fit, and what is left."""

from __future__ import annotations

import pytest

from data.patches.applying import apply_diff, diff_files
from data.patches.litter import LitterKind, litter_of, without_litter
from tests.data.codebases.checkouts import CODEBASE

NEW = "diff --git a/{0} b/{0}\nnew file mode 100644\n--- /dev/null\n+++ b/{0}\n@@ -0,0 +1 @@\n+x\n"
OLD = "diff --git a/{0} b/{0}\n--- a/{0}\n+++ b/{0}\n@@ -1 +1 @@\n-y\n+x\n"


@pytest.mark.parametrize(
    ("path", "new", "old"),
    [
        ("reproduce_issue.py", "scratch", None),
        ("src/bug_reproduction.py", "scratch", None),
        ("x.py.orig", "scratch", None),
        ("a/x.rej", "scratch", None),
        ("a/__pycache__/x.cpython-311.pyc", "scratch", "scratch"),
        ("a/.DS_Store", "scratch", None),
        ("x.py~", "scratch", None),
        (".x.py.swp", "scratch", None),
        ("build/lib/x.py", "scratch", None),
        ("x.egg-info/PKG-INFO", "scratch", None),
        (".pytest_cache/README.md", "scratch", None),
        ("fix.patch", "scratch", None),
        ("test_script.py", "scratch", "test"),
        ("tests/test_x.py", "test", "test"),
        ("sympy/core/tests/test_x.py", "test", "test"),
        ("src/a.test.ts", "test", "test"),
        ("django/test/client.py", None, None),
        ("src/flask/testing.py", None, None),
        ("sphinx/util/build/x.py", None, None),
        ("src/contest.py", None, None),
        ("src/latest.py", None, None),
        ("pkg/debug.py", None, None),
        ("reproduce.go", "scratch", None),
        ("test_issue.rb", "scratch", "test"),
        ("src/a.o", "scratch", None),
        ("target/debug/a.d", "scratch", None),
        ("a/x_test.go", "test", "test"),
        ("spec/models/shape.rb", "test", "test"),
        ("src/test/java/a/Helper.java", "test", "test"),
        ("src/ShapeTest.php", "test", "test"),
        ("src/shape_unittest.cc", "test", "test"),
        ("a/testdata/in.txt", "test", "test"),
        ("pkg/spec/spec.go", None, None),
        ("test_data/shape.py", None, None),
        ("check.go", None, None),
    ],
)
def test_rules(path: str, new: str | None, old: str | None) -> None:
    for form, kind in ((NEW, new), (OLD, old)):
        assert [file.rule.kind.value for file in litter_of(form.format(path))] == [kind] * bool(
            kind
        )


def test_the_rest_comes_back_byte_by_byte_and_applies() -> None:
    edit = {"src/app.py": b"one\n2\nthree\n"}
    alone = diff_files(edit, CODEBASE).diff
    extra = {"reproduce_bug.py": b"x\n", "tests/test_app.py": b"y\n", "a.orig": b"z\n"}
    diff = diff_files({**edit, **extra}, CODEBASE).diff
    cleaned = without_litter(diff)
    assert [file.path for file in cleaned.taken] == ["a.orig", "reproduce_bug.py"]
    assert [file.rule.kind for file in litter_of(cleaned.diff)] == [LitterKind.TEST]
    assert without_litter(diff, tests=True).diff == alone
    assert apply_diff(cleaned.diff, CODEBASE).patch.files[0].path == "src/app.py"
    assert without_litter(alone, tests=True).diff == alone


def test_an_emptied_patch_and_a_moved_file() -> None:
    cleaned = without_litter(NEW.format("reproduce.py"))
    assert cleaned.emptied
    assert cleaned.diff == ""
    moved = "diff --git a/x b/tests/x\nsimilarity index 100%\nrename from x\nrename to tests/x\n"
    assert without_litter(moved, tests=True).diff == moved
