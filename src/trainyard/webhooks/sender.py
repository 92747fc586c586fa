"""Sends what is due. It holds nothing that matters: what was not taken is in the database, for the next backend too."""

import asyncio
import logging
import time
from contextlib import suppress

import httpx2

from trainyard.db.engine import Database
from trainyard.errors import TrainyardError
from trainyard.events import metrics
from trainyard.jobs import repository
from trainyard.settings import Settings
from trainyard.webhooks.addresses import resolve, target_of
from trainyard.webhooks.message import body_of, headers_of
from trainyard.webhooks.model import Delivery, Outcome, Webhook
from trainyard.webhooks.service import WebhookService

log = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
ANSWER_SECONDS = 10.0  # for all of it: finding the host, connecting, the answer
AT_ONCE = 16  # webhooks; each is told one thing at a time, so that a slow one holds up itself


class Sender:
    """Belongs to the event loop it was made in."""

    def __init__(self, database: Database, service: WebhookService, settings: Settings) -> None:
        self._database = database
        self._service = service
        self._settings = settings
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._client: httpx2.AsyncClient | None = None
        self._task = asyncio.create_task(self._loop(), name="webhooks")

    async def close(self) -> None:
        """A try that is broken off is repeated by whoever comes next."""
        tasks = [self._task, *self._busy.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    async def send_now(self, delivery: Delivery) -> Delivery:
        """One try, of a delivery that is not due by itself. As it is after that. Never raises for what came back."""
        await self._try(delivery)
        return await asyncio.to_thread(self._service.again, delivery.id)

    async def _loop(self) -> None:
        while True:
            try:
                await self._look()
            except Exception:
                log.exception("webhooks could not be looked at; trying again")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), LOOK_SECONDS)
            self._wake.clear()

    async def _look(self) -> None:
        room = AT_ONCE - len(self._busy)
        if room <= 0:
            return
        for delivery in await asyncio.to_thread(self._service.due, list(self._busy), room):
            task = asyncio.create_task(self._deliver(delivery))
            self._busy[delivery.webhook_id] = task
            task.add_done_callback(lambda _, webhook_id=delivery.webhook_id: self._done(webhook_id))

    def _done(self, webhook_id: str) -> None:
        self._busy.pop(webhook_id, None)
        self._wake.set()

    async def _deliver(self, due: Delivery) -> None:
        try:
            taken = await asyncio.to_thread(self._service.take, due)
            if taken is not None:
                await self._try(taken)
        except Exception:
            log.exception("a webhook could not be told; trying again", extra={"job_id": due.job_id})
            await asyncio.sleep(LOOK_SECONDS)  # else what the database refuses would be tried without a pause

    async def _try(self, taken: Delivery) -> None:
        outcome = await self._outcome(taken)
        await asyncio.to_thread(self._service.settle, taken, outcome)
        if not outcome.ok:
            log.info("webhook %s: %s", taken.webhook_id, outcome.error, extra={"job_id": taken.job_id})

    async def _outcome(self, taken: Delivery) -> Outcome:
        try:
            webhook = await asyncio.to_thread(self._service.of_delivery, taken)
            body = await asyncio.to_thread(self._body, taken)
            async with asyncio.timeout(ANSWER_SECONDS):
                return _judge(await self._post(webhook, taken, body))
        except TimeoutError:
            return Outcome(False, error=f"There was no answer within {ANSWER_SECONDS:g} s.")
        except TrainyardError as error:
            return Outcome(False, error=str(error))
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeError) as error:
            return Outcome(False, error=f"It could not be reached: {str(error) or type(error).__name__}.")

    def _body(self, taken: Delivery) -> bytes:
        base = self._settings.public_url or self._settings.backend_url
        if taken.job_id is None:
            return body_of(taken, None, {}, base)
        with self._database.read() as conn:
            job = repository.get(conn, taken.job_id)
            found = metrics.summaries(conn, [job.id])[job.id]
        return body_of(taken, job, found, base)

    async def _post(self, webhook: Webhook, taken: Delivery, body: bytes) -> int:
        """The answer's status; what else it says is not read. At the very address that was judged, by its old name."""
        target = target_of(webhook.url)
        addresses = await resolve(target, self._settings.private_webhooks)
        headers = headers_of(taken, self._service.secret(webhook), int(time.time()), body)
        headers["Host"] = target.host_header
        client = self._client = self._client or await asyncio.to_thread(_client)
        refused: Exception = OSError("the name has no address")
        for address in addresses:
            request = client.build_request(
                "POST",
                target.at(address),
                content=body,
                headers=headers,
                extensions={"sni_hostname": target.host, "timeout": httpx2.Timeout(ANSWER_SECONDS).as_dict()},
            )
            try:
                answer = await client.send(request, stream=True)
            except httpx2.ConnectError as error:
                refused = error
                continue
            await answer.aclose()
            return answer.status_code
        raise refused


def _client() -> httpx2.AsyncClient:
    """Without proxies (one would look names up anew) and without keeping connections: they belong to a name, not to
    the address that the pool knows them by. SSL_CERT_FILE counts."""
    return httpx2.AsyncClient(
        verify=httpx2.create_ssl_context(),
        trust_env=False,
        follow_redirects=False,
        limits=httpx2.Limits(max_keepalive_connections=0),
    )


def _judge(status: int) -> Outcome:
    if 200 <= status < 300:
        return Outcome(True, status)
    if 300 <= status < 400:
        return Outcome(False, status, f"It answered with a redirect ({status}), which is not followed.")
    return Outcome(False, status, f"It answered with {status}.")
