"""Texts by content: compressed, stored once."""

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


def digest_of(text: str) -> str:
    """SHA-256 (hex) of a text."""
    return hashlib.sha256(_encode(text)).hexdigest()


def put_text(connection: Connection, text: str, known: set[str]) -> str:
    """Store `text` unless it is there; its digest. `known` remembers what is."""
    raw = _encode(text)
    digest = hashlib.sha256(raw).hexdigest()
    if digest not in known:
        row = {"digest": digest, "size": len(raw), "data": zstandard.compress(raw)}
        insert_missing(connection, BlobTable, row)
        known.add(digest)
    return digest


def get_text(connection: Connection, digest: str) -> str:
    """The text of a digest.

    Raises:
        StoreError: there is none, or it is damaged.
    """
    row = connection.execute(
        select(BlobTable.size, BlobTable.data).where(BlobTable.digest == digest)
    ).first()
    if row is None:
        raise _lacking(digest)
    return expand(row.data, row.size)


class Texts(dict[str, str]):
    """Texts by digest, read at once."""

    def of(self, digest: str | None) -> str:
        """A text; "" for none.

        Raises:
            StoreError: the database lacks it.
        """
        return self[digest] if digest else ""

    def __missing__(self, digest: str) -> str:
        raise _lacking(digest)


def get_texts(connection: Connection, digests: SelectBase) -> Texts:
    """The texts whose digests a query finds, with one query.

    Raises:
        StoreError: one is damaged.
    """
    query = select(BlobTable.digest, BlobTable.size, BlobTable.data)
    found = connection.execute(query.where(BlobTable.digest.in_(digests)))
    return Texts((row.digest, expand(row.data, row.size)) for row in found)


def _lacking(digest: str) -> StoreError:
    return StoreError(f"the database lacks the text {digest}", hint="it is damaged: restore it")


def expand(data: bytes, size: int) -> str:
    """A stored text.

    Raises:
        StoreError: it is damaged.
    """
    try:
        raw = zstandard.decompress(data, max_output_size=size + 1)
    except zstandard.ZstdError as error:
        raise StoreError(
            f"a text in the database is damaged: {error}", hint="restore it"
        ) from error
    return raw.decode("utf-8", "surrogatepass")


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
