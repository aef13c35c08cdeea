"""Grades of patches."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "grade",
        sa.Column("instance_id", sa.String(), nullable=False),
        sa.Column("patch", sa.String(length=64), nullable=False),
        sa.Column("judge", sa.String(), nullable=False),
        sa.Column("diff", sa.String(length=64), nullable=False),
        sa.Column("inputs", sa.String(length=64), nullable=False),
        sa.Column("judge_version", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("resolved", sa.Boolean(), nullable=True),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("fail_to_pass", sa.Integer(), nullable=True),
        sa.Column("fail_to_pass_failing", sa.Integer(), nullable=True),
        sa.Column("pass_to_pass", sa.Integer(), nullable=True),
        sa.Column("pass_to_pass_failing", sa.Integer(), nullable=True),
        sa.Column("report", sa.String(length=64), nullable=False),
        sa.Column("log", sa.String(length=64), nullable=False),
        sa.Column("timeout_s", sa.Double(), nullable=False),
        sa.Column("duration_s", sa.Double(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("instance_id", "patch", "judge"),
    )
    op.create_index(op.f("ix_grade_diff"), "grade", ["diff"], unique=False)
