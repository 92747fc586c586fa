"""Who may do what: every route of the OpenAPI document, and requests that come from somewhere they should not."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from tests.real.backend import TOKEN, Backend
from trainyard.api.app import create_app
from trainyard.callbacks.token import Tokens
from trainyard.settings import load_settings

OPEN = {"/v1/health/live", "/v1/health/ready"}
SIGNING_IN = {"/v1/auth/sign-in", "/v1/auth/link"}  # a name and a password, or a code, instead of a token
CALLBACKS = ("/heartbeat", "/event", "/done")
HEARTBEAT = {"attempt": 1, "seq": 1}


def routes() -> list[tuple[str, str]]:
    document = create_app(load_settings()).openapi()
    return [(method.upper(), path) for path, item in document["paths"].items() for method in item]


def tokens(backend: Backend, hours: float = 6) -> Tokens:
    return Tokens((backend.folder / "data" / "secrets" / "signing_key").read_text(), hours * 3600)


def filled(path: str, job_id: str = "job-20261121-101112-abcd") -> str:
    return re.sub(r"\{job_id\}", job_id, re.sub(r"\{(dataset_id|framework|project_id|sample_id)\}", "cats", path))


@pytest.mark.parametrize(("method", "path"), routes(), ids=lambda value: str(value))
def test_every_route_asks_who_is_there(shared: Backend, method: str, path: str) -> None:
    job_token = tokens(shared).sign("job-20261121-101112-abcd", 1)
    strangers: list[dict[str, str]] = [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": f"Bearer {TOKEN}x"},
    ]
    if not path.endswith(CALLBACKS):
        strangers.append({"Authorization": f"Bearer {job_token}"})
    else:
        strangers.append({"Authorization": f"Bearer {TOKEN}"})
    with httpx2.Client(base_url=shared.url, timeout=60) as http:
        for headers in strangers:
            body = {"json": HEARTBEAT | {"type": "x", "status": "failed"}} if path.endswith(CALLBACKS) else {}
            answer = http.request(method, filled(path), headers=headers, **body)
            if path in OPEN:
                assert answer.status_code == 200
            elif path in SIGNING_IN:
                assert answer.status_code == 422, (headers, answer.text)  # nothing was sent
            else:
                assert answer.status_code == 401, (headers, answer.text)
                assert answer.json()["error"]["message"]


def test_a_job_token_opens_only_its_own_jobs_callbacks(shared: Backend) -> None:
    mine, other = shared.submit(epochs=10_000), shared.submit(epochs=10_000)
    shared.wait_state(mine, "RUNNING")
    signed = tokens(shared).sign(mine, 1)
    headers = {"Authorization": f"Bearer {signed}"}
    with httpx2.Client(base_url=shared.url, headers=headers, timeout=60) as http:
        assert http.post(f"/v1/jobs/{mine}/heartbeat", json={"attempt": 1, "seq": 10**6}).status_code == 200
        refused = http.post(f"/v1/jobs/{other}/done", json={"attempt": 1, "seq": 1, "status": "succeeded"})
        assert refused.status_code == 401
        assert refused.json()["error"]["message"] == "Token job_id mismatch"
        assert http.post(f"/v1/jobs/{mine}/heartbeat", json={"attempt": 2, "seq": 2}).status_code == 401
    for job_id in (mine, other):
        shared.ask("POST", f"/v1/jobs/{job_id}/cancel")
        assert shared.wait_end(job_id)["state"] == "CANCELLED"


def forged(backend: Backend) -> dict[str, str]:
    key = (backend.folder / "data" / "secrets" / "signing_key").read_text()
    claims: dict[str, Any] = {"job_id": "j", "attempt": 1, "aud": "callback", "exp": int(time.time()) + 60}

    def sign(changes: dict[str, Any], secret: str = key, algorithm: str = "HS256") -> str:
        return jwt.encode({"alg": algorithm}, claims | changes, OctKey.import_key(secret), algorithms=[algorithm])

    head, body, tail = sign({}).split(".")
    unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"  # {"alg":"none","typ":"JWT"}
    return {
        "none": f"{unsigned}.{body}.",
        "none with the old signature": f"{unsigned}.{body}.{tail}",
        "another key": sign({}, secret="x" * 43),
        "another algorithm with our key": sign({}, algorithm="HS512"),
        "for something else": sign({"aud": "storage"}),
        "no audience": sign({"aud": None}),
        "expired beyond all clocks": sign({"exp": int(time.time()) - 3600}),
        "no expiry": sign({"exp": None}),
        "attempt is a text": sign({"attempt": "1"}),
        "cut": f"{head}.{body}",
        "rubbish": "a.b.c",
    }


def test_forged_tokens_are_refused(shared: Backend) -> None:
    with httpx2.Client(base_url=shared.url, timeout=60) as http:
        for name, token in forged(shared).items():
            answer = http.post("/v1/jobs/j/heartbeat", json=HEARTBEAT, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 401, (name, answer.text)


def test_a_token_expired_by_a_clock_that_is_off_still_counts_and_is_renewed(shared: Backend) -> None:
    job_id = shared.submit(epochs=10_000)
    shared.wait_state(job_id, "RUNNING")
    three_minutes_ago = tokens(shared, hours=0.01).sign(job_id, 1, now=time.time() - 200)
    answer = httpx2.post(
        f"{shared.url}/v1/jobs/{job_id}/heartbeat",
        json={"attempt": 1, "seq": 10**6},
        headers={"Authorization": f"Bearer {three_minutes_ago}"},
        timeout=60,
    )
    assert answer.status_code == 200
    fresh = answer.json()["token"]
    assert fresh
    again = httpx2.post(
        f"{shared.url}/v1/jobs/{job_id}/heartbeat",
        json={"attempt": 1, "seq": 10**6 + 1},
        headers={"Authorization": f"Bearer {fresh}"},
        timeout=60,
    )
    assert (again.status_code, again.json()["token"]) == (200, None)
    shared.ask("POST", f"/v1/jobs/{job_id}/cancel")
    shared.wait_closed(job_id)  # other tests read all files of runs


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": ""}, 421),
        ({"Host": "127.0.0.1.evil.example:8000"}, 421),
        ({"Host": "[::1"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "multipart/form-data; boundary=x"}, 415),
    ],
)
def test_requests_from_other_sites_make_no_row(shared: Backend, headers: dict[str, str], status: int) -> None:
    before = shared.ask("GET", "/v1/projects")
    body = json.dumps({"id": "evil", "name": "evil"})
    answer = shared.http.post("/v1/projects", content=body, headers={"Content-Type": "application/json"} | headers)
    assert answer.status_code == status, answer.text
    assert shared.ask("GET", "/v1/projects") == before


def test_our_own_page_is_no_other_site(shared: Backend) -> None:
    answer = shared.http.get("/v1/projects", headers={"Origin": f"http://127.0.0.1:{shared.port}"})
    assert answer.status_code == 200
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in answer.headers


def test_a_body_over_the_limit_is_refused_also_when_it_hides_its_length(shared: Backend) -> None:
    big = b"{" + b" " * (9 << 20) + b"}"
    headers = {"Content-Type": "application/json"}
    assert shared.http.post("/v1/projects", content=big, headers=headers).status_code == 413

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(big), 1 << 16):
            yield big[start : start + (1 << 16)]

    assert shared.http.post("/v1/projects", content=pieces(), headers=headers).status_code == 413


def test_beyond_this_machine_only_with_a_token_of_ones_own(shared: Backend) -> None:
    env = {name: value for name, value in shared.env.items() if name != "TRAINYARD_TOKEN"}
    env |= {"TRAINYARD_HOST": "0.0.0.0", "TRAINYARD_DATA_DIR": str(shared.folder / "other")}
    refused = subprocess.run(
        [sys.executable, "-m", "trainyard.api"], env=env, capture_output=True, text=True, timeout=60, cwd=shared.folder
    )
    assert refused.returncode == 1
    assert "will not listen on 0.0.0.0" in refused.stderr
    assert "TRAINYARD_TOKEN" in refused.stderr


def test_secrets_are_in_files_that_only_their_owner_can_read(shared: Backend) -> None:
    secrets = shared.folder / "data" / "secrets"
    assert secrets.stat().st_mode & 0o077 == 0
    for path in secrets.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path.name


def test_no_secret_reaches_a_log_an_event_or_a_run_folder(shared: Backend) -> None:
    job_id = shared.submit()
    shared.wait_closed(job_id)
    keys = (shared.env["TRAINYARD_S3_SECRET_KEY"], TOKEN, (shared.folder / "data/secrets/signing_key").read_text())
    told = shared.log.read_text() + shared.log_text(job_id) + json.dumps([*shared.events(job_id), shared.job(job_id)])
    told += "".join(
        path.read_text(errors="replace") for path in (shared.folder / "data/runs").rglob("*") if path.is_file()
    )
    for key in keys:
        assert key not in told
    assert "eyJ" not in told  # the beginning of every JWT
