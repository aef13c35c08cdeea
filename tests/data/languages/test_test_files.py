"""Which files are tests, by each of the questions that are asked."""

from __future__ import annotations

import re

import pytest

from data.languages.languages import LANGUAGES
from data.languages.test_files import is_test, is_test_file, language_of_tests, only_tests

TESTS = """
    tests/x.py a/test/x.py a/test_x.py a/x_test.go conftest.py a/x.spec.ts src/__tests__/x.js
    src/test/java/a/Helper.java src/main/java/a/ShapeTest.java a/ShapeTests.cs A.Tests/Shape.cs
    app/src/androidTest/A.kt lib/x_spec.rb spec/models/x.rb test/x_test.rb src/ShapeTest.php
    tests/Unit/Shape.php src/tests.rs src/shape_test.cc src/shape_unittest.cc e2e/x.ts
    pkg/testdata/x.go spec/x.html
"""
SOURCES = """
    src/testing_tools.py a/contest.py latest.py attest/x.py pkg/testing/x.go pkg/spec/x.go
    src/Testing/Fake.php src/main/java/a/Latest.java lib/active/testing/x.rb src/attest.c
    src/openapi-spec.ts packages/core/testing/x.ts src/Contest.cs app/AUDIT.java
"""


@pytest.mark.parametrize("path", TESTS.split())
def test_tests_are_told_by_folder_and_name(path: str) -> None:
    assert is_test(path)


@pytest.mark.parametrize("path", SOURCES.split())
def test_what_only_sounds_like_a_test_is_source(path: str) -> None:
    assert not is_test(path)


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a/tests.py", "python"),
        ("a.spec.tsx", "javascript"),
        ("a_test.go", "go"),
        ("tests/a.rs", "rust"),
        ("a_spec.rb", "ruby"),
        ("ATest.php", "php"),
        ("TestA.java", "java"),
        ("tests/helper.py", ""),
    ],
)
def test_what_runs_a_test_file_is_told_by_its_name(path: str, language: str) -> None:
    assert language_of_tests(path) == language
    assert is_test_file(path) == bool(language)


def test_the_questions_differ_where_one_must_be_careful() -> None:
    """A model need not read django/test, and a patch must not lose it."""
    assert is_test("django/test/client.py")
    assert not re.search(only_tests(), "django/test/client.py")
    assert is_test("tests/helper.py")
    assert not is_test_file("tests/helper.py")


def test_no_regular_expression_of_the_table_matches_everything() -> None:
    for each in LANGUAGES:
        for suffix in each.suffixes:
            assert not is_test(f"src/shape{suffix}")
            assert not is_test_file(f"src/shape{suffix}")
