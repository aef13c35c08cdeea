"""Two diffs of the same edit are seen to be alike."""

import pytest

from data.patches.changes import changed_lines, net_lines

DIFF = """\
diff --git a/pkg/a.py b/pkg/a.py
index 111..222 100644
--- a/pkg/a.py
+++ b/pkg/a.py
@@ -1,4 +1,4 @@ def f():
 one
-two
+2
 three
 four
"""
EDIT = (("pkg/a.py", ("-two", "+2")),)


@pytest.mark.parametrize(
    "diff",
    [
        DIFF,
        DIFF.rstrip("\n"),
        DIFF.replace("\n", "\r\n"),
        DIFF.replace("-1,4 +1,4", "-1,9 +1,9"),
        DIFF.replace("-1,4 +1,4", "-1,2 +1,1"),
        DIFF + "-- \n2.39.5\n",
        f"The fix:\n```diff\n{DIFF}```\n- a point of prose is not a removed line\n",
        DIFF.replace("-1,4 +1,4", "-1,9 +1,9") + "diff --git a/i.png b/i.png\n",
        DIFF.replace("@@ -1,4 +1,4 @@ def f():", "@@ -41,4 +43,4 @@"),
        "--- a/pkg/a.py\t2024-01-01\n+++ b/pkg/a.py\t2024-01-02\n@@ -2 +2 @@\n-two\n+2\n",
        "--- pkg/a.py\n+++ pkg/a.py\n@@ -2 +2 @@\n-two\n+2\n\\ No newline at end of file\n",
    ],
)
def test_alike(diff):
    assert changed_lines(diff) == EDIT


def test_files_stand_in_order_and_new_and_deleted_ones_have_their_path():
    new = "--- /dev/null\n+++ b/a.py\n@@ -0,0 +1 @@\n+x\n"
    gone = "--- a/a.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
    assert changed_lines(DIFF + new) == changed_lines(new + DIFF)
    assert changed_lines(new) == (("a.py", ("+x",)),)
    assert changed_lines(new.replace("/dev/null", "a/a.py")) == changed_lines(new)
    assert changed_lines(gone) == (("a.py", ("-x",)),)


def test_lines_that_look_like_headers_are_lines():
    """A removed SQL comment begins with three dashes."""
    diff = "--- a/q.sql\n+++ b/q.sql\n@@ -1,2 +1,2 @@\n--- old\n+++ new\n same\n"
    assert changed_lines(diff) == (("q.sql", ("--- old", "+++ new")),)


def test_other_edits_differ_and_what_has_no_lines_is_empty():
    assert changed_lines(DIFF.replace("+2", "+3")) != EDIT
    assert changed_lines(DIFF.replace("pkg/a", "pkg/b")) != EDIT
    assert changed_lines("diff --git a/x b/y\nrename from x\nrename to y\n") == ()
    assert changed_lines("") == ()


def test_two_alignments_of_one_edit_come_to_the_same():
    kept = "--- a/x.py\n+++ b/x.py\n@@ -1,3 +1,3 @@\n-a\n+b\n \n-c\n+d\n"
    replaced = "--- a/x.py\n+++ b/x.py\n@@ -1,3 +1,3 @@\n-a\n-\n-c\n+b\n+\n+d\n"
    assert changed_lines(kept) != changed_lines(replaced)
    assert (
        net_lines(kept)
        == net_lines(replaced)
        == (
            ("x.py", "a", -1),
            ("x.py", "b", 1),
            ("x.py", "c", -1),
            ("x.py", "d", 1),
        )
    )


def test_lines_that_only_move_are_no_net_change():
    assert net_lines("--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-a\n b\n+a\n") == ()
