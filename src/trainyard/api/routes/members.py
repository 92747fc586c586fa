"""Who is in a project, and as what."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict

from trainyard.api.access import ProjectAdmin, ProjectViewer, ThePlatform
from trainyard.api.failures import responses
from trainyard.identity.members import Member
from trainyard.identity.rights import Role

router = APIRouter(
    prefix="/v1/projects/{project_id}/members",
    tags=["identity"],
    responses=responses(400, 401, 403, 404, 413, 415, 421, 422, 503),
)
ProjectId = Annotated[str, Path(max_length=64)]
Name = Annotated[str, Path(max_length=60)]


class SetRole(BaseModel):
    model_config = ConfigDict(extra="forbid")

    role: Role


class MemberOut(BaseModel):
    user_id: str
    name: str
    role: Role
    since: float

    @classmethod
    def of(cls, member: Member) -> "MemberOut":
        return cls(user_id=member.user_id, name=member.name, role=member.role, since=member.since)


class MemberList(BaseModel):
    items: list[MemberOut]


@router.get("")
def list_members(project_id: ProjectId, platform: ThePlatform, _user: ProjectViewer) -> MemberList:
    """Administrators are in every project without being listed."""
    found = platform.identity.members_of(project_id.replace("\0", "\ufffd"))
    return MemberList(items=[MemberOut.of(member) for member in found])


@router.put("/{name}")
def put_member(
    project_id: ProjectId, name: Name, body: SetRole, platform: ThePlatform, _user: ProjectAdmin
) -> MemberOut:
    """Take somebody in, or change their role. Counts at once, in streams that are open too."""
    return MemberOut.of(platform.identity.put_member(project_id.replace("\0", "\ufffd"), name, body.role))


@router.delete("/{name}", status_code=204)
def remove_member(project_id: ProjectId, name: Name, platform: ThePlatform, _user: ProjectAdmin) -> None:
    """Their jobs and datasets stay."""
    platform.identity.remove_member(project_id.replace("\0", "\ufffd"), name)
