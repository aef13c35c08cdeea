"""Texts, each stored once, under the digest of its content.

In SQLite they are compressed. PostgreSQL compresses by itself, so they are stored as they are
there, and its own function `content` can read them.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import zstandard
from sqlalchemy import select

from data.errors import StoreError
from runs.store.dialect import insert_missing
from runs.store.tables import BlobTable

if TYPE_CHECKING:
    from sqlalchemy import Connection, SelectBase

LARGEST_TEXT = 256 << 20
"""Bytes of the largest text that is read."""
_LARGEST_TEXTS = 2 << 30
"""Bytes of all texts that one query reads."""
_COMPRESSED = b"\x28\xb5\x2f\xfd"
"""What zstd's frames begin with. No text in UTF-8 begins with it."""


def digest_of(text: str) -> str:
    """SHA-256 (hex) of a text."""
    return hashlib.sha256(_encode(text)).hexdigest()


def put_text(connection: Connection, text: str, known: set[str]) -> str:
    """Store `text` unless it is there; its digest. `known` has the digests known to be there."""
    raw = _encode(text)
    digest = hashlib.sha256(raw).hexdigest()
    if digest not in known:
        data = raw if connection.dialect.name == "postgresql" else zstandard.compress(raw)
        insert_missing(connection, BlobTable, {"digest": digest, "size": len(raw), "data": data})
        known.add(digest)
    return digest


def get_text(connection: Connection, digest: str) -> str:
    """The text of a digest.

    Raises:
        StoreError: there is no such text, or it is damaged.
    """
    row = connection.execute(
        select(BlobTable.size, BlobTable.data).where(BlobTable.digest == digest)
    ).first()
    if row is None:
        raise _lacking(digest)
    return expand(row.data, row.size)


class Texts(dict[str, str]):
    """Texts by digest, read in one query."""

    def of(self, digest: str | None) -> str:
        """A text; "" for none.

        Raises:
            StoreError: the database lacks it.
        """
        return self[digest] if digest else ""

    def __missing__(self, digest: str) -> str:
        raise _lacking(digest)


def get_texts(connection: Connection, digests: SelectBase) -> Texts:
    """The texts whose digests `digests` finds, read in one query.

    Raises:
        StoreError: one is damaged.
    """
    query = select(BlobTable.digest, BlobTable.size, BlobTable.data)
    found = connection.execute(query.where(BlobTable.digest.in_(digests)))
    texts, left = Texts(), _LARGEST_TEXTS
    for row in found:
        left -= row.size
        if left < 0:
            raise _damaged(f"texts of more than {_LARGEST_TEXTS >> 30} GB belong together")
        texts[row.digest] = expand(row.data, row.size)
    return texts


def _lacking(digest: str) -> StoreError:
    return StoreError(f"The database lacks the text {digest}.", hint="It is damaged: restore it.")


def expand(data: bytes, size: int) -> str:
    """A stored text; `size` is its length in bytes.

    Raises:
        StoreError: it is damaged.
    """
    try:
        raw = data
        if data.startswith(_COMPRESSED):
            raw = _unfolded(data, size)
        return raw.decode("utf-8", "surrogatepass")
    except (zstandard.ZstdError, UnicodeDecodeError) as error:
        raise _damaged(str(error)) from error


def _unfolded(data: bytes, size: int) -> bytes:
    """The `size` bytes of a text, and never more, whatever the frame says of itself."""
    if not 0 <= size <= LARGEST_TEXT:
        raise _damaged(f"its length is {size:,} bytes")
    with zstandard.ZstdDecompressor().stream_reader(data) as reader:
        raw = reader.read(size + 1)
    if len(raw) != size:
        raise _damaged(f"it does not have {size:,} bytes")
    return raw


def _damaged(why: str) -> StoreError:
    return StoreError(f"A text in the database is damaged: {why}", hint="Restore the database.")


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
