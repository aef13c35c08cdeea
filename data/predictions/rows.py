"""The rows of a predictions file, read one by one, even if some are damaged.

JSON Lines, an array, an object keyed by instance id (mini-swe-agent's and
SWE-agent's `preds.json`), or one single prediction. A row that cannot be read says
why, and the others are still read, even if the file is cut off. Only one line is in
memory at a time, and lines that are too long never are.
"""

from __future__ import annotations

import codecs
import io
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, TextIO

from data.errors import UsageError
from data.inputs import open_input
from data.predictions.columns import COLUMNS
from data.records import Record, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

LONGEST_LINE = 32_000_000
"""The longest line of JSON Lines, in characters. A longer line is refused unread."""
LARGEST_DOCUMENT = 512_000_000
"""The largest array or object, in characters, because it has to be in memory as a whole."""

_BLANK = re.compile(r"[ \t\n\r]*")
_NAMED = re.compile(r'"instance_id"\s{0,9}:\s{0,9}"([^"\\]{1,200})"')
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    *((start.encode(name), name) for start in "{[" for name in ("utf-16-le", "utf-16-be")),
)
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Row:
    """One prediction as the file has it, or why it cannot be read."""

    where: str
    values: Mapping[str, object] = field(default_factory=dict)
    why: str = ""
    """Why it cannot be read; "": `values` holds it."""
    name: str = ""
    """The instance of a row that cannot be read, if it is known."""

    @property
    def record(self) -> Record:
        """The row as a record, for looking up columns."""
        return Record(self.where, self.values)


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a predictions file, in its order.

    Raises:
        UsageError: there is no such file, or it cannot be read, is empty, or is not JSON.
    """
    with open_input(path) as file:
        try:
            encoding = _encoding(path, file)
            errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
            with io.TextIOWrapper(file, encoding, errors, newline="\n") as text:
                yield from (_document if _is_document(path, text) else _lines)(path, text)
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}.") from error


def _encoding(path: Path, file: BinaryIO) -> str:
    start = file.read(4)
    file.seek(0)
    if start == b"PAR1":
        raise UsageError(f"{path} is parquet.", hint="Predictions are JSON or JSON Lines.")
    return next((name for mark, name in _MARKS if start.startswith(mark)), "utf-8")


def _is_document(path: Path, file: TextIO) -> bool:
    """Whether it is one array or object, judged by content, because people mix up suffixes."""
    first = ""
    while not first:
        line = file.readline(LONGEST_LINE)
        if not line:
            raise UsageError(f"{path} is empty.", hint="Was it written to the end?")
        first = line.strip()
    begins = first[0] if len(line) == LONGEST_LINE else first
    ended = first.endswith("}") or len(line) == LONGEST_LINE
    while line and not line.endswith("\n"):
        line = file.readline(LONGEST_LINE)
    more = any(file.readline(LONGEST_LINE).strip() for _ in range(3))
    file.seek(0)
    if begins.startswith("[") or begins == "{" or not more:
        return True
    return path.suffix == ".json" and not ended


def _lines(path: Path, file: TextIO) -> Iterator[Row]:
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        where = f"{path}, line {number}"
        if len(line) == LONGEST_LINE and not line.endswith("\n"):
            yield _too_long(where, line, file)
        elif line.strip():
            yield _line(where, line)


def _too_long(where: str, line: str, file: TextIO) -> Row:
    name = _named(line)
    while line and not line.endswith("\n"):
        line = file.readline(LONGEST_LINE)
    million = LONGEST_LINE // 10**6
    return Row(where, why=f"the line is longer than {million} million characters", name=name)


def _line(where: str, line: str) -> Row:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Row(where, why=_complaint(line, error), name=_named(line))
    return _row(where, value, line)


def _row(where: str, value: object, text: str = "") -> Row:
    if not isinstance(value, dict):
        return Row(where, why=f"holds {kind_of(value)}, not an object")
    why = "" if text.isascii() else _undecoded(text)
    return Row(where, value, why=why, name=_named(text) if why else "")


def _document(path: Path, file: TextIO) -> Iterator[Row]:
    text = file.read(LARGEST_DOCUMENT)
    if len(text) == LARGEST_DOCUMENT:
        raise UsageError(
            f"{path} is one JSON value of over {LARGEST_DOCUMENT // 10**6} million characters.",
            hint="Write it as JSON Lines, one prediction a line.",
        )
    place = _past_blanks(text, 0)
    if text[place : place + 1] not in {"[", "{"}:
        yield _line(f"{path}, line 1", text[place:])
        return
    number = 0
    lone: dict[str, object] = {}
    try:
        for key, value, at in _members(text, place):
            number += 1
            if key is None:
                yield _row(f"{path}, row {number}", value)
            elif key in COLUMNS or lone:
                lone[key] = value
            else:
                yield _keyed(f"{path}, {key}", key, value)
            place = at
    except (ValueError, RecursionError) as error:
        at = getattr(error, "pos", place)
        line = text.count("\n", 0, at) + 1
        tail = text[place : place + 2000]
        yield Row(f"{path}, line {line}", why=_complaint(tail, error), name=_named(tail))
        return
    if lone:
        yield _row(f"{path}, row 1", lone)


def _keyed(where: str, name: str, value: object) -> Row:
    if isinstance(value, str) or value is None:
        value = {"model_patch": value}
    if not isinstance(value, dict):
        return Row(where, why=f"holds {kind_of(value)}, not a prediction", name=name)
    inner = value.get("instance_id", name)
    if inner != name:
        return Row(where, why=f"its instance_id says {inner!r:.200}", name=name)
    return _row(where, {**value, "instance_id": name})


def _members(text: str, place: int) -> Iterator[tuple[str | None, object, int]]:
    """Yield key (None in an array), value and the place after it, until there is an error.

    Raises:
        ValueError: it is malformed or cut off at this place.
    """
    keyed, close = text[place] == "{", "}" if text[place] == "{" else "]"
    place = _past_blanks(text, place + 1)
    while text[place : place + 1] != close:
        key = None
        if keyed:
            key, place = _DECODER.raw_decode(text, place)
            if not isinstance(key, str):
                raise json.JSONDecodeError("a key must be text", text, place)
            place = _expected(text, place, ":")
        value, place = _DECODER.raw_decode(text, place)
        yield key, value, place
        place = _past_blanks(text, place)
        if text[place : place + 1] != close:
            place = _expected(text, place, ",")
    place = _past_blanks(text, place + 1)
    if text[place:].strip("\0 \t\r\n"):
        raise json.JSONDecodeError("more after its end", text, place)


def _expected(text: str, place: int, sign: str) -> int:
    place = _past_blanks(text, place)
    if text[place : place + 1] != sign:
        raise json.JSONDecodeError(f"{sign!r} is missing", text, place)
    return _past_blanks(text, place + 1)


def _past_blanks(text: str, place: int) -> int:
    found = _BLANK.match(text, place)
    return found.end() if found else place


def _complaint(text: str, error: Exception) -> str:
    if "\0" in text:
        return "holds NUL bytes; the file is damaged, often by a crash while it was written"
    if isinstance(error, json.JSONDecodeError):
        return f"malformed JSON at column {error.colno}: {error.msg}; is it cut off?"
    return f"cannot be read as JSON: {str(error)[:200]}"


def _undecoded(text: str) -> str:
    """Say which byte of a file was not UTF-8. Escapes in its JSON do not get here."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        return f"is not UTF-8 (byte 0x{ord(text[error.start]) & 0xFF:02x})"
    return ""


def _named(text: str) -> str:
    found = _NAMED.search(text[:5000])
    return found[1] if found else ""
