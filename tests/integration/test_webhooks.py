"""Webhooks from a real backend to a real web server: signed, repeated, never lost, never where they may not lead."""

import datetime
import hashlib
import hmac
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.real.backend import Backend, wait_for
from tests.real.receiver import Got, Receiver
from trainyard.db.engine import Database
from trainyard.db.tables import deliveries as table

HOOKS = "/v1/projects/default/webhooks"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as started:
        yield started


def add(backend: Backend, url: str, **given: Any) -> dict[str, Any]:
    return dict(backend.ask("POST", HOOKS, json={"url": url, **given}))


def last(backend: Backend, hook: dict[str, Any]) -> dict[str, Any] | None:
    found = {one["id"]: one for one in backend.ask("GET", HOOKS)["items"]}
    return found[hook["id"]]["last"]


def deliveries(backend: Backend, hook: dict[str, Any]) -> list[dict[str, Any]]:
    return list(backend.ask("GET", f"{HOOKS}/{hook['id']}/deliveries")["items"])


def make_due(url: str) -> None:
    """As if a minute had gone by. The backend is dead meanwhile."""
    database = Database(url)
    waiting = table.update().where(table.c.next_at.is_not(None)).values(next_at=time.time())
    database.write(lambda conn: conn.execute(waiting))
    database.close()


def check_signature(got: Got, secret: str) -> None:
    """As docs/settings.md tells receivers to."""
    timestamp = got.headers["X-Trainyard-Timestamp"]
    expected = hmac.new(secret.encode(), f"{timestamp}.".encode() + got.body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(f"sha256={expected}", got.headers["X-Trainyard-Signature"])
    assert abs(time.time() - int(timestamp)) < 60


def test_the_end_of_a_job_is_told_once_and_signed(backend_on: Backend, receiver: Receiver) -> None:
    hook = add(backend_on, receiver.url())
    assert last(backend_on, hook) is None
    job_id = backend_on.submit(epochs=2, name="told", tags=["x"])
    backend_on.wait_end(job_id)
    wait_for("the news of it", lambda: last(backend_on, hook))
    (got,) = receiver.got
    check_signature(got, hook["secret"])
    assert (got.path, got.headers["X-Trainyard-Event"]) == ("/hook?a=1", "job.ended")
    assert got.headers["Host"] == f"127.0.0.1:{receiver.port}"
    told = json.loads(got.body)
    assert (told["id"], told["type"]) == (got.headers["X-Trainyard-Delivery"], "job.ended")
    job = backend_on.job(job_id)
    for name in ("id", "name", "tags", "state", "reason", "message", "finished_at", "model", "dataset_id"):
        assert told["job"][name] == job[name], name
    assert told["job"]["metrics"]["val/accuracy"]["last"] == job["metrics"]["val/accuracy"]["last"]
    assert told["job"]["url"] == f"{backend_on.url}/jobs/{job_id}"
    (delivery,) = deliveries(backend_on, hook)
    assert (delivery["id"], delivery["job_id"], delivery["ok"]) == (told["id"], job_id, True)
    assert (delivery["tries"], delivery["status"], delivery["next_at"]) == (1, 204, None)


def test_only_the_ends_that_it_wants_are_told(backend: Backend, receiver: Receiver) -> None:
    failures = add(backend, receiver.url(path="/failed"), states=["FAILED"])
    ends = add(backend, receiver.url(path="/all"))
    fine, crashed = backend.submit(epochs=1), backend.submit("crash")
    for job_id in (fine, crashed):
        backend.wait_end(job_id)
    wait_for("three messages", lambda: len(receiver.got) >= 3)
    by_path = {
        path: {json.loads(got.body)["job"]["id"] for got in receiver.got if got.path == path}
        for path in ("/failed", "/all")
    }
    assert by_path == {"/failed": {crashed}, "/all": {fine, crashed}}
    assert [len(deliveries(backend, hook)) for hook in (failures, ends)] == [1, 2]


def test_what_is_refused_at_first_is_told_again_until_it_is_taken(backend: Backend, receiver: Receiver) -> None:
    looked = threading.Event()
    receiver.answer = lambda _: 200 if looked.is_set() else 503
    hook = add(backend, receiver.url())
    backend.wait_end(backend.submit(epochs=1))
    failed = wait_for("the first try", lambda: last(backend, hook))
    assert (failed["ok"], failed["status"], failed["error"]) == (False, 503, "It answered with 503.")
    (waiting,) = deliveries(backend, hook)
    assert waiting["ok"] is None
    assert waiting["next_at"] > time.time()
    looked.set()
    wait_for("the try that is taken", lambda: (last(backend, hook) or {}).get("ok"))
    assert len(receiver.got) >= 2
    assert len({got.headers["X-Trainyard-Delivery"] for got in receiver.got}) == 1
    for got in receiver.got:
        check_signature(got, hook["secret"])
    assert deliveries(backend, hook)[0]["tries"] == len(receiver.got)


def test_nothing_is_lost_with_the_backend(make_backend: Callable[..., Backend], database_url: str) -> None:
    """Killed with the news on its way, and once more before it could be sent."""
    backend = make_backend(database_url=database_url).start().with_sample()
    receiver = Receiver(answer=lambda _: None)  # takes it, and never says so
    hook = add(backend, receiver.start().url())
    job_id = backend.submit(epochs=1)
    backend.wait_end(job_id)
    wait_for("the news on its way", lambda: receiver.got)
    backend.kill()
    receiver.stop()
    backend.start()
    assert deliveries(backend, hook)[0]["ok"] is None  # it may be on its way: another try is due after a minute
    other = Receiver()
    second = add(backend, other.url())  # nobody listens there yet
    another = backend.submit(epochs=1)
    backend.wait_end(another)
    backend.kill()
    make_due(backend.env["TRAINYARD_DATABASE_URL"])
    receiver.answer = lambda _: 200
    with other, receiver:
        backend.start()
        wait_for("the news", lambda: other.got, 60)
        assert json.loads(other.got[0].body)["job"]["id"] == another
        wait_for("its receipt", lambda: (last(backend, second) or {}).get("ok"))
        wait_for("both receipts of the first", lambda: all(one["ok"] for one in deliveries(backend, hook)))
        told = [json.loads(got.body) for got in receiver.got]
        assert {one["job"]["id"] for one in told} == {job_id, another}
        assert len({one["id"] for one in told if one["job"]["id"] == job_id}) == 1
        assert len(told) >= 3


def test_a_redirect_is_not_followed(backend: Backend) -> None:
    with Receiver() as inside, Receiver(answer=lambda _: 307, location=inside.url(path="/secret")) as outside:
        hook = add(backend, outside.url())
        told = backend.ask("POST", f"{HOOKS}/{hook['id']}/test")
        assert (told["ok"], told["status"]) == (False, 307)
        assert "redirect" in told["error"]
        assert (len(outside.got), len(inside.got)) == (1, 0)


def test_private_addresses_are_refused_whoever_names_them(
    make_backend: Callable[..., Backend], receiver: Receiver
) -> None:
    backend = make_backend(webhook_private="false").start()
    for host in ("127.0.0.1", "10.1.2.3", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "0.0.0.0"):
        answer = backend.http.post(HOOKS, json={"url": f"http://{host}:{receiver.port}/"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "forbidden_address"), host
        assert answer.json()["error"]["field"] == "url"
    for url in ("http://user:pass@example.org/", "http://:80/", "http://h:99999/", "https://h/#part"):
        assert backend.http.post(HOOKS, json={"url": url}).status_code == 422, url
    hook = add(backend, receiver.url(host="localhost"))  # a name is looked at each time it is called
    told = backend.ask("POST", f"{HOOKS}/{hook['id']}/test")
    assert told["ok"] is False
    assert "this machine" in told["error"]
    assert receiver.got == []


def test_a_test_says_what_came_back_and_is_sent_once(backend: Backend, receiver: Receiver) -> None:
    hook = add(backend, receiver.url(host="localhost"))
    told = backend.ask("POST", f"{HOOKS}/{hook['id']}/test")
    assert (told["ok"], told["status"], told["job_id"], told["tries"]) == (True, 204, None, 1)
    (got,) = receiver.got
    check_signature(got, hook["secret"])
    assert got.headers["Host"] == f"localhost:{receiver.port}"
    assert json.loads(got.body)["type"] == got.headers["X-Trainyard-Event"] == "test"
    receiver.answer = lambda _: 500
    refused = backend.ask("POST", f"{HOOKS}/{hook['id']}/test")
    assert (refused["ok"], refused["next_at"]) == (False, None)
    receiver.stop()
    away = backend.ask("POST", f"{HOOKS}/{hook['id']}/test")
    assert (away["ok"], away["status"]) == (False, None)
    assert "could not be reached" in away["error"]


def test_one_that_never_answers_holds_up_itself_only(backend: Backend, receiver: Receiver) -> None:
    with Receiver(answer=lambda _: None) as silent:
        slow, quick = add(backend, silent.url()), add(backend, receiver.url())
        ended = [backend.submit(epochs=1) for _ in range(3)]
        for job_id in ended:
            backend.wait_end(job_id)
        wait_for("the news at the other", lambda: len(receiver.got) == 3)
        told = wait_for("the end of its patience", lambda: last(backend, slow))
        assert "no answer within 10 s" in told["error"]
        settled = wait_for(
            "all receipts", lambda: all(d["ok"] for d in deliveries(backend, quick)) and deliveries(backend, quick)
        )
        assert max(one["at"] - one["created_at"] for one in settled) < 8


def test_its_secret_is_shown_once_and_kept_nowhere(backend: Backend, receiver: Receiver) -> None:
    hook = add(backend, receiver.url(path="/path-7f3a"))
    receiver.answer = lambda _: 500
    backend.wait_end(backend.submit(epochs=1))
    wait_for("a try", lambda: last(backend, hook))
    assert "secret" not in backend.http.get(HOOKS).text
    kept = [path for path in (backend.folder / "data").glob("trainyard.db*") if path.suffix != ".lock"]
    told = [backend.log, *kept]
    assert all(hook["secret"].encode() not in path.read_bytes() for path in told)
    assert hook["id"] in backend.log.read_text()
    assert "path-7f3a" not in backend.log.read_text()  # addresses of webhooks are often secrets themselves


def test_what_is_removed_is_told_no_more(backend: Backend, receiver: Receiver) -> None:
    receiver.answer = lambda _: 500
    hook = add(backend, receiver.url())
    backend.wait_end(backend.submit(epochs=1))
    wait_for("a try", lambda: last(backend, hook))
    assert backend.http.get(f"/v1/projects/none/webhooks/{hook['id']}/deliveries").status_code == 404
    backend.ask("DELETE", f"{HOOKS}/{hook['id']}")
    assert backend.ask("GET", HOOKS)["items"] == []
    assert backend.http.delete(f"{HOOKS}/{hook['id']}").status_code == 404
    tries = len(receiver.got)
    other = add(backend, receiver.url(path="/other"))
    backend.wait_end(backend.submit(epochs=1))
    wait_for("a later message", lambda: last(backend, other))
    assert [got.path for got in receiver.got[tries:]] == ["/other"]
    backend.ask("DELETE", f"{HOOKS}/{other['id']}")
    for number in range(20):
        add(backend, receiver.url(path=f"/{number}"))
    assert backend.http.post(HOOKS, json={"url": receiver.url()}).status_code == 409


# -- TLS ------------------------------------------------------------------------------------------------------------


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """A server's context with a certificate of its own for that name, and the file that makes it trusted."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(who, who, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / f"{name}.pem", folder / f"{name}.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    kind = serialization.PrivateFormat.PKCS8
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, public


@pytest.mark.parametrize(("name", "taken"), [("localhost", True), ("elsewhere.test", False)])
def test_the_certificate_counts_for_the_name_and_not_for_the_address(
    make_backend: Callable[..., Backend], tmp_path: Path, name: str, taken: bool
) -> None:
    context, trusted = certificate(tmp_path, name)
    backend = make_backend()
    backend.env["SSL_CERT_FILE"] = str(trusted)
    backend.start()
    with Receiver(context=context) as receiver:
        hook = add(backend, receiver.url(host="localhost"))
        told = backend.ask("POST", f"{HOOKS}/{hook['id']}/test")
    assert told["ok"] is taken, told["error"]
    assert len(receiver.got) == taken
    assert taken or "certificate" in told["error"].lower()
