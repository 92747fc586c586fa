"""Users of a real backend for tests: with a session, as a browser has one, or with a token."""

import sqlite3
from typing import Any

import httpx2

from tests.real.backend import Backend


class Person:
    """Somebody who is signed in: by a cookie from the page's own origin, or by a bearer token."""

    def __init__(self, backend: Backend, name: str, headers: dict[str, str], user_id: str = "") -> None:
        self.name = name
        self.headers = headers
        self.user_id = user_id
        self._url = backend.url

    def call(self, method: str, path: str, **given: Any) -> httpx2.Response:
        headers = self.headers | given.pop("headers", {})
        with httpx2.Client(base_url=self._url, timeout=90, verify=False) as http:
            return http.request(method, path, headers=headers, **given)

    def ask(self, method: str, path: str, **given: Any) -> Any:
        answer = self.call(method, path, **given)
        assert answer.is_success, f"{self.name} {method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content else None

    def refused(self, method: str, path: str, **given: Any) -> int:
        """The status of a refusal; 200 where there was none."""
        return 200 if (answer := self.call(method, path, **given)).is_success else answer.status_code


def link(backend: Backend, name: str) -> str:
    """The code of a fresh one-time link."""
    url = backend.ask("POST", "/v1/auth/links", json={"user": name})["url"]
    return str(url).partition("#code=")[2]


def cookie_of(answer: httpx2.Response) -> str:
    return answer.headers["set-cookie"].partition(";")[0]


def signed_in(backend: Backend, name: str, *, administrator: bool = False, **roles: str) -> Person:
    """A user of this name with these roles in projects, made where there is none, in a new session."""
    known = {user["name"]: user["id"] for user in backend.ask("GET", "/v1/users")["items"]}
    if name not in known:
        made = backend.ask("POST", "/v1/users", json={"name": name, "administrator": administrator})
        known[name] = made["id"]
    for project, role in roles.items():
        backend.ask("PUT", f"/v1/projects/{project}/members/{name}", json={"role": role})
    origin = {"Origin": backend.url}
    begun = httpx2.post(f"{backend.url}/v1/auth/link", json={"code": link(backend, name)}, headers=origin, timeout=90)
    assert begun.status_code == 200, begun.text
    return Person(backend, name, origin | {"Cookie": cookie_of(begun)}, known[name])


def with_token(backend: Backend, person: Person, **limits: Any) -> Person:
    """The same person by a new API token."""
    made = person.ask("POST", "/v1/tokens", json={"name": "for a test", **limits})
    return Person(backend, f"{person.name}'s token", {"Authorization": f"Bearer {made['token']}"}, made["id"])


def change_rows(backend: Backend, statement: str, *values: Any) -> int:
    """What no route does: time that has passed. Behind the back of a backend on SQLite."""
    connection = sqlite3.connect(backend.folder / "data" / "trainyard.db", timeout=20, isolation_level=None)
    try:
        return connection.execute(statement, values).rowcount
    finally:
        connection.close()
