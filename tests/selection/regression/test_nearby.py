"""Which test files lie near an edit."""

from dataclasses import replace

import pytest

from data.patches.patch import FileChange, Patch
from selection.regression.nearby import nearest_tests
from tests.selection.regression.codebases import codebase, edit

FAR = {"tests/test_zebra.py": "import zoo.zebra\n", "zoo/zebra.py": "STRIPES = 1\n"}


@pytest.mark.parametrize(
    ("edited", "nearest", "further"),
    [
        # named after it
        ("calc/ops.py", "tests/test_ops.py", "tests/test_text.py"),
        ("calc/ops.py", "calc/ops_test.py", "calc/text_test.py"),
        ("calc/ops.py", "calc/tests/test_ops.py", "other/tests/test_ops.py"),
        # named after it and its folder
        ("sphere/ext/code.py", "tests/test_ext_code.py", "tests/test_ext_graph.py"),
        # placed after it
        ("calc/_core/ops.py", "tests/_core/test_ops.py", "tests/_other/test_ops.py"),
        ("calc/_core/ops.py", "tests/_core/test_all.py", "tests/_other/test_all.py"),
        # named after the folder
        ("db/postgres/client.py", "tests/shell/test_postgres.py", "tests/shell/test_oracle.py"),
        ("db/postgres/__init__.py", "tests/test_postgres.py", "tests/test_init.py"),
        # named in part
        ("calc/ops.py", "tests/test_ops_matrix.py", "tests/test_matrix.py"),
        (
            "calc/BigSum.java",
            "src/test/java/calc/BigSumTest.java",
            "src/test/java/calc/DivTest.java",
        ),
    ],
)
def test_by_name_and_place(edited, nearest, further):
    given = codebase({edited: "x\n", nearest: "\n", further: "\n", **FAR})
    assert nearest_tests(given, [edit(1, edited)])[0] == nearest


@pytest.mark.parametrize(
    "text",
    [
        "from calc.ops import mean\n",
        "from calc import (\n    text,\n    ops,\n)\n",
        "import os, calc.ops\n",
        "def test():\n    import calc.ops as o\n",
        "from calc import mean\n",  # defined there
    ],
)
def test_by_what_is_imported(text):
    given = codebase(
        {
            "src/calc/ops.py": "def mean(v):\n    pass\n",
            "checks/test_first.py": "from calc import text\nimport calc.opsy\n",
            "checks/test_second.py": text,
            **FAR,
        }
    )
    assert nearest_tests(given, [edit(1, "src/calc/ops.py")])[0] == "checks/test_second.py"


def test_by_the_rare_names_on_changed_lines():
    given = codebase(
        {
            "calc/ops.py": "x\n",
            "checks/test_a.py": "value = return_value\n",
            "checks/test_b.py": "value = ROUND_HALF_EVEN\n",
            "checks/test_c.py": "value = return_value\n",
            **FAR,
        }
    )
    line = "value = return_value or ROUND_HALF_EVEN"
    assert nearest_tests(given, [edit(1, "calc/ops.py", line=line)])[0] == "checks/test_b.py"


def test_what_more_writers_edit_counts_more():
    given = codebase(
        {"a/one.py": "", "a/two.py": "", "t/test_one.py": "", "t/test_two.py": "", **FAR}
    )
    edits = [edit(1, "a/one.py"), edit(2, "a/two.py", writers=3)]
    assert nearest_tests(given, edits)[:2] == ["t/test_two.py", "t/test_one.py"]


def test_edits_of_tests_and_what_is_left_behind_do_not_count():
    """A test that the candidate edits, and a new script of its own."""
    given = codebase(
        {"a/one.py": "", "t/test_one.py": "", "t/test_two.py": "", "t/test_debug.py": "", **FAR}
    )
    stray = edit(1, "a/one.py", "t/test_two.py")
    made = "diff --git a/debug.py b/debug.py\nnew file mode 100644\n--- /dev/null\n+++ b/debug.py\n"
    patch = Patch.of(
        f"{stray.patch.diff}{made}@@ -0,0 +1 @@\n+zebra\n",
        (*stray.patch.files, FileChange("debug.py", b"zebra\n")),
    )
    assert nearest_tests(given, [replace(stray, patch=patch)]) == ["t/test_one.py"]


def test_what_has_nothing_to_do_with_the_edit_is_left_out():
    given = codebase({"calc/ops.py": "", "tests/test_ops.py": "", **FAR})
    assert nearest_tests(given, [edit(1, "calc/ops.py")]) == ["tests/test_ops.py"]


@pytest.mark.parametrize("files", [{}, {"calc/ops.py": "x\n"}, FAR])
def test_without_tests_nearby_there_are_none(files):
    assert nearest_tests(codebase(files), [edit(1, "calc/ops.py")]) == []


def test_a_file_that_the_edit_makes_is_looked_for_by_name():
    given = codebase({"tests/test_ops.py": "", **FAR})
    assert nearest_tests(given, [edit(1, "calc/ops.py")]) == ["tests/test_ops.py"]
