"""Tests know the stored runs that they were taken from."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add `test.sources`. Tests that are stored already came from samples."""
    op.add_column("test", sa.Column("sources", sa.String(), nullable=False, server_default=""))
