"""Jobs say which code they run, what they ask of a cluster, and in which image they run."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("code_hash", sa.String(64)))
    op.add_column("jobs", sa.Column("resources", sa.JSON, nullable=False, server_default="{}"))
    op.add_column("jobs", sa.Column("image", sa.String(500)))
    op.create_index("ix_jobs_parent_id", "jobs", ["parent_id"])


def downgrade() -> None:
    op.drop_index("ix_jobs_parent_id", "jobs")
    op.drop_column("jobs", "image")
    op.drop_column("jobs", "resources")
    op.drop_column("jobs", "code_hash")
