"""Files that patches edit; in PostgreSQL, texts that its own functions can read."""

import sqlalchemy as sa
import zstandard
from alembic import op

from data.patches.parts import parts_of
from data.paths import show_path

revision = "0007"
down_revision = "0006"

_AT_ONCE = 100


def upgrade() -> None:
    """Make the table and fill it; unpack texts where the database packs them itself."""
    connection = op.get_bind()
    op.create_table(
        "edited_file",
        sa.Column("diff", sa.String(length=64), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("diff", "place"),
    )
    _find_files(connection)
    if connection.dialect.name == "postgresql":
        _unpack(connection)


def _find_files(connection: sa.Connection) -> None:
    stored = "SELECT digest, size, data FROM blob WHERE digest IN"
    patches = "(SELECT diff FROM candidate UNION SELECT diff FROM sample)"
    for digest, size, data in connection.exec_driver_sql(f"{stored} {patches}").all():
        diff = zstandard.decompress(data, max_output_size=size + 1).decode("utf-8", "surrogatepass")
        paths = dict.fromkeys(part.path for part in parts_of(diff).sections)
        rows = [
            {"diff": digest, "place": place, "path": show_path(path)}
            for place, path in enumerate(paths, 1)
        ]
        if rows:
            connection.execute(
                sa.text("INSERT INTO edited_file VALUES (:diff, :place, :path)"), rows
            )


def _unpack(connection: sa.Connection) -> None:
    digests = connection.exec_driver_sql("SELECT digest FROM blob").scalars().all()
    read = sa.text("SELECT digest, size, data FROM blob WHERE digest IN :some")
    read = read.bindparams(sa.bindparam("some", expanding=True))
    write = sa.text("UPDATE blob SET data = :data WHERE digest = :digest")
    for start in range(0, len(digests), _AT_ONCE):
        some = connection.execute(read, {"some": digests[start : start + _AT_ONCE]})
        rows = [
            {
                "digest": row.digest,
                "data": zstandard.decompress(row.data, max_output_size=row.size + 1),
            }
            for row in some
        ]
        connection.execute(write, rows)
