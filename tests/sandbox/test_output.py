"""Output becomes bounded, valid, harmless text, wherever it is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.output import BoundedText, escape_controls


def collected(limit: int, *pieces: bytes) -> str:
    text = BoundedText(limit)
    for piece in pieces:
        text.feed(piece)
    return text.text()


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([], ""),
        ([b"plain\n\tand tab"], "plain\n\tand tab"),
        (["ä€😀".encode()], "ä€😀"),
        ([b"\xf0", b"\x9f", b"\x98", b"\x80!"], "😀!"),
        ([b"\xe2\x82", b"x"], "\ufffdx"),
        ([b"cut \xe2\x82"], "cut \ufffd"),
        ([b"\xff\xfe"], "\ufffd\ufffd"),
        ([b"a\r\nb\n"], "a\nb\n"),
        ([b"a\r", b"\nb"], "a\nb"),
        ([b"a\r", b"b"], "a\\x0db"),
        ([b"a\r", b"\r", b"\n"], "a\\x0d\n"),
        ([b"a\r"], "a\\x0d"),
        ([b"\x1b[31mred\x07"], "\\x1b[31mred\\x07"),
        ([b"\x00\x7f", "\x85\x9f".encode()], "\\x00\\x7f\\x85\\x9f"),
        ([b"", b"x", b""], "x"),
    ],
)
def test_bytes_become_text(pieces: list[bytes], expected: str) -> None:
    assert collected(1000, *pieces) == expected


@pytest.mark.parametrize(
    ("limit", "data", "expected"),
    [
        (10, b"0123456789", "0123456789"),
        (10, b"0123456789A", "01234\n[... 1 characters left out ...]\n6789A"),
        (11, b"0123456789ABC", "01234\n[... 2 characters left out ...]\n789ABC"),
        (4, b"a\nbcdef", "a\n[... 3 characters left out ...]\nef"),
        (1, b"abc", "[... 2 characters left out ...]\nc"),
        (0, b"abc", "[... 3 characters left out ...]\n"),
        (0, b"", ""),
        (8, b"\x1b" * 3, "\\x1b\n[... 4 characters left out ...]\n\\x1b"),
        (4, "äöüßé".encode(), "äö\n[... 1 characters left out ...]\nßé"),
    ],
)
def test_the_middle_is_cut(limit: int, data: bytes, expected: str) -> None:
    assert collected(limit, data) == expected
    assert collected(limit, *(data[i : i + 1] for i in range(len(data)))) == expected


@given(
    limit=st.integers(0, 40),
    pieces=st.lists(st.one_of(st.binary(max_size=30), st.sampled_from([b"\r", b"\n", b"\xe2"]))),
)
def test_it_does_not_matter_how_output_comes_in_pieces(limit: int, pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    assert collected(limit, *pieces) == collected(limit, whole)
    complete = collected(10**6, whole)
    bounded = collected(limit, whole)
    if len(complete) <= limit:
        assert bounded == complete
    else:
        assert f"[... {len(complete) - limit} characters left out ...]" in bounded
        assert bounded.startswith(complete[: limit // 2])
        assert limit == 0 or bounded.endswith(complete[-(limit - limit // 2) :])
    bounded.encode()
    assert escape_controls(bounded) == bounded


def test_bytes_are_counted_and_memory_is_not_taken() -> None:
    text = BoundedText(100)
    for _ in range(1000):
        text.feed(b"\x00" * 1000)
    assert text.total_bytes == 1_000_000
    assert len(text.text()) < 200
