"""From a file's bytes to text that encodes back to the same bytes."""

from __future__ import annotations

import codecs
import re

_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BLANK_OR_COMMENT = re.compile(rb"^[ \t\f]*(?:#.*)?$")
_CHARACTER_SETS = re.compile(
    r"ascii|iso8859-\d+|iso2022_\w+|cp\d+|koi8-\w|mac-\w+|euc_\w+|shift_jis\w*|gb\w+|big5\w*|johab"
)
"""Codecs that a cookie may name. Others (punycode, unicode_escape) are slow or not for text."""

_ODD_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\v\b\x1b")) + b"\x7f"
_HIGH = bytes(range(128, 256))
_MOST_HIGH = 0.3
"""Western text has a smaller share of bytes beyond ASCII; other scripts would be garbled."""


class NotTextError(ValueError):
    """The bytes are not text that can be read; the message says why."""


def decode(path: str, content: bytes) -> tuple[str, str]:
    """The text of `content` and its encoding, as `SourceFile` names it.

    Tried in this order: a byte order mark (UTF-8, UTF-16), the cookie of a Python file
    (PEP 263), UTF-8, and a Western 8-bit encoding if it looks like one.

    Raises:
        NotTextError: the file is binary, or its encoding is not known.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _decode_utf16(content)
    if b"\0" in content:
        raise NotTextError("binary (holds NUL bytes)")
    if content.startswith(codecs.BOM_UTF8):
        encodings = ["utf-8-sig"]
    else:
        cookie = _cookie(content) if path.endswith((".py", ".pyi", ".pyw")) else None
        encodings = [cookie, "utf-8"] if cookie else ["utf-8"]
    for encoding in encodings:
        text = _exactly(content, encoding)
        if text is not None:
            return text, encoding
    if not _looks_western(content):
        raise NotTextError("neither UTF-8 nor text in an encoding we can tell")
    for encoding in ("cp1252", "iso8859-1"):
        text = _exactly(content, encoding)
        if text is not None:
            return text, encoding
    raise AssertionError("iso8859-1 decodes anything")


def _decode_utf16(content: bytes) -> tuple[str, str]:
    encoding = "utf-16-le" if content.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
    text = _exactly(content[2:], encoding)
    if text is None or "\0" in text:
        raise NotTextError("binary (begins like UTF-16, but is not)")
    return text, encoding


def _exactly(content: bytes, encoding: str) -> str | None:
    """The text, if it encodes back to `content`."""
    try:
        text = content.decode(encoding)
        # UTF-8 has one form for each text, so only other encodings are encoded back.
        exact = encoding in {"utf-8", "utf-8-sig"} or text.encode(encoding) == content
    except (UnicodeError, LookupError):
        return None
    return text if exact else None


def _cookie(content: bytes) -> str | None:
    """The codec that a Python file names in its first two lines, unless it is UTF-8."""
    for line in content[:1000].split(b"\n")[:2]:
        found = _COOKIE.match(line)
        if found:
            try:
                name = codecs.lookup(found[1].decode("ascii")).name
            except (LookupError, UnicodeError):
                return None
            return name if _CHARACTER_SETS.fullmatch(name) else None
        if not _BLANK_OR_COMMENT.match(line.rstrip(b"\r")):
            return None
    return None


def _looks_western(content: bytes) -> bool:
    if len(content.translate(None, _ODD_CONTROLS)) != len(content):
        return False
    high = len(content) - len(content.translate(None, _HIGH))
    return high <= _MOST_HIGH * len(content)
