"""JSON and JSON Lines files as records that know their place in the file.

Every error about a record names its file and its line, or its row if the file
does not have one line for each (an array, a table).
"""

from __future__ import annotations

import codecs
import json
import reprlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.errors import UsageError
from data.inputs import read_input, refuse_utf16

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_KINDS = {
    "NoneType": "null",
    "bool": "true or false",
    "int": "a number",
    "float": "a number",
    "list": "a list",
    "dict": "an object",
    "str": "text",
}


@dataclass(frozen=True, slots=True)
class Record:
    """One row: a JSON object, or a row of a table."""

    where: str
    """For people: "rows.jsonl, line 3"."""
    values: Mapping[str, object]

    def text(self, name: str) -> str | None:
        """Return the text in column `name`; None if it is missing or null.

        Raises:
            UsageError: it holds something else.
        """
        value = self.values.get(name)
        if value is None or isinstance(value, str):
            return value
        raise self.error(f"{name} must be text, not {kind_of(value)}: {_excerpt(value)}")

    def required(self, name: str) -> str:
        """Return the text in column `name`, which must not be blank.

        Raises:
            UsageError: it is missing, null, blank or not text.
        """
        value = self.text(name)
        if value is None:
            why = "is null" if name in self.values else "is missing"
            raise self.error(f"{name} {why}")
        if not value.strip():
            raise self.error(f"{name} is empty")
        return value

    def error(self, complaint: str, *, hint: str = "") -> UsageError:
        """Make an error about this record that says where it is; `complaint` has no full stop."""
        return UsageError(f"{self.where}: {complaint}.", hint=hint)


def kind_of(value: object) -> str:
    """The kind of a JSON value, in words for people."""
    return _KINDS.get(type(value).__name__, type(value).__name__)


def read_content(path: Path) -> bytes:
    """Read a file that must hold something.

    Raises:
        UsageError: it is missing, a folder, unreadable, empty or UTF-16.
    """
    content = read_input(path)
    refuse_utf16(path, content)
    if not content.strip():
        raise UsageError(f"{path} is empty.", hint="Was it written to the end?")
    return content


def read_json(path: Path) -> list[Record] | dict[str, object]:
    """Read a JSON file (an array of objects, or one object) or a JSON Lines file.

    One object comes back as it is, everything else as records.

    Raises:
        UsageError: the file cannot be read or is malformed; names the line.
    """
    content = read_content(path)
    content = content.removeprefix(codecs.BOM_UTF8)
    if not _is_one_document(path, content):
        return list(_lines(path, content))
    document = _parse(content, f"{path}, line")
    if isinstance(document, dict):
        return document
    if not isinstance(document, list):
        raise UsageError(f"{path} holds {kind_of(document)}, not an array of objects.")
    return [_record(f"{path}, row {number}", row) for number, row in enumerate(document, 1)]


def _is_one_document(path: Path, content: bytes) -> bool:
    """Whether it is one array or object, judged by content, because people mix up suffixes."""
    first, _, rest = content.strip().partition(b"\n")
    if first.startswith(b"[") or not rest or first.rstrip() == b"{":
        return True
    return path.suffix == ".json" and not first.rstrip().endswith(b"}")


def _lines(path: Path, content: bytes) -> Iterator[Record]:
    # Not splitlines(), because a JSON string may hold U+2028 and similar characters.
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.strip():
            where = f"{path}, line {number}"
            yield _record(where, _parse(line, where, numbered=True))


def _parse(content: bytes, where: str, *, numbered: bool = False) -> object:
    """Parse one JSON value; `where` still lacks the line's number unless `numbered`."""

    def place(line: int) -> str:
        return where if numbered else f"{where} {line}"

    if b"\0" in content:
        line = content[: content.index(b"\0")].count(b"\n") + 1
        raise UsageError(
            f"{place(line)}: holds NUL bytes.",
            hint="The file is damaged, often by a crash while it was written. Write it again.",
        )
    try:
        return json.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        why = f"is not UTF-8 (byte 0x{content[error.start]:02x})"
        raise UsageError(f"{place(line)}: {why}.", hint="Save the file as UTF-8.") from error
    except json.JSONDecodeError as error:
        why = f"malformed JSON at column {error.colno}: {error.msg}"
        raise UsageError(f"{place(error.lineno)}: {why}.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{place(1)}: cannot be read as JSON: {error}.") from error


def _record(where: str, row: object) -> Record:
    if not isinstance(row, dict):
        raise UsageError(f"{where}: holds {kind_of(row)}, not an object.")
    return Record(where, row)


def _excerpt(value: object) -> str:
    return reprlib.repr(value)
