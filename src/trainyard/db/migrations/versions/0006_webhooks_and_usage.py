"""Webhooks with their deliveries, and what runs used of their machines."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    columns = ["project_id", "state", "framework", "execution", "dataset_id"]
    op.create_index("ix_jobs_project_id_state", "jobs", columns)
    op.create_table(
        "usage",
        sa.Column("job_id", sa.String(40), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("cpu_percent", sa.Float()),
        sa.Column("memory_bytes", sa.BigInteger()),
        sa.Column("disk_read_bytes_s", sa.Float()),
        sa.Column("disk_written_bytes_s", sa.Float()),
        sa.Column("gpus", sa.JSON(), nullable=False),
        sa.Column("cpus", sa.Float()),
        sa.Column("memory_limit", sa.BigInteger()),
        sa.PrimaryKeyConstraint("job_id", "at", name="pk_usage"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "webhooks",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("states", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_webhooks_project_id"),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
    )
    op.create_index("ix_webhooks_project_id", "webhooks", ["project_id"])
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("webhook_id", sa.String(40), nullable=False),
        sa.Column("job_id", sa.String(40)),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.Float()),
        sa.Column("at", sa.Float()),
        sa.Column("ok", sa.Boolean()),
        sa.Column("status", sa.Integer()),
        sa.Column("error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhooks.id"], name="fk_deliveries_webhook_id"),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_next_at", "deliveries", ["next_at"])
    op.create_index("ix_deliveries_webhook_id_created_at", "deliveries", ["webhook_id", "created_at"])


def downgrade() -> None:
    op.drop_table("deliveries")
    op.drop_table("webhooks")
    op.drop_table("usage")
    op.drop_index("ix_jobs_project_id_state", "jobs")
