"""A session is a cookie, which browsers send along by themselves: what other pages may not do with it."""

from collections.abc import Callable

import httpx2
import pytest

from tests.real.backend import Backend
from tests.real.people import Person, cookie_of, link, signed_in

ME = "http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def kim(shared: Backend) -> Person:
    return signed_in(shared, "kim", default="member")


def sent(backend: Backend, kim: Person, headers: dict[str, str], method: str = "POST") -> httpx2.Response:
    """With the cookie, as a browser sends it along, and with these headers."""
    given = {"Cookie": kim.headers["Cookie"]} | {
        name: value.format(port=backend.port) for name, value in headers.items()
    }
    path = "/v1/jobs/cancel" if method == "POST" else "/v1/jobs"
    return httpx2.request(
        method, backend.url + path, headers=given, json={"ids": []} if method == "POST" else None, timeout=60
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": ME},
        {"Origin": ME, "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://localhost:{port}", "Host": "localhost:{port}"},
    ],
)
def test_our_own_page_acts_with_its_session(shared: Backend, kim: Person, headers: dict[str, str]) -> None:
    assert sent(shared, kim, headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},  # no browser leaves it out where it matters
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},  # another program of this machine: the same site, says SameSite
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://localhost:{port}"},  # another name for this machine: another page's
        {"Origin": "http://127.0.0.1:{port}.evil.example"},
        {"Origin": "http://127.0.0.1:{port}@evil.example"},
        {"Origin": "ftp://127.0.0.1:{port}"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-origin"},
    ],
)
def test_no_other_page_does(shared: Backend, kim: Person, headers: dict[str, str]) -> None:
    refused = sent(shared, kim, headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "foreign_origin")
    assert sent(shared, kim, headers, "GET").status_code == 200  # reading is kept by browsers, which show no answer


def test_nobody_is_signed_in_by_another_page(shared: Backend) -> None:
    code = link(shared, "admin")
    body = {"code": code}
    for origin in ("http://127.0.0.1:1", "https://evil.example"):
        refused = httpx2.post(f"{shared.url}/v1/auth/link", json=body, headers={"Origin": origin}, timeout=60)
        assert refused.status_code == 403
        assert "set-cookie" not in refused.headers
    assert httpx2.post(f"{shared.url}/v1/auth/link", json=body, timeout=60).status_code == 200  # a program, no page


def test_the_cookie_of_another_port_is_another_one(shared: Backend, kim: Person) -> None:
    other = {"Cookie": kim.headers["Cookie"].replace(str(shared.port), "1")}
    assert httpx2.get(f"{shared.url}/v1/me", headers=other, timeout=60).status_code == 401


def test_other_pages_show_none_of_our_pictures(shared: Backend) -> None:
    answer = shared.http.get("/v1/projects")
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in answer.headers


def test_pages_may_be_allowed_and_a_proxy_be_in_front(make_backend: Callable[..., Backend]) -> None:
    backend = make_backend(
        public_url="https://train.example/", allowed_origins="http://localhost:3000, http://dev.example"
    ).start()
    begun = httpx2.post(
        f"{backend.url}/v1/auth/link",
        json={"code": link(backend, "admin")},
        headers={"Origin": "https://train.example"},
        timeout=60,
    )
    assert begun.status_code == 200, begun.text
    kim = Person(backend, "kim", {"Cookie": cookie_of(begun)})
    allowed = ["https://train.example", "http://localhost:3000", "http://dev.example"]
    refused = ["http://train.example", "https://train.example:8443", "http://localhost:3001", "https://localhost:3000"]
    seen = {origin: sent(backend, kim, {"Origin": origin}).status_code for origin in allowed + refused}
    assert seen == dict.fromkeys(allowed, 200) | dict.fromkeys(refused, 403)
    # with TLS in front, a page without it is another one, whatever the proxy says of itself
    named = {"Origin": "http://train.example", "Host": "train.example"}
    assert sent(backend, kim, named).status_code == 403
