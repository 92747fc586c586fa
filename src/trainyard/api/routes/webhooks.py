"""Webhooks of a project: who is told when a job has ended."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from trainyard.api.access import ProjectAdmin, ThePlatform
from trainyard.api.failures import responses
from trainyard.contract.vocabulary import State
from trainyard.webhooks.model import Delivery, EndState, Webhook

router = APIRouter(
    prefix="/v1/projects/{project_id}/webhooks",
    tags=["webhooks"],
    responses=responses(400, 401, 403, 404, 421, 422, 503),
)
ProjectId = Annotated[str, Path(max_length=64)]
WebhookId = Annotated[str, Path(max_length=40)]


class NewWebhook(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: str = Field(min_length=8, max_length=2_000, pattern=r"^https?://[!-~]+$")
    states: set[EndState] = Field(
        default_factory=lambda: set[EndState]([State.SUCCEEDED, State.FAILED, State.CANCELLED]), min_length=1
    )


class LastDelivery(BaseModel):
    """The newest try of the newest delivery that was tried."""

    at: float
    ok: bool
    status: int | None = Field(description="HTTP status; empty where there was no answer")
    error: str
    job_id: str | None


class WebhookOut(BaseModel):
    id: str
    url: str
    states: list[EndState]
    created_at: float
    last: LastDelivery | None

    @classmethod
    def of(cls, webhook: Webhook) -> "WebhookOut":
        last = webhook.last
        told = None
        if last is not None and last.at is not None:
            told = LastDelivery(
                at=last.at, ok=last.ok is True, status=last.status, error=last.error, job_id=last.job_id
            )
        return cls(
            id=webhook.id, url=webhook.url, states=list(webhook.states), created_at=webhook.created_at, last=told
        )


class MadeWebhook(WebhookOut):
    secret: str = Field(description="Signs what is sent; shown this once")


class WebhookList(BaseModel):
    items: list[WebhookOut]


class DeliveryOut(BaseModel):
    id: str = Field(description="As in X-Trainyard-Delivery: the same for each try of it")
    job_id: str | None = Field(description="Empty: a test")
    created_at: float
    tries: int
    at: float | None = Field(description="The newest try")
    ok: bool | None = Field(description="Empty: not settled yet, there are tries left")
    status: int | None
    error: str
    next_at: float | None = Field(description="The next try")

    @classmethod
    def of(cls, delivery: Delivery) -> "DeliveryOut":
        return cls(**{name: getattr(delivery, name) for name in cls.model_fields})


class DeliveryList(BaseModel):
    items: list[DeliveryOut]


def _plain(text: str) -> str:
    """A NUL matches nothing, and PostgreSQL refuses it."""
    return text.replace("\0", "\ufffd")


@router.get("")
def list_webhooks(project_id: ProjectId, platform: ThePlatform, _user: ProjectAdmin) -> WebhookList:
    return WebhookList(items=[WebhookOut.of(one) for one in platform.webhooks.all(_plain(project_id))])


@router.post("", status_code=201, responses=responses(409, 413, 415))
def add_webhook(project_id: ProjectId, request: NewWebhook, platform: ThePlatform, _user: ProjectAdmin) -> MadeWebhook:
    """From now on it is told of each job that ends in one of these states; docs/settings.md says what is sent."""
    made, secret = platform.webhooks.add(_plain(project_id), request.url, sorted(request.states))
    return MadeWebhook(**WebhookOut.of(made).model_dump(), secret=secret)


@router.delete("/{webhook_id}", status_code=204)
def remove_webhook(project_id: ProjectId, webhook_id: WebhookId, platform: ThePlatform, _user: ProjectAdmin) -> None:
    """What it was still to be told is dropped."""
    platform.webhooks.remove(_plain(project_id), _plain(webhook_id))


@router.post("/{webhook_id}/test")
async def test_webhook(
    project_id: ProjectId, webhook_id: WebhookId, platform: ThePlatform, _user: ProjectAdmin
) -> DeliveryOut:
    """Send it something now, once, and say what came back. Within ten seconds or so."""
    service = platform.webhooks
    delivery = await asyncio.to_thread(service.add_test, _plain(project_id), _plain(webhook_id))
    return DeliveryOut.of(await platform.sender.send_now(delivery))


@router.get("/{webhook_id}/deliveries")
def deliveries(
    project_id: ProjectId, webhook_id: WebhookId, platform: ThePlatform, _user: ProjectAdmin
) -> DeliveryList:
    """The newest, and what came of them."""
    found = platform.webhooks.deliveries(_plain(project_id), _plain(webhook_id))
    return DeliveryList(items=[DeliveryOut.of(one) for one in found])
