"""A job's sample pictures and its events by type: as the trainer told them, and nothing else of the store."""

from typing import Any

import pytest

from tests.real.backend import Backend
from tests.real.stored import store_of
from trainyard.api.routes.samples import MOST_BYTES
from trainyard.callbacks.token import Tokens


def kept(backend: Backend, epochs: int = 3) -> str:
    job_id = backend.submit("keep", epochs=epochs, epoch_seconds=0)
    assert backend.wait_closed(job_id)["state"] == "SUCCEEDED"
    return job_id


def samples(backend: Backend, job_id: str) -> list[dict[str, Any]]:
    return list(backend.ask("GET", f"/v1/jobs/{job_id}/samples")["epochs"])


def test_samples_are_listed_by_epoch_with_truth_findings_and_pictures(backend_on: Backend) -> None:
    job_id = kept(backend_on)
    found = samples(backend_on, job_id)
    assert [one["epoch"] for one in found] == [1, 2, 3]
    base = f"{backend_on.url}/v1/jobs/{job_id}/samples"
    (item,) = found[1]["items"]
    assert item == {
        "index": 0,
        "url": f"{base}/2/0.jpg",
        "plain_url": f"{base}/0/0.jpg",
        "truth": [{"label": "cat", "box": None}],
        "found": [{"label": "dog", "box": [1, 2, 3, 4], "confidence": 0.5}],
    }
    for address, epoch in ((item["url"], 2), (item["plain_url"], 0)):
        answer = backend_on.http.get(address)
        assert answer.content == f"a picture, samples/job-{job_id}/epoch-{epoch}/0.jpg".encode().join(
            [b"\xff\xd8\xff ", b""]
        )
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["cache-control"] == "private, max-age=86400"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_a_trainer_tells_leads_to_no_other_object_and_nonsense_is_left_out(shared: Backend) -> None:
    job_id = shared.submit("announce", epochs=1)
    shared.wait_closed(job_id)
    (only,) = samples(shared, job_id)
    (item,) = only["items"]  # nine others made no sense
    assert (item["truth"], item["found"], item["plain_url"]) == ([], [], None)
    assert item["url"].endswith(f"/v1/jobs/{job_id}/samples/1/0.jpg")
    assert shared.http.get(item["url"]).status_code == 404  # not the dataset that its key named


@pytest.mark.parametrize(
    "place", ["-1/0", "1/-1", "1/x", "x/0", "..%2f..%2f1/0", "1/..%2f0", "1e1/0", "99999999999/0", "1/0.jpg"]
)
def test_a_picture_is_asked_for_by_numbers_only(shared: Backend, place: str) -> None:
    answer = shared.http.get(f"/v1/jobs/job-20261121-101112-abcd/samples/{place}.jpg")
    assert answer.status_code in (404, 422)


def test_an_object_too_large_for_a_sample_is_not_served(shared: Backend) -> None:
    job_id = kept(shared, epochs=1)
    store = store_of(shared)
    store.put_stream(f"samples/job-{job_id}/epoch-1/1.jpg", [bytes(MOST_BYTES)])
    store.put_stream(f"samples/job-{job_id}/epoch-1/2.jpg", [bytes(MOST_BYTES + 1)])
    assert len(shared.http.get(f"/v1/jobs/{job_id}/samples/1/1.jpg").content) == MOST_BYTES
    refused = shared.http.get(f"/v1/jobs/{job_id}/samples/1/2.jpg")
    assert refused.status_code == 404
    assert "larger than 1 MiB" in refused.json()["error"]["message"]


def test_a_picture_told_twice_counts_as_told_last(shared: Backend) -> None:
    """As after a relaunch, which goes through its epochs again."""
    job_id = kept(shared, epochs=1)
    key = (shared.folder / "data" / "secrets" / "signing_key").read_text()
    headers = {"Authorization": f"Bearer {Tokens(key, 3600).sign(job_id, 1)}"}
    data = {"epoch": 1, "index": 0, "found": [{"label": "cat", "confidence": 1}]}
    body = {"attempt": 1, "seq": 10**6, "type": "sample", "data": data}
    assert shared.http.post(f"/v1/jobs/{job_id}/event", json=body, headers=headers).is_success
    (only,) = samples(shared, job_id)
    assert [[found["label"] for found in item["found"]] for item in only["items"]] == [["cat"]]


def test_events_are_found_by_type_in_order_first_or_newest(backend_on: Backend) -> None:
    job_id = kept(backend_on, epochs=6)

    def epochs(**query: Any) -> list[Any]:
        found = backend_on.ask("GET", f"/v1/jobs/{job_id}/events", params=query)["items"]
        return [(event["type"], event["data"].get("epoch")) for event in found]

    assert epochs(type="sample") == [("sample", number) for number in range(1, 7)]
    assert epochs(type="sample", limit=2) == [("sample", 1), ("sample", 2)]
    assert epochs(type="sample", limit=2, newest=True) == [("sample", 5), ("sample", 6)]
    assert {kind for kind, _ in epochs(type=["sample", "done"])} == {"sample", "done"}
    assert epochs(type="nothing") == []
    everything = backend_on.events(job_id)
    kinds = {event["type"] for event in everything}
    assert {kind for kind, _ in epochs(without=["sample", "heartbeat"])} == kinds - {"sample", "heartbeat"}
    newest = backend_on.ask("GET", f"/v1/jobs/{job_id}/events", params={"newest": True, "limit": 4})["items"]
    assert newest == everything[-4:]
    first = backend_on.ask("GET", f"/v1/jobs/{job_id}/events", params={"type": "sample", "limit": 1})["items"][0]
    assert epochs(type="sample", after=first["id"], limit=1) == [("sample", 2)]
    for wrong in ("a b", "", "x" * 111, "\0"):
        assert backend_on.http.get(f"/v1/jobs/{job_id}/events", params={"type": wrong}).status_code == 422
