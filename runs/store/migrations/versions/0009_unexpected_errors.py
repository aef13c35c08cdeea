"""Samples and trajectories keep the trace of an unexpected error that ended them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add `error` to both. Until now, such an error ended the command."""
    for table in ("sample", "trajectory"):
        op.add_column(table, sa.Column("error", sa.String(), nullable=False, server_default=""))
