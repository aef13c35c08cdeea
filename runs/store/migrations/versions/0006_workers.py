"""Workers: who works on which instance, and how long a claim lasts without a heartbeat."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_LEASE_S = 60.0


def upgrade() -> None:
    """Add workers. What was running is held by the process that worked on the run."""
    op.create_table(
        "worker",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(), nullable=False),
        sa.Column("lease_s", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"]),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_worker_run_id", "worker", ["run_id"])
    connection = op.get_bind()
    # Alembic cannot add a column with a foreign key on SQLite, but both databases can.
    connection.exec_driver_sql(
        "ALTER TABLE instance ADD COLUMN worker_id INTEGER REFERENCES worker (id)"
    )
    op.create_index("ix_instance_worker_id", "instance", ["worker_id"])
    _take_over_owners(connection)


def _take_over_owners(connection: sa.Connection) -> None:
    """Make the owner of a running run its worker, so that it is noticed when the owner is gone."""
    running = "SELECT id, owner, created_at FROM run WHERE status = 'running'"
    for row in connection.execute(sa.text(running).columns(created_at=sa.DateTime())).all():
        owner, _, place = row.owner.partition(" ")
        parts = owner.split(":")
        pid = int(parts[1]) if len(parts) > 1 and parts[1].isdecimal() else 0
        connection.execute(
            sa.text(
                "INSERT INTO worker"
                " (run_id, owner, place, pid, host, started_at, heartbeat_at, lease_s)"
                " VALUES (:run, :owner, :place, :pid, '', :begun, :begun, :lease)"
            ).bindparams(sa.bindparam("begun", type_=sa.DateTime())),
            {
                "run": row.id,
                "owner": owner,
                "place": place,
                "pid": pid,
                "begun": row.created_at,
                "lease": _LEASE_S,
            },
        )
    connection.exec_driver_sql(
        "UPDATE instance SET worker_id = (SELECT w.id FROM worker w WHERE w.run_id ="
        " instance.run_id) WHERE status = 'running'"
    )
