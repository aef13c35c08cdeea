"""Paths inside a repository."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import UsageError
from data.paths import (
    check_editable,
    decode_path,
    encode_path,
    file_name,
    is_git_internal,
    plain_path,
    show_path,
)


@given(st.binary())
def test_bytes_come_back(path: bytes) -> None:
    assert encode_path(decode_path(path)) == path


def test_plain() -> None:
    assert plain_path("./a//b/./c/") == "a/b/c"
    assert plain_path(".") == ""
    assert plain_path("...") == "..."


@pytest.mark.parametrize(
    "path",
    [
        *["", ".", "/a", "../a", "a/../b", "a//b", "./a", "a/", "a\0", ".git/hooks/x", "a/.GIT"],
        *["x" * 256, "é" * 128, "a/" * 2100 + "b"],
    ],
)
def test_refused_in_patches(path: str) -> None:
    with pytest.raises(UsageError):
        check_editable(path)


@pytest.mark.parametrize("path", ["a", ".gitignore", "a b/c\td\n", "\udcff.py", "a\\b", "-x"])
def test_fine_in_patches(path: str) -> None:
    check_editable(path)
    assert "\n" not in show_path(path)


def test_git_internal() -> None:
    assert is_git_internal("a/.Git/b")
    assert not is_git_internal(".github/workflows")


@pytest.mark.parametrize("name", ["django__django-1", "a.b", "x", "a@b", "org+x"])
def test_a_plain_name_is_its_own_file_name(name: str) -> None:
    assert file_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["../x", "/etc/passwd", ".", "..", "", "a/b", "a\0b", "a\nb", "x" * 300, "..\\x", "\udc80"],
)
def test_any_text_becomes_the_name_of_one_file(name: str) -> None:
    made = file_name(name)
    assert "/" not in made
    assert "\0" not in made
    assert made not in {"", ".", ".."}
    assert len(made) < 200
    assert file_name(name + "x") != made
