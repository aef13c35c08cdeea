"""Repository tests, how many tests they say are broken, and repeated executions."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns and the table."""
    op.add_column(
        "execution", sa.Column("repeat", sa.Integer(), nullable=False, server_default="0")
    )
    for name in ("regression_votes", "broken_tests"):
        op.add_column(
            "candidate", sa.Column(name, sa.Integer(), nullable=False, server_default="0")
        )
    op.add_column(
        "test", sa.Column("kind", sa.String(), nullable=False, server_default="generated")
    )
    op.add_column("test", sa.Column("label", sa.String(), nullable=False, server_default=""))
    op.add_column(
        "test", sa.Column("flaky", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("vote", sa.Column("broken", sa.Integer(), nullable=True))
    op.create_table(
        "regression_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("instance_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("test", sa.Integer(), nullable=True),
        sa.Column("passing", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("instance_id", "path"),
    )
