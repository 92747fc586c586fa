"""Every table. Migrations in db/migrations follow this file; a test holds the two together."""

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts rows only in an INTEGER primary key; times are seconds since 1970, the same on every database
Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Time = sa.Float()

projects = sa.Table(
    "projects",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("created_at", Time, nullable=False),
)

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("name", sa.String(60), nullable=False, unique=True),
    sa.Column("administrator", sa.Boolean, nullable=False),
    sa.Column("password", sa.String(200)),  # argon2's own text; NULL: signs in by link only
    sa.Column("created_at", Time, nullable=False),
    sa.Column("disabled_at", Time),
    sa.Column("seen_at", Time),
)

members = sa.Table(
    "members",
    metadata,
    sa.Column("project_id", sa.String(64), sa.ForeignKey("projects.id"), primary_key=True),
    sa.Column("user_id", sa.String(40), sa.ForeignKey("users.id"), primary_key=True),
    sa.Column("role", sa.String(10), nullable=False),  # viewer, member, admin
    sa.Column("since", Time, nullable=False),
    sa.Index("ix_members_user_id", "user_id"),
)

# of sessions, tokens and links only the SHA-256 is kept: whoever reads the database can't sign in with it
sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("user_id", sa.String(40), sa.ForeignKey("users.id"), nullable=False),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("seen_at", Time, nullable=False),
    sa.Column("password_until", Time),  # until then its user may set a password without the old one
    sa.Index("ix_sessions_user_id", "user_id"),
)

api_tokens = sa.Table(
    "api_tokens",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("user_id", sa.String(40), sa.ForeignKey("users.id"), nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
    sa.Column("prefix", sa.String(12), nullable=False),  # what a person recognises it by
    sa.Column("project_id", sa.String(64), sa.ForeignKey("projects.id")),  # NULL: all of its user's
    sa.Column("role", sa.String(10)),  # at most this one; NULL: its user's
    sa.Column("created_at", Time, nullable=False),
    sa.Column("last_used_at", Time),
    sa.Column("expires_at", Time),
    sa.Index("ix_api_tokens_user_id", "user_id"),
)

login_links = sa.Table(
    "login_links",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("user_id", sa.String(40), sa.ForeignKey("users.id"), nullable=False),
    sa.Column("expires_at", Time, nullable=False),
    sa.Column("may_set_password", sa.Boolean, nullable=False),  # made by an administrator, not by a session of its user
    sa.Index("ix_login_links_user_id", "user_id"),
)

datasets = sa.Table(
    "datasets",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("project_id", sa.String(64), sa.ForeignKey("projects.id"), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("tasks", sa.JSON, nullable=False),  # what it can train: ["detect"], ["classify"]
    sa.Column("summary", sa.JSON, nullable=False),  # classes, pictures per split
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),  # other content of the same name: the next
    sa.Column("created_at", Time, nullable=False),
    sa.Index("ix_datasets_project_id_created_at", "project_id", "created_at"),
)

dataset_checks = sa.Table(
    "dataset_checks",
    metadata,
    # one a dataset, made with it: the queue of what is to be checked, and what was found
    sa.Column("dataset_id", sa.String(64), primary_key=True),
    sa.Column("state", sa.String(10), nullable=False),  # waiting, checking, done, failed
    sa.Column("claim", sa.Integer, nullable=False),  # rises with every start; an older claimant's writes are refused
    sa.Column("node", sa.String(64)),  # the installation that checks it
    sa.Column("seen_at", Time),  # when that last said how far it is
    sa.Column("queued_at", Time, nullable=False),
    sa.Column("done", sa.Integer, nullable=False),
    sa.Column("pictures", sa.Integer, nullable=False),
    sa.Column("errors", sa.Integer, nullable=False),
    sa.Column("warnings", sa.Integer, nullable=False),
    sa.Column("refusals", sa.JSON, nullable=False),  # why no training can succeed on it; empty: none is known
    sa.Column("report", sa.JSON),
    sa.Index("ix_dataset_checks_state_queued_at", "state", "queued_at"),
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("project_id", sa.String(64), sa.ForeignKey("projects.id"), nullable=False),
    sa.Column("idempotency_key", sa.String(200)),
    sa.Column("request_hash", sa.String(64), nullable=False),
    # what was asked for
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Column("notes", sa.Text, nullable=False),
    sa.Column("execution", sa.String(10), nullable=False),
    sa.Column("framework", sa.String(60), nullable=False),
    sa.Column("task", sa.String(20), nullable=False),
    sa.Column("model", sa.String(200), nullable=False),
    sa.Column("dataset_id", sa.String(64)),
    sa.Column("params", sa.JSON, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("gpus", sa.Integer),  # NULL: one, if there is one
    sa.Column("attached", sa.Boolean, nullable=False),  # `train` in a terminal is its parent, not the backend
    sa.Column("callbacks", sa.Boolean, nullable=False),  # false: a plain script, its exit code decides
    sa.Column("script", sa.Text),  # what `train SCRIPT` named; with a code_hash, a path inside that bundle
    sa.Column("code_hash", sa.String(64)),  # the bundle that its pods run; NULL: a local training's, or the image's own
    sa.Column("resources", sa.JSON, nullable=False, server_default="{}"),  # contract/resources.py: what was asked for
    sa.Column("image", sa.String(500)),  # the one it runs in; NULL: none, or not chosen yet
    sa.Column("parent_id", sa.String(40)),
    sa.Column("resume_from", sa.String(500)),
    sa.Column("keep_epochs", sa.Integer, nullable=False, server_default="0"),  # of how many epochs checkpoints stay
    # where it is
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("reason", sa.String(40)),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("evidence", sa.JSON, nullable=False),
    sa.Column("trace_id", sa.String(32), nullable=False),
    sa.Column("node", sa.String(64)),  # the installation whose machine runs it (local tier)
    sa.Column("claim", sa.Integer, nullable=False),  # rises with every launch; an older claimant's writes are refused
    sa.Column("cancel_requested_at", Time),
    sa.Column("stuck_since", Time),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("created_by", sa.String(60)),  # a user's name; NULL: from before there were users
    sa.Column("queued_at", Time),
    sa.Column("launched_at", Time),
    sa.Column("started_at", Time),
    sa.Column("finished_at", Time),
    sa.Column("closed_at", Time),  # after its end: nothing of it runs, its leases are free, its log is archived
    sa.Column("seen_at", Time),  # its last callback
    sa.Column("seq", sa.BigInteger, nullable=False),  # the newest callback of this attempt
    # how far it is
    sa.Column("phase", sa.String(100), nullable=False),
    sa.Column("epoch", sa.BigInteger),
    sa.Column("epochs", sa.BigInteger),
    sa.Column("progress", sa.Float),
    sa.Column("checkpoint", sa.String(500)),
    sa.Column("mlflow_run_id", sa.String(100)),
    sa.Column("log_key", sa.String(500)),  # set once the log is archived
    sa.UniqueConstraint("project_id", "idempotency_key"),
    sa.Index("ix_jobs_closed_at_state", "closed_at", "state"),
    sa.Index("ix_jobs_created_at_id", "created_at", "id"),
    sa.Index("ix_jobs_parent_id", "parent_id"),
    sa.Index("ix_jobs_project_id_state", "project_id", "state", "framework", "execution", "dataset_id"),
    sa.Index("ix_jobs_project_id_created_at", "project_id", "created_at", "id"),
)

leases = sa.Table(
    "leases",
    metadata,
    # a slot or GPU has one row per holder, so two jobs can't hold it whatever they race
    sa.Column("resource", sa.String(120), primary_key=True),  # node/slot/0, node/gpu/1
    sa.Column("job_id", sa.String(40), nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("taken_at", Time, nullable=False),
    sa.Index("ix_leases_job_id", "job_id"),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("project_id", sa.String(64), nullable=False),
    sa.Column("job_id", sa.String(40)),
    sa.Column("at", Time, nullable=False),
    sa.Column("type", sa.String(110), nullable=False),  # state, heartbeat, done, validation, warning, …
    sa.Column("attempt", sa.Integer),
    sa.Column("seq", sa.BigInteger),  # set on callbacks: (job, attempt, seq) makes them idempotent
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
    sa.UniqueConstraint("job_id", "attempt", "seq"),
    sa.Index("ix_events_job_id_id", "job_id", "id"),
    sqlite_autoincrement=True,  # an id is never used twice, so Last-Event-ID always means the same place
)

series = sa.Table(
    "series",
    metadata,
    # one metric of one job, with what lists and tables ask for, so that they never read the points
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("job_id", sa.String(40), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("last", sa.Float),
    sa.Column("last_step", sa.BigInteger),
    sa.Column("min", sa.Float),
    sa.Column("min_step", sa.BigInteger),
    sa.Column("max", sa.Float),
    sa.Column("max_step", sa.BigInteger),
    sa.UniqueConstraint("job_id", "name"),
)

points = sa.Table(
    "points",
    metadata,
    sa.Column("series_id", Id, primary_key=True, autoincrement=False),
    sa.Column("step", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("value", sa.Float),  # NULL is NaN: SQLite has no NaN
    sa.Column("at", Time, nullable=False),
    sqlite_with_rowid=False,
)

usage = sa.Table(
    "usage",
    metadata,
    # what a run used, by its executor's account; thinned out as it grows, so that no job has more than so many rows
    sa.Column("job_id", sa.String(40), primary_key=True),
    sa.Column("at", Time, primary_key=True),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("cpu_percent", sa.Float),
    sa.Column("memory_bytes", sa.BigInteger),
    sa.Column("disk_read_bytes_s", sa.Float),
    sa.Column("disk_written_bytes_s", sa.Float),
    sa.Column("gpus", sa.JSON, nullable=False),  # [index, percent, bytes] for each
    sa.Column("cpus", sa.Float),  # the most there was for it
    sa.Column("memory_limit", sa.BigInteger),
    sqlite_with_rowid=False,
)

webhooks = sa.Table(
    "webhooks",
    metadata,
    # its secret follows from its id and the signing key: whoever reads the database can sign nothing
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("project_id", sa.String(64), sa.ForeignKey("projects.id"), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("states", sa.JSON, nullable=False),
    sa.Column("created_at", Time, nullable=False),
    sa.Index("ix_webhooks_project_id", "project_id"),
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    # what a webhook is to be told, stored with the job's end itself
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("webhook_id", sa.String(40), sa.ForeignKey("webhooks.id"), nullable=False),
    sa.Column("job_id", sa.String(40)),  # NULL: a test
    sa.Column("created_at", Time, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("next_at", Time),  # NULL: settled
    sa.Column("at", Time),  # of the newest try, with what came of it
    sa.Column("ok", sa.Boolean),
    sa.Column("status", sa.Integer),
    sa.Column("error", sa.Text, nullable=False),
    sa.Index("ix_deliveries_next_at", "next_at"),
    sa.Index("ix_deliveries_webhook_id_created_at", "webhook_id", "created_at"),
)
