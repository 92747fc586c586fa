"""What `trainyard doctor` finds on the backend's machine: paths and addresses are in it, so for administrators only."""

from dataclasses import asdict

from fastapi import APIRouter
from pydantic import BaseModel, Field

from trainyard.api.access import Administrator, ThePlatform
from trainyard.api.failures import responses
from trainyard.stack.checkup import Verdict, examine

router = APIRouter(prefix="/v1", tags=["health"], responses=responses(400, 401, 403, 421))


class FindingOut(BaseModel):
    what: str
    verdict: Verdict
    text: str
    do: str = Field(description="What to do about it; empty: nothing")


class Checkup(BaseModel):
    items: list[FindingOut]


@router.get("/checkup")
def checkup(platform: ThePlatform, _user: Administrator) -> Checkup:
    """Looks anew each time; may take some seconds."""
    return Checkup(items=[FindingOut.model_validate(asdict(found)) for found in examine(platform.settings)])
