"""What was found in datasets, and their versions. Those that are there already are checked as if they had just come."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("datasets", sa.Column("version", sa.Integer, nullable=False, server_default="1"))
    op.execute(
        "UPDATE datasets SET version = (SELECT count(*) FROM datasets AS older WHERE older.name = datasets.name"
        " AND older.project_id = datasets.project_id AND (older.created_at < datasets.created_at"
        " OR (older.created_at = datasets.created_at AND older.id <= datasets.id)))"
    )
    op.create_table(
        "dataset_checks",
        sa.Column("dataset_id", sa.String(64), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("claim", sa.Integer, nullable=False),
        sa.Column("node", sa.String(64)),
        sa.Column("seen_at", sa.Float),
        sa.Column("queued_at", sa.Float, nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("pictures", sa.Integer, nullable=False),
        sa.Column("errors", sa.Integer, nullable=False),
        sa.Column("warnings", sa.Integer, nullable=False),
        sa.Column("refusals", sa.JSON, nullable=False),
        sa.Column("report", sa.JSON),
        sa.PrimaryKeyConstraint("dataset_id", name=op.f("pk_dataset_checks")),
    )
    op.create_index("ix_dataset_checks_state_queued_at", "dataset_checks", ["state", "queued_at"])
    op.execute(
        "INSERT INTO dataset_checks (dataset_id, state, claim, queued_at, done, pictures, errors, warnings, refusals)"
        " SELECT id, 'waiting', 0, created_at, 0, 0, 0, 0, '[]' FROM datasets"
    )


def downgrade() -> None:
    op.drop_index("ix_dataset_checks_state_queued_at", "dataset_checks")
    op.drop_table("dataset_checks")
    op.drop_column("datasets", "version")
