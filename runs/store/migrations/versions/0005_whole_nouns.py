"""Whole nouns: environments, scripts with their interpreters, sources, modes by name, graders."""

import hashlib
import json
import shlex
from itertools import groupby
from operator import attrgetter

import sqlalchemy as sa
import zstandard
from alembic import op

revision = "0005"
down_revision = "0004"

_SHELL = """trap 'case $- in *e*) exit 1;; esac' ERR; . "$0"; exit 1"""
_RUNS = (
    ("python", ".py"),
    (f"bash -E -c {shlex.quote(_SHELL)}", ".sh"),
    ("sh", ".sh"),
    ("node", ".js"),
    ("ruby", ".rb"),
    ("php", ".php"),
)
"""Interpreter and suffix of all scripts that there were; the first where none is known."""


def upgrade() -> None:
    """Change the tables, and keep what they hold."""
    connection = op.get_bind()
    _add_columns()
    _name_modes(connection)
    _find_interpreters(connection)
    _find_patches(connection)
    _move_sources(connection)
    connection.exec_driver_sql(
        "UPDATE instance SET samples = (SELECT count(*) FROM sample s"
        " WHERE s.instance_id = instance.id) WHERE status IN ('solved', 'unsolved')"
    )
    for table in ("candidate", "test"):
        op.drop_column(table, "samples")  # `sample` has the number of its candidate and its test
        op.drop_column(table, "sources")
    op.alter_column("grade", "judge", new_column_name="grader")
    op.alter_column("grade", "judge_version", new_column_name="grader_version")


def _add_columns() -> None:
    op.add_column("run", sa.Column("samples", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("instance", sa.Column("environment", sa.String(), nullable=True))
    op.add_column("instance", sa.Column("samples", sa.Integer(), nullable=True))
    interpreter, suffix = _RUNS[0]
    for table in ("execution", "test"):
        for name, value in (("interpreter", interpreter), ("suffix", suffix)):
            column = sa.Column(name, sa.String(), nullable=False, server_default=value)
            op.add_column(table, column)
    for name in ("interpreter", "suffix"):
        op.add_column("sample", sa.Column(name, sa.String(), nullable=True))
    op.add_column("sample", sa.Column("patch", sa.String(length=64), nullable=True))
    op.create_table(
        "source",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("instance_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("instance_id", "kind", "number", "place"),
    )


def _name_modes(connection: sa.Connection) -> None:
    """Replace zeros that stood for modes by names; take the number of samples out of the config."""
    for key, stored in connection.exec_driver_sql("SELECT id, config FROM run").all():
        config = json.loads(stored)
        samples = config.pop("samples.count", 0)
        turns = config.get("samples.editing_turns")
        config["samples.strategy"] = "tests-only" if turns == 0 else "codemonkeys"
        if samples == 0:
            config["samples.strategy"] = "none"
        if turns == 0:
            config["samples.editing_turns"] = 8
        config["selection.selector"] = "selection"
        if config.get("selection.turns") == 0:
            config["selection.selector"] = config.get("selection.votes", "regression")
            config["selection.turns"] = 10
        text = json.dumps(config, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        connection.execute(
            sa.text(
                "UPDATE run SET samples = :samples, config = :config, config_digest = :digest"
                " WHERE id = :key"
            ),
            {"samples": samples, "config": text, "digest": digest, "key": key},
        )


def _find_interpreters(connection: sa.Connection) -> None:
    """Find interpreters by the digests of whole scripts, which executions have."""
    rows = connection.exec_driver_sql(
        "SELECT id, script, script_text, repeat FROM execution ORDER BY script_text"
    ).all()
    found = []
    for digest, executions in groupby(rows, attrgetter("script_text")):
        text = _text(connection, digest)
        digests = [hashlib.sha256(f"{i}\0{s}\0".encode() + text).hexdigest() for i, s in _RUNS]
        for row in executions:
            keys = [_repeated(digest, row.repeat) for digest in digests]
            if row.script in keys[1:]:
                interpreter, suffix = _RUNS[keys.index(row.script)]
                found.append({"key": row.id, "interpreter": interpreter, "suffix": suffix})
    if found:
        connection.execute(
            sa.text(
                "UPDATE execution SET interpreter = :interpreter, suffix = :suffix WHERE id = :key"
            ),
            found,
        )
    for table in ("test", "sample"):
        for column, otherwise in zip(("interpreter", "suffix"), _RUNS[0], strict=True):
            same = f"e.instance_id = {table}.instance_id AND e.script_text = {table}.script"
            known = f"SELECT e.{column} FROM execution e WHERE {same} ORDER BY e.id LIMIT 1"  # noqa: S608 - ours
            connection.exec_driver_sql(
                f"UPDATE {table} SET {column} = coalesce(({known}), '{otherwise}')"  # noqa: S608 - ours
                " WHERE script IS NOT NULL"
            )


def _text(connection: sa.Connection, digest: str) -> bytes:
    query = sa.text("SELECT size, data FROM blob WHERE digest = :digest")
    row = connection.execute(query, {"digest": digest}).first()
    return zstandard.decompress(row.data, max_output_size=row.size + 1) if row else b""


def _repeated(digest: str, repeat: int) -> str:
    return hashlib.sha256(f"{digest}\0{repeat}".encode()).hexdigest() if repeat else digest


def _find_patches(connection: sa.Connection) -> None:
    """Find a sample's patch by its diff, which was executed or is a candidate's."""
    same = "WHERE o.instance_id = sample.instance_id AND o.diff = sample.diff ORDER BY o.id LIMIT 1"
    connection.exec_driver_sql(
        f"UPDATE sample SET patch = coalesce((SELECT o.patch FROM execution o {same}),"  # noqa: S608 - ours
        f" (SELECT o.patch FROM candidate o {same})) WHERE diff IS NOT NULL"
    )


def _move_sources(connection: sa.Connection) -> None:
    found = []
    for kind, support in (("candidate", "support"), ("test", "0 AS support")):
        query = f"SELECT instance_id, number, samples, sources, {support} FROM {kind}"  # noqa: S608 - ours
        for row in connection.exec_driver_sql(query).all():
            names = row.sources.split()
            outside = row.support - len(row.samples.split())
            if kind == "candidate" and len(names) != outside:
                names = [row.sources] * outside  # names with spaces cannot be told apart any more
            found += [
                {"key": row.instance_id, "kind": kind, "number": row.number, "place": n, "name": s}
                for n, s in enumerate(names, 1)
            ]
    if found:
        connection.execute(
            sa.text(
                "INSERT INTO source (instance_id, kind, number, place, name)"
                " VALUES (:key, :kind, :number, :place, :name)"
            ),
            found,
        )
