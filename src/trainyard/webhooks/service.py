"""Webhooks and what they are still to be told, as the database has them. Every call blocks for a query or two."""

import secrets
import time
from collections.abc import Collection, Sequence
from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from trainyard.db.engine import Database
from trainyard.db.tables import deliveries, projects, webhooks
from trainyard.errors import Conflict, NotFound
from trainyard.settings import Settings
from trainyard.webhooks import outbox
from trainyard.webhooks.addresses import check_literal, target_of
from trainyard.webhooks.message import secret_of
from trainyard.webhooks.model import Delivery, EndState, Outcome, Webhook

MOST = 20  # webhooks of a project
SHOWN = 50  # of a webhook's deliveries
KEPT_SECONDS = 30 * 24 * 3600.0  # settled ones
LEASE_SECONDS = 60.0  # a try that has not ended by then was broken off with its backend
# after the first try, the second … the eighth: within a day a receiver may come back from most things
PAUSES = (5.0, 30.0, 300.0, 1_800.0, 7_200.0, 21_600.0, 43_200.0)
MOST_TRIES = len(PAUSES) + 1

_DELIVERY = [deliveries.c[field.name] for field in fields(Delivery)]


class WebhookService:
    """For any thread; several backends may share the database."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    def add(self, project_id: str, url: str, states: Sequence[EndState]) -> tuple[Webhook, str]:
        """The new webhook and its secret. Raises NotFound, InvalidInput, Conflict."""
        made = Webhook(f"wh-{secrets.token_hex(12)}", project_id, url, tuple(states), time.time())

        def store(conn: sa.Connection) -> None:
            _require_project(conn, project_id)
            check_literal(target_of(url), self._settings.private_webhooks)
            query = sa.select(sa.func.count()).select_from(webhooks).where(webhooks.c.project_id == project_id)
            if conn.execute(query).scalar_one() >= MOST:
                raise Conflict(f"{project_id} has {MOST} webhooks, which is the most.", hint="Remove one first.")
            row = {"id": made.id, "project_id": project_id, "url": url, "created_at": made.created_at}
            conn.execute(webhooks.insert().values(**row, states=list(states)))

        self._database.write(store)
        return made, self.secret(made)

    def remove(self, project_id: str, webhook_id: str) -> None:
        """With all that it was to be told. Raises NotFound."""

        def delete(conn: sa.Connection) -> None:
            _get(conn, project_id, webhook_id)
            conn.execute(deliveries.delete().where(deliveries.c.webhook_id == webhook_id))
            conn.execute(webhooks.delete().where(webhooks.c.id == webhook_id))

        self._database.write(delete)

    def all(self, project_id: str) -> list[Webhook]:
        """The oldest first, each with its newest delivery that was tried. Raises NotFound."""
        query = sa.select(webhooks).where(webhooks.c.project_id == project_id).order_by(webhooks.c.created_at)
        with self._database.read() as conn:
            _require_project(conn, project_id)
            return [_webhook(row, _last(conn, row.id)) for row in conn.execute(query).all()]

    def deliveries(self, project_id: str, webhook_id: str) -> list[Delivery]:
        """The newest first. Raises NotFound."""
        query = sa.select(*_DELIVERY).where(deliveries.c.webhook_id == webhook_id)
        with self._database.read() as conn:
            _get(conn, project_id, webhook_id)
            rows = conn.execute(query.order_by(deliveries.c.created_at.desc(), deliveries.c.id).limit(SHOWN))
            return [Delivery(*row) for row in rows]

    def add_test(self, project_id: str, webhook_id: str) -> Delivery:
        """A delivery of no job, which its caller sends: it is not due by itself. Raises NotFound."""

        def store(conn: sa.Connection) -> Delivery:
            _get(conn, project_id, webhook_id)
            made = outbox.put(conn, webhook_id, None, time.time())
            conn.execute(deliveries.update().where(deliveries.c.id == made).values(next_at=None, tries=1))
            return _delivery(conn, made)

        return self._database.write(store)

    # -- for the sender ----------------------------------------------------------------------------------------------

    def secret(self, webhook: Webhook) -> str:
        return secret_of(self._settings.jwt_key, webhook.id)

    def due(self, busy: Collection[str], limit: int) -> list[Delivery]:
        """One for each webhook that is not busy: the one that waits longest."""
        first = sa.func.row_number().over(partition_by=deliveries.c.webhook_id, order_by=deliveries.c.next_at)
        waiting = (
            sa.select(*_DELIVERY, first.label("place"))
            .where(deliveries.c.next_at <= time.time(), deliveries.c.webhook_id.not_in(busy))
            .subquery()
        )
        query = sa.select(*(waiting.c[field.name] for field in fields(Delivery))).where(waiting.c.place == 1)
        with self._database.read() as conn:
            return [Delivery(*row) for row in conn.execute(query.order_by(waiting.c.next_at).limit(limit))]

    def take(self, due: Delivery) -> Delivery | None:
        """Take it for one try; None where another backend was first, or it is gone."""

        def store(conn: sa.Connection) -> Delivery | None:
            still = (deliveries.c.id == due.id, deliveries.c.tries == due.tries, deliveries.c.next_at.is_not(None))
            values = {"tries": due.tries + 1, "next_at": time.time() + LEASE_SECONDS}
            changed = conn.execute(deliveries.update().where(*still).values(**values)).rowcount
            return _delivery(conn, due.id) if changed == 1 else None

        return self._database.write(store)

    def settle(self, taken: Delivery, outcome: Outcome) -> None:
        """Note what came of a try, and when the next one is."""
        last = outcome.ok or taken.job_id is None or taken.tries >= MOST_TRIES
        values: dict[str, Any] = {"at": time.time(), "status": outcome.status, "error": outcome.error[:500]}
        values["ok"] = outcome.ok if last else None
        values["next_at"] = None if last else time.time() + PAUSES[taken.tries - 1]
        of_webhook = deliveries.c.webhook_id == taken.webhook_id
        old = (of_webhook, deliveries.c.next_at.is_(None), deliveries.c.created_at < time.time() - KEPT_SECONDS)

        def store(conn: sa.Connection) -> None:
            conn.execute(deliveries.update().where(deliveries.c.id == taken.id).values(**values))
            conn.execute(deliveries.delete().where(*old))

        self._database.write(store)

    def of_delivery(self, delivery: Delivery) -> Webhook:
        """Raises NotFound where it was removed meanwhile."""
        with self._database.read() as conn:
            row = conn.execute(sa.select(webhooks).where(webhooks.c.id == delivery.webhook_id)).one_or_none()
        if row is None:
            raise NotFound("That webhook was removed.")
        return _webhook(row, None)

    def again(self, delivery_id: str) -> Delivery:
        """As it is now."""
        with self._database.read() as conn:
            return _delivery(conn, delivery_id)


def _require_project(conn: sa.Connection, project_id: str) -> None:
    if conn.execute(sa.select(projects.c.id).where(projects.c.id == project_id)).one_or_none() is None:
        raise NotFound(f"There is no project {project_id}.", hint="GET /v1/projects lists them.")


def _get(conn: sa.Connection, project_id: str, webhook_id: str) -> None:
    _require_project(conn, project_id)
    query = sa.select(webhooks.c.id).where(webhooks.c.id == webhook_id, webhooks.c.project_id == project_id)
    if conn.execute(query).one_or_none() is None:
        raise NotFound(f"There is no webhook {webhook_id}.", hint=f"GET /v1/projects/{project_id}/webhooks lists them.")


def _delivery(conn: sa.Connection, delivery_id: str) -> Delivery:
    row = conn.execute(sa.select(*_DELIVERY).where(deliveries.c.id == delivery_id)).one_or_none()
    if row is None:
        raise NotFound("That delivery is gone: its webhook was removed.")
    return Delivery(*row)


def _last(conn: sa.Connection, webhook_id: str) -> Delivery | None:
    tried = (deliveries.c.webhook_id == webhook_id, deliveries.c.at.is_not(None))
    row = conn.execute(sa.select(*_DELIVERY).where(*tried).order_by(deliveries.c.at.desc()).limit(1)).one_or_none()
    return Delivery(*row) if row is not None else None


def _webhook(row: Any, last: Delivery | None) -> Webhook:
    return Webhook(row.id, row.project_id, row.url, tuple(row.states), row.created_at, last)
