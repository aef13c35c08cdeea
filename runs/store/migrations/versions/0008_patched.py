"""Instances end "patched" or with "no_patch", and it is stored what tests say of the patch."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_NAMES = {"solved": "patched", "unsolved": "no_patch"}


def upgrade() -> None:
    """Rename stored statuses; `support` stays unknown for what ended before."""
    op.add_column("instance", sa.Column("support", sa.String(), nullable=True))
    for old, new in _NAMES.items():
        update = sa.text("UPDATE instance SET status = :new WHERE status = :old")
        op.get_bind().execute(update, {"old": old, "new": new})
