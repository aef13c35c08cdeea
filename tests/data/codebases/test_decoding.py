"""Encodings: text out of bytes, and the same bytes out of the text."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.codebases.codebase import SourceFile
from data.codebases.decoding import NotTextError, decode


@pytest.mark.parametrize(
    ("path", "content", "encoding", "text"),
    [
        ("a.py", b"", "utf-8", ""),
        ("a.py", "naïve\r\n\n".encode(), "utf-8", "naïve\r\n\n"),
        ("a.txt", b"\xef\xbb\xbfx", "utf-8-sig", "x"),
        ("a.txt", b"\xef\xbb\xbf", "utf-8-sig", ""),
        ("a.txt", b"\xff\xfex\0", "utf-16-le", "x"),
        ("a.txt", b"\xfe\xff\0x", "utf-16-be", "x"),
        ("a.py", b"# coding: latin-1\n# \xe9", "iso8859-1", "# coding: latin-1\n# é"),
        ("a.py", b"# coding: latin-1\n", "iso8859-1", "# coding: latin-1\n"),
        ("a.py", b"#!/bin/x\r\n# vim: fileencoding=koi8-r\r\n# \xc1", "koi8-r", None),
        ("a.py", b"# coding=shift_jis\n'\x82\xa0'\n", "shift_jis", "# coding=shift_jis\n'あ'\n"),
        ("a.py", "# coding: utf8\n# é".encode(), "utf-8", None),
        ("a.py", "# coding: unheard-of\n# é".encode(), "utf-8", None),
        ("a.py", b"# coding: rot13\n", "utf-8", None),
        ("a.py", b"# coding: punycode\n", "utf-8", None),
        ("a.py", b"# coding: unicode_escape\n\\x41", "utf-8", None),
        ("a.py", b"# coding: ascii\n# \xe9 abc", "cp1252", None),
        ("a.py", "x = 1\n# coding: latin-1\n# é".encode(), "utf-8", None),
        ("a.txt", "# coding: latin-1\n# é".encode(), "utf-8", None),
        ("a.txt", b"caf\xe9 \x93quoted\x94", "cp1252", "café “quoted”"),
        ("a.txt", b"odd \x81 one, but text all the same", "iso8859-1", None),
        ("a.txt", b"\x1b[31mred\x1b[0m", "utf-8", None),
    ],
)
def test_text(path: str, content: bytes, encoding: str, text: str | None) -> None:
    found, name = decode(path, content)
    assert name == encoding
    assert text is None or found == text
    assert SourceFile(path, found, name).encode() == content


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"a\0b", "binary"),
        (b"\xff\xfea\0\0\0", "binary"),
        (b"\xff\xfea", "binary"),
        (b"\xff\xfe\0\xd8", "binary"),
        (b"\xff\xfe\0\0a\0\0\0", "binary"),
        (b"\x89PNG\x01\x02\x03", "neither"),
        ("漢字だけの文".encode("euc_jp"), "neither"),
    ],
)
def test_what_is_no_text(content: bytes, why: str) -> None:
    with pytest.raises(NotTextError, match=why):
        decode("a.py", content)


@given(st.binary(max_size=300), st.sampled_from(["a.py", "a.txt"]))
def test_bytes_come_back(content: bytes, path: str) -> None:
    try:
        text, encoding = decode(path, content)
    except NotTextError:
        return
    assert SourceFile(path, text, encoding).encode() == content
    text.encode("utf-8")


@given(
    st.text(max_size=100),
    st.sampled_from(["latin-1", "cp1251", "gb18030", "euc_kr", "iso2022_jp", "utf-7", "big5"]),
)
def test_bytes_come_back_under_any_cookie(text: str, name: str) -> None:
    content = f"# coding: {name}\n".encode() + text.encode(name, "replace")
    if b"\0" in content:
        return
    found, encoding = decode("a.py", content)
    assert SourceFile("a.py", found, encoding).encode() == content


@given(st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"])))
def test_utf16_comes_back(text: str) -> None:
    for mark, name in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        content = mark + text.encode(name)
        assert decode("a", content) == (text, name)
        assert SourceFile("a", text, name).encode() == content


def test_an_edit_that_the_encoding_lacks() -> None:
    file = SourceFile("a.py", "é", "iso8859-1")
    assert file.encode("è") == b"\xe8"
    with pytest.raises(UnicodeEncodeError):
        file.encode("漢")
