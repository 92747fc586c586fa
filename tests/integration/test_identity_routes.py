"""Every route of the OpenAPI document, and everybody who may come: a table says who gets in and who does not.

A route that is new fails here until it has a line in the table.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from tests.conftest import backends
from tests.real.backend import Backend
from tests.real.people import Person, change_rows, signed_in, with_token
from tests.real.s3server import S3Server
from trainyard.api.app import create_app
from trainyard.callbacks.token import Tokens
from trainyard.settings import load_settings

OK = "in"
NOBODY = ("nobody", "job token", "revoked token", "expired session", "disabled", "disabled token", "wrong token")
PEOPLE = ("stranger", "elsewhere", "viewer", "narrow token", "member", "admin", "administrator", "installation")

# what a route needs → what each of PEOPLE gets; NOBODY gets 401 (but where it is open)
NEEDS: dict[str, tuple[Any, ...]] = {
    "open": (OK,) * 8,
    "signed in": (OK,) * 8,
    "viewer": (404, 404, OK, OK, OK, OK, OK, OK),
    "member": (404, 404, 403, 403, OK, OK, OK, OK),
    "member somewhere": (403, OK, 403, 403, OK, OK, OK, OK),
    "admin": (404, 404, 403, 403, 403, OK, OK, OK),
    "administrator": (403, 403, 403, 403, 403, 403, OK, OK),
    "person": (OK, OK, OK, 403, OK, OK, OK, OK),  # no API token
    "callback": (401,) * 8,
}

ROUTES: dict[str, str] = {
    "GET /v1/health/live": "open",
    "GET /v1/health/ready": "open",
    "GET /v1/status": "signed in",
    "GET /v1/checkup": "administrator",
    # identity
    "POST /v1/auth/sign-in": "open",
    "POST /v1/auth/link": "open",
    "POST /v1/auth/links": "person",
    "POST /v1/auth/sign-out": "signed in",
    "GET /v1/me": "signed in",
    "POST /v1/me/password": "person",
    "GET /v1/users": "administrator",
    "POST /v1/users": "administrator",
    "PATCH /v1/users/{user_id}": "administrator",
    "GET /v1/projects/{project_id}/members": "viewer",
    "PUT /v1/projects/{project_id}/members/{name}": "admin",
    "DELETE /v1/projects/{project_id}/members/{name}": "admin",
    "GET /v1/tokens": "signed in",
    "POST /v1/tokens": "person",
    "DELETE /v1/tokens/{token_id}": "person",
    # projects and trainers
    "GET /v1/projects": "signed in",
    "POST /v1/projects": "administrator",
    "GET /v1/projects/{project_id}": "viewer",
    "GET /v1/trainers": "signed in",
    "GET /v1/trainers/{framework}": "signed in",
    "GET /v1/projects/{project_id}/webhooks": "admin",
    "POST /v1/projects/{project_id}/webhooks": "admin",
    "DELETE /v1/projects/{project_id}/webhooks/{webhook_id}": "admin",
    "POST /v1/projects/{project_id}/webhooks/{webhook_id}/test": "admin",
    "GET /v1/projects/{project_id}/webhooks/{webhook_id}/deliveries": "admin",
    # datasets
    "GET /v1/datasets": "signed in",
    "POST /v1/datasets": "member",
    "GET /v1/datasets/{dataset_id}": "viewer",
    "DELETE /v1/datasets/{dataset_id}": "admin",
    "GET /v1/datasets/{dataset_id}/file": "viewer",
    "GET /v1/datasets/{dataset_id}/check": "viewer",
    "POST /v1/datasets/{dataset_id}/check": "member",
    "GET /v1/datasets/{dataset_id}/pictures": "viewer",
    "GET /v1/datasets/{dataset_id}/pictures/{index}/thumbnail": "viewer",
    "GET /v1/datasets/{dataset_id}/pictures/{index}/file": "viewer",
    "POST /v1/datasets/register": "member",
    "GET /v1/store/prefixes": "member",
    "GET /v1/uploads": "signed in",
    "POST /v1/uploads": "member",
    "GET /v1/uploads/{upload_id}": "member",
    "PATCH /v1/uploads/{upload_id}": "member",
    "POST /v1/uploads/{upload_id}/finish": "member",
    "DELETE /v1/uploads/{upload_id}": "member",
    "GET /v1/samples": "signed in",
    "POST /v1/samples/{sample_id}": "member",
    "GET /v1/weights": "signed in",
    "PUT /v1/weights/{name}": "administrator",
    "DELETE /v1/weights/{name}": "administrator",
    "PUT /v1/code/{hash}": "member somewhere",
    "GET /v1/code/{hash}": "viewer",
    "GET /v1/code/{hash}/file": "viewer",
    # jobs
    "GET /v1/jobs": "signed in",
    "POST /v1/jobs": "member",
    "GET /v1/jobs/facets": "signed in",
    "GET /v1/jobs/export": "signed in",
    "POST /v1/jobs/cancel": "signed in",  # each job by itself: test_identity_projects.py
    "GET /v1/jobs/{job_id}": "viewer",
    "PATCH /v1/jobs/{job_id}": "member",
    "POST /v1/jobs/{job_id}/cancel": "member",
    "POST /v1/jobs/{job_id}/retry": "member",
    "POST /v1/jobs/{job_id}/resume": "member",
    "POST /v1/jobs/{job_id}/attach": "administrator",
    "POST /v1/jobs/{job_id}/predict": "member",
    "GET /v1/jobs/{job_id}/checkpoints": "viewer",
    "GET /v1/jobs/{job_id}/checkpoints/{kind}": "viewer",
    "GET /v1/jobs/{job_id}/samples": "viewer",
    "GET /v1/jobs/{job_id}/samples/{epoch}/{index}.jpg": "viewer",
    "GET /v1/jobs/{job_id}/surroundings": "viewer",
    "GET /v1/jobs/{job_id}/usage": "viewer",
    "GET /v1/jobs/{job_id}/metrics": "viewer",
    "GET /v1/jobs/{job_id}/explanation": "viewer",
    "GET /v1/jobs/{job_id}/events": "viewer",
    "GET /v1/jobs/{job_id}/log": "viewer",
    "GET /v1/jobs/{job_id}/log/stream": "viewer",
    "GET /v1/events": "signed in",
    "POST /v1/jobs/{job_id}/heartbeat": "callback",
    "POST /v1/jobs/{job_id}/event": "callback",
    "POST /v1/jobs/{job_id}/done": "callback",
}
# for API tokens, whatever their owner may
NO_TOKENS = {"GET /v1/users", "POST /v1/users", "PATCH /v1/users/{user_id}"}
NO_TOKENS |= {route for route, need in ROUTES.items() if need == "person"}

# where the project is named in the request itself, or nothing is known without some more
SUBMITTED = {"framework": "none-such", "project_id": "lab"}
CALL = {"attempt": 1, "seq": 1, "type": "x", "status": "failed"}
BODIES: dict[str, dict[str, Any]] = {
    "POST /v1/datasets": {"params": {"project_id": "lab"}, "content": b"no zip"},
    "POST /v1/samples/{sample_id}": {"params": {"project_id": "lab"}},
    "POST /v1/datasets/register": {"json": {"prefix": "imports/none", "project_id": "lab"}},
    "GET /v1/store/prefixes": {"params": {"project_id": "lab"}},
    "POST /v1/uploads": {"json": {"name": "x", "bytes": 1, "project_id": "lab", "file_name": "x.zip"}},
    "PATCH /v1/uploads/{upload_id}": {"content": b"", "headers": {"Upload-Offset": "9"}},
    "POST /v1/jobs": {"json": SUBMITTED},
    "POST /v1/jobs/cancel": {"json": {"ids": []}},
    "PUT /v1/code/{hash}": {"content": b"no zip"},
    "PUT /v1/weights/{name}": {"content": b"x"},
    **{f"POST /v1/jobs/{{job_id}}/{call}": {"json": CALL} for call in ("heartbeat", "event", "done")},
    "GET /v1/code/{hash}/file": {"params": {"path": "train.py"}},
}


def routes() -> list[str]:
    document = create_app(load_settings()).openapi()
    return [f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item]


@dataclass
class World:
    """A project `lab` with a job and a dataset in it, a project `other`, and everybody."""

    backend: Backend
    people: dict[str, Person] = field(default_factory=dict[str, Person])
    names: dict[str, str] = field(default_factory=dict[str, str])

    def call(self, who: str, route: str) -> httpx2.Response:
        method, _, path = route.partition(" ")
        path = re.sub(r"\{(\w+)\}", lambda found: self.names[self._place(found[1], route)], path)
        given = {**BODIES.get(route, {})}
        headers = self.people[who].headers | given.pop("headers", {})
        if route.startswith("GET /v1/code"):
            given["params"] = {"job_id": self.names["job_id"]} | given.get("params", {})
        url = self.backend.url
        with (
            httpx2.Client(base_url=url, timeout=60, verify=False) as http,
            http.stream(method, path, headers=headers, **given) as answer,
        ):
            if answer.headers.get("content-type", "").startswith("application/json"):
                answer.read()
            return answer

    def _place(self, name: str, route: str) -> str:
        if name == "name":
            return "weights" if "/weights/" in route else "throwaway"
        return "throwaway_dataset" if route == "DELETE /v1/datasets/{dataset_id}" else name


@pytest.fixture(scope="module")
def world(s3_server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with backends(s3_server, tmp_path_factory.mktemp("world")) as make:
        backend = make().start()
        for project in ("lab", "other"):
            backend.ask("POST", "/v1/projects", json={"id": project, "name": project})
        yield furnished(World(backend))


def furnished(world: World) -> World:
    backend, names = world.backend, world.names
    backend.ask("POST", "/v1/samples/cats-dogs-classes", params={"project_id": "lab"})
    names |= {"project_id": "lab", "framework": "probe", "sample_id": "cats-dogs-classes", "weights": "none.pt"}
    names |= {"dataset_id": "cats-dogs-classes", "kind": "best", "epoch": "1", "index": "0", "throwaway": "throwaway"}
    names |= {"token_id": "token-none", "webhook_id": "none", "throwaway_dataset": another_dataset(backend)}
    names["job_id"] = backend.submit(project_id="lab")
    backend.wait_closed(names["job_id"])
    names["hash"] = backend.ask("GET", f"/v1/jobs/{names['job_id']}/surroundings")["code_hash"] or "0" * 64
    names["user_id"] = signed_in(backend, "throwaway", lab="viewer").user_id
    upload = {"name": "x", "bytes": 9, "project_id": "lab", "file_name": "x.zip"}
    begun = backend.http.post("/v1/uploads", json=upload)
    names["upload_id"] = begun.json()["id"] if begun.status_code == 201 else "0" * 32
    return peopled(world)


def another_dataset(backend: Backend) -> str:
    """The sample with a picture more."""
    zipped = io.BytesIO(backend.http.get("/v1/datasets/cats-dogs-classes/file").content)
    with zipfile.ZipFile(zipped, "a") as archive:
        name = next(name for name in archive.namelist() if name.endswith((".jpg", ".png")))
        archive.writestr(name.replace(".", "-again.", 1), archive.read(name))
    params = {"project_id": "lab", "dataset_id": "away"}
    headers = {"Content-Type": "application/zip"}
    answer = backend.http.post("/v1/datasets", params=params, content=zipped.getvalue(), headers=headers)
    assert answer.is_success, answer.text
    return str(answer.json()["id"])


def peopled(world: World) -> World:
    backend, people = world.backend, world.people
    people["installation"] = Person(backend, "installation", dict(backend.http.headers))
    people["administrator"] = signed_in(backend, "root", administrator=True)
    people["stranger"] = signed_in(backend, "stranger")
    people["elsewhere"] = signed_in(backend, "elsewhere", other="admin")
    for role in ("viewer", "member", "admin"):
        people[role] = signed_in(backend, f"{role}-of-lab", lab=role)
    people["narrow token"] = with_token(backend, people["admin"], project_id="lab", role="viewer")
    data = backend.folder / "data"
    job_token = Tokens((data / "secrets" / "signing_key").read_text(), 3600).sign(world.names["job_id"], 1)
    people["nobody"] = Person(backend, "nobody", {"Origin": backend.url})
    people["job token"] = Person(backend, "job token", {"Authorization": f"Bearer {job_token}"})
    people["wrong token"] = Person(backend, "wrong token", {"Authorization": "Bearer ty_" + "x" * 43})
    people["revoked token"] = with_token(backend, people["admin"])
    people["admin"].ask("DELETE", f"/v1/tokens/{people['revoked token'].user_id}")
    people["expired session"] = gone = signed_in(backend, "gone", administrator=True)
    assert change_rows(backend, "UPDATE sessions SET seen_at = seen_at - 1300000 WHERE user_id = ?", gone.user_id) > 0
    people["disabled"] = left = signed_in(backend, "left", lab="admin")
    people["disabled token"] = with_token(backend, left)
    backend.ask("PATCH", f"/v1/users/{left.user_id}", json={"disabled": True})
    return world


def test_the_table_has_a_line_for_each_route_and_no_other() -> None:
    assert sorted(ROUTES) == sorted(routes())


def foreign(answer: httpx2.Response) -> bool:
    """Answered as though it were not there, because it is somebody else's."""
    return answer.status_code == 404 and "of yours" in answer.json()["error"]["message"]


@pytest.mark.parametrize("route", [route for route in ROUTES if route != "POST /v1/auth/sign-out"])
def test_who_gets_in(world: World, route: str) -> None:
    need = ROUTES[route]
    expected = dict.fromkeys(NOBODY, OK if need == "open" else 401) | dict(zip(PEOPLE, NEEDS[need], strict=True))
    if route in NO_TOKENS:
        expected["narrow token"] = 403
    if need == "callback":
        del expected["job token"]  # its own job's calls: test_api_access.py
    for who in (*NOBODY, *PEOPLE):  # the weakest first: the strong may remove what it is about
        if who not in expected:
            continue
        answer = world.call(who, route)
        said = f"{who}: {answer.status_code} {answer.text[:300] if answer.is_closed and answer.is_error else ''}"
        if expected[who] == OK:
            assert answer.status_code not in (401, 403) and answer.status_code < 500 and not foreign(answer), said
        elif expected[who] == 404:
            assert foreign(answer), said
        else:
            assert answer.status_code == expected[who], said
            error = answer.json()["error"]
            assert error["message"], said
            assert answer.status_code == 401 or error["code"] == "forbidden", said


def test_signing_out_needs_somebody_who_is_signed_in(world: World) -> None:
    for who in NOBODY:
        assert world.call(who, "POST /v1/auth/sign-out").status_code == 401, who
    leaving = signed_in(world.backend, "leaving")
    assert leaving.call("POST", "/v1/auth/sign-out").status_code == 204
    assert leaving.refused("GET", "/v1/me") == 401


def test_the_description_of_the_api_is_for_those_who_are_signed_in(world: World) -> None:
    seen = {who: person.call("GET", "/v1/openapi.json").status_code for who, person in world.people.items()}
    assert seen == {who: 401 if who in NOBODY else 200 for who in world.people}


@pytest.mark.parametrize("route", sorted(NO_TOKENS))
def test_an_api_token_hands_out_no_access(world: World, route: str) -> None:
    token = with_token(world.backend, world.people["administrator"])
    world.people["administrator's token"] = token
    answer = world.call("administrator's token", route)
    assert answer.status_code == 403, answer.text
    assert "API token" in answer.json()["error"]["message"]
    assert token.ask("GET", "/v1/me")["administrator"] is True  # for everything else it counts
