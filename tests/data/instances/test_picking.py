"""Picking instances: the order of its steps, and what is said of bad values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from data.errors import UsageError
from data.instances.instance import Environment, Instance
from data.instances.picking import Picking, pick, read_ids

if TYPE_CHECKING:
    from pathlib import Path

IDS = ["b-1", "a-1", "b-2", "a-2", "b-3", "a-3"]


def instances(ids: list[str]) -> list[Instance]:
    return [Instance(name, "r", "c", "issue", Environment()) for name in ids]


def picked(ids: list[str], **asked: Any) -> list[str]:
    return [each.instance_id for each in pick(instances(ids), Picking(**asked))]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, IDS),
        ({"filter": "a"}, ["a-1", "a-2", "a-3"]),
        ({"filter": "a-[12]$|b-3"}, ["a-1", "a-2", "b-3"]),
        ({"filter": ".*-2"}, ["b-2", "a-2"]),
        ({"exclude": ["a-1", "b-1", "unknown"]}, ["b-2", "a-2", "b-3", "a-3"]),
        ({"slice": ":2"}, ["b-1", "a-1"]),
        ({"slice": "1:3"}, ["a-1", "b-2"]),
        ({"slice": "-2:"}, ["b-3", "a-3"]),
        ({"slice": "::2"}, ["b-1", "b-2", "b-3"]),
        ({"slice": "::-1"}, IDS[::-1]),
        ({"slice": " 4 : 100 "}, ["b-3", "a-3"]),
        ({"slice": ""}, IDS),
        ({"filter": "b", "exclude": ["b-1"], "slice": "1:"}, ["b-3"]),
    ],
)
def test_filter_exclude_slice(asked: dict[str, Any], expected: list[str]) -> None:
    assert picked(IDS, **asked) == expected


def test_shuffling_is_repeatable_and_comes_before_slicing() -> None:
    ids = [f"i-{number:02}" for number in range(50)]
    whole = picked(ids, shuffle=True, seed=7)
    assert sorted(whole) == ids
    assert whole not in (ids, picked(ids, shuffle=True, seed=8), picked(ids, shuffle=True))
    assert picked(ids[::-1], shuffle=True, seed=7) == whole
    assert picked(ids, shuffle=True, seed=7, slice=":5") == whole[:5]
    kept = picked(ids, shuffle=True, seed=7, exclude=whole[:5], filter="i-[01]")
    assert sorted(kept) == sorted(name for name in ids[:20] if name not in whole[:5])


def test_the_order_is_mini_swe_agents() -> None:
    """Of random.seed(42) and random.shuffle on the sorted ids."""
    assert picked(IDS, shuffle=True) == ["b-1", "a-2", "a-3", "b-2", "a-1", "b-3"]


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"filter": "("}, r"--filter '\(' is not a regular expression"),
        ({"filter": "x{99999999999999999999}"}, "is not a regular expression"),
        ({"slice": "5"}, "--slice 5 has no colon"),
        ({"slice": "a:b"}, "--slice a:b is not a slice"),
        ({"slice": "1:2:3:4"}, "is not a slice"),
        ({"slice": "::0"}, "is not a slice"),
        ({"slice": "1.5:"}, "is not a slice"),
        ({"filter": "-1"}, "--filter '-1' leaves none of 6 instances"),
        ({"filter": "a", "exclude": IDS}, "--exclude leaves none of 3 instances"),
        ({"filter": "a-1", "slice": "1:"}, r"--slice 1: leaves none of 1 instance\."),
        ({"slice": "3:3"}, "--slice 3:3 leaves none of 6"),
    ],
)
def test_bad_values_and_nothing_left(asked: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint) as caught:
        picked(IDS, **asked)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a__b-1\nc__d-2\n", ["a__b-1", "c__d-2"]),
        ("# broken\n\n  a__b-1  # why\r\n\tc#d-2\n", ["a__b-1", "c#d-2"]),
        ("\ufeffa__b-1", ["a__b-1"]),
        (json.dumps(["a__b-1", "c__d-2"], indent=2), ["a__b-1", "c__d-2"]),
        ("# none yet\n", []),
        ("[]", []),
        ("", []),
    ],
)
def test_lists_of_ids(tmp_path: Path, text: str, expected: list[str]) -> None:
    (tmp_path / "ids").write_text(text, encoding="utf-8")
    assert read_ids(tmp_path / "ids") == expected


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"a__b-1\na__b-2, a__b-3\n", "line 2: 'a__b-2, a__b-3' is not an id"),
        (b'["a", 3]', "entry 2: a number is not an id"),
        (b'["a",', "malformed JSON"),
        (b'{"a": 1}', "holds an object, not a list"),
        (b"\xff", "is not UTF-8"),
    ],
)
def test_lists_that_are_none(tmp_path: Path, content: bytes, complaint: str) -> None:
    (tmp_path / "ids").write_bytes(content)
    with pytest.raises(UsageError, match=complaint) as caught:
        read_ids(tmp_path / "ids")
    assert caught.value.hint
    with pytest.raises(UsageError, match="There is no file"):
        read_ids(tmp_path / "missing")
