"""A quick choice of files by words, before a model reads them: BM25, as in SQLite's FTS5."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from data.languages.words import NAME, PART

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.codebases.codebase import SourceFile

PATH_WEIGHT = 4.0
"""How much more a word in the path counts than a word in the text."""


def best_matches(files: Sequence[SourceFile], query: str, count: int) -> list[SourceFile]:
    """The `count` files that match the words of `query` best, the best first.

    Identifiers are matched whole and by their parts (`from_file`, `fromFile`).
    """
    words = {part.lower() for word in NAME.findall(query) for part in [word, *_parts(word)]}
    if not words or count >= len(files):
        return list(files[:count])
    with sqlite3.connect(":memory:") as database:
        database.execute("CREATE VIRTUAL TABLE file USING fts5(path, text, content='')")
        database.executemany(
            "INSERT INTO file(rowid, path, text) VALUES (?, ?, ?)",
            ((row, _split(file.path), _split(file.text)) for row, file in enumerate(files)),
        )
        found = database.execute(
            "SELECT rowid FROM file WHERE file MATCH ? ORDER BY bm25(file, ?, 1.0), rowid LIMIT ?",
            (" OR ".join(f'"{word}"' for word in sorted(words)), PATH_WEIGHT, count),
        ).fetchall()
    database.close()
    return [files[row] for (row,) in found]


def _parts(word: str) -> list[str]:
    parts = [part for part in PART.findall(word) if len(part) > 2]  # noqa: PLR2004 - "of", "to"
    return parts if len(parts) > 1 else []


def _split(text: str) -> str:
    """`text` with the parts of its compound identifiers beside them."""
    text = text.encode("utf-8", "replace").decode()
    return NAME.sub(lambda match: " ".join([match.group(), *_parts(match.group())]), text)
