"""What PostgreSQL needs in addition: connections that can carry any text, byte order, `content`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event

from data.errors import StoreError
from runs.store.tables import Base

if TYPE_CHECKING:
    from collections.abc import Mapping

OLDEST = 12
"""The oldest version that is supported."""
_CONNECT_S = 10
"""Seconds after which a server that does not answer counts as absent."""


def postgres_engine(url: sa.URL, options: Mapping[str, Any] | None = None) -> sa.Engine:
    """An engine for a PostgreSQL database; `options` are its execution options.

    Connecting raises `StoreError` if the database cannot hold every text.
    """
    # Overrides URL and environment. Otherwise texts may come back as bytes, or not at all.
    told: dict[str, Any] = {"client_encoding": "utf8"}
    if "connect_timeout" not in url.query and "PGCONNECT_TIMEOUT" not in os.environ:
        told["connect_timeout"] = _CONNECT_S
    engine = sa.create_engine(url, connect_args=told, execution_options=options or {})
    event.listen(engine, "connect", _check, insert=True)
    return engine


def _check(connection: Any, _record: object) -> None:
    """Refuse an old server, and a database with another encoding."""
    version = connection.info.server_version // 10_000
    encoding = connection.info.parameter_status("server_encoding")
    name = connection.info.dbname
    if version >= OLDEST and encoding == "UTF8":
        return
    connection.close()
    if version < OLDEST:
        raise StoreError(
            f"The database server is PostgreSQL {version}, which is too old.",
            hint=f"Troop needs PostgreSQL {OLDEST} or newer.",
        )
    raise StoreError(
        f"The database's encoding is {encoding}. It must be UTF8, because code and replies"
        " may contain any character.",
        hint=f"Make another database: createdb -E UTF8 -T template0 {name}-utf8",
    )


def order_by_bytes(connection: sa.Connection) -> None:
    """Make every text column sort as in SQLite and Python, whatever the locale is."""
    columns = connection.exec_driver_sql(
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod)"
        " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema()"
        " JOIN pg_collation o ON o.oid = a.attcollation AND o.collname <> 'C'"
        " WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped"
        " ORDER BY c.relname, a.attnum"
    ).all()
    changes: dict[str, list[str]] = {}
    for table, column, kind in columns:
        if table in Base.metadata.tables:
            change = f'ALTER COLUMN "{column}" TYPE {kind} COLLATE "C"'
            changes.setdefault(table, []).append(change)
    for table, each in changes.items():
        connection.exec_driver_sql(f'ALTER TABLE "{table}" {", ".join(each)}')


def add_content(connection: sa.Connection) -> None:
    """Create the function content(digest), which gives a stored text, for all users."""
    connection.exec_driver_sql(_CONTENT, execution_options={"no_parameters": True})


_CONTENT = r"""
CREATE OR REPLACE FUNCTION content(wanted text) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    stored bytea;
    ascii text;
    found text[];
BEGIN
    SELECT data INTO stored FROM blob WHERE digest = wanted;
    RETURN convert_from(stored, 'UTF8');
EXCEPTION WHEN character_not_in_repertoire THEN
    -- NUL characters and lone surrogates, which no SQL text can hold: "\x00" and "\udcff".
    -- "escape" leaves ASCII, in which a paragraph sign can stand for a backslash.
    ascii := replace(encode(stored, 'escape'), '\\', '¶');
    ascii := replace(ascii, '\000', '¶x00');
    FOR found IN
        SELECT DISTINCT regexp_matches(ascii, '\\355\\2([4-7])([0-7])\\2([0-7])([0-7])', 'g')
    LOOP
        ascii := replace(
            ascii,
            format('\355\2%s%s\2%s%s', found[1], found[2], found[3], found[4]),
            '¶u' || to_hex(
                53248 + 512 * found[1]::int + 64 * found[2]::int + 8 * found[3]::int + found[4]::int
            )
        );
    END LOOP;
    RETURN convert_from(decode(replace(ascii, '¶', '\\'), 'escape'), 'UTF8');
END $$
"""
