"""Resuming: an interrupted job goes on, a finished one begins anew from its weights, and what can't be is refused."""

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from tests.real.backend import Backend, wait_for
from tests.real.stored import store_of


@pytest.fixture
def backend(shared: Backend) -> Backend:
    """These tests don't mind each other."""
    return shared


def interrupted(backend: Backend, *, epochs: int = 10, after: int = 4, keep_epochs: int = 0, **params: Any) -> str:
    """A job that crashed after some epochs, with the checkpoints of these in the store."""
    given = {"mode": "keep", "epochs": epochs, "epoch_seconds": 0, "crash_after": after} | params
    job_id = backend.submit(params=given, keep_epochs=keep_epochs)
    assert backend.wait_closed(job_id)["reason"] == "TrainerError"
    return job_id


def finished(backend: Backend, *, epochs: int = 3, **given: Any) -> str:
    job_id = backend.submit("keep", epochs=epochs, epoch_seconds=0, **given)
    assert backend.wait_closed(job_id)["state"] == "SUCCEEDED"
    return job_id


def resume(backend: Backend, job_id: str, **body: Any) -> dict[str, Any]:
    return backend.ask("POST", f"/v1/jobs/{job_id}/resume", json=body)


def refused(backend: Backend, job_id: str, status: int, verb: str = "resume", **body: Any) -> dict[str, Any]:
    """The error; and there is no new job."""
    before = backend.ask("GET", "/v1/status")["jobs"]
    given = {} if verb == "retry" else {"json": body}
    answer = backend.http.post(f"/v1/jobs/{job_id}/{verb}", **given)
    assert answer.status_code == status, answer.text
    after = backend.ask("GET", "/v1/status")["jobs"]
    assert sum(after.values()) == sum(before.values())
    return answer.json()["error"]


def first_words(backend: Backend, job_id: str) -> str:
    return str(backend.events(job_id)[0]["message"])


# -- going on -------------------------------------------------------------------------------------------------------


def test_an_interrupted_job_goes_on_to_its_planned_epochs_as_a_new_job(backend_on: Backend) -> None:
    parent = interrupted(backend_on, epochs=6, after=4, keep_epochs=2)
    child = resume(backend_on, parent)
    assert child["message"] == f"Continues {parent} from epoch 4 of 6."
    assert (child["parent_id"], child["resume_from"]) == (parent, f"checkpoints/job-{parent}/last.pt")
    assert (child["params"]["epochs"], child["keep_epochs"]) == (6, 2)
    ended = backend_on.wait_closed(child["id"])
    assert (ended["state"], ended["epoch"]) == ("SUCCEEDED", 6)
    assert backend_on.ask("GET", f"/v1/jobs/{child['id']}/metrics")["curves"]["train/loss"]["steps"] == [5, 6]
    assert first_words(backend_on, child["id"]) == f"Continues {parent} from epoch 4 of 6."
    assert [job["id"] for job in backend_on.ask("GET", "/v1/jobs", params={"parent_id": parent})["items"]] == [
        child["id"]
    ]
    assert backend_on.ask("GET", "/v1/jobs", params={"parent_id": child["id"]})["items"] == []


def test_a_child_of_a_child_goes_on_where_the_child_was_interrupted(backend: Backend) -> None:
    first = interrupted(backend, epochs=6, after=2)
    second = resume(backend, first, params={"crash_after": 4}, name="again")
    assert backend.wait_closed(second["id"])["reason"] == "TrainerError"
    third = resume(backend, second["id"], params={"crash_after": 0})
    assert third["message"].startswith(f"Continues {second['id']} from epoch 4 of 6, with another crash_after: its log")
    assert (second["name"], third["name"]) == ("again", "again")
    assert backend.wait_closed(third["id"])["state"] == "SUCCEEDED"
    assert "resumes checkpoints/job-" + second["id"] in backend.log_text(third["id"])


def test_a_cancelled_job_can_go_on_too(backend: Backend) -> None:
    job_id = backend.submit("keep", epochs=1000, epoch_seconds=0.02)
    backend.wait_state(job_id, "RUNNING")
    checkpoints = f"/v1/jobs/{job_id}/checkpoints"
    while not backend.ask("GET", checkpoints)["items"]:
        assert backend.job(job_id)["state"] == "RUNNING"
    backend.ask("POST", f"/v1/jobs/{job_id}/cancel")
    backend.wait_closed(job_id)
    epoch = backend.ask("GET", checkpoints)["items"][0]["epoch"]
    child = resume(backend, job_id)
    assert child["message"] == f"Continues {job_id} from epoch {epoch} of 1000."
    backend.ask("POST", f"/v1/jobs/{child['id']}/cancel")
    backend.wait_closed(child["id"])


def test_another_number_of_epochs_for_an_interrupted_job_is_a_fresh_schedule(backend: Backend) -> None:
    parent = interrupted(backend, epochs=6, after=4)
    child = resume(backend, parent, epochs=8)
    words = f"Starts a fresh schedule of 8 epochs from the weights of {parent} (last, epoch 4 of 6)."
    assert child["message"] == words
    assert backend.wait_closed(child["id"])["epochs"] == 8


def test_a_finished_job_begins_a_fresh_schedule_from_its_weights(backend: Backend) -> None:
    parent = finished(backend)
    error = refused(backend, parent, 422)
    assert (error["field"], error["message"]) == ("epochs", f"{parent} finished all of its 3 epochs.")
    assert "--epochs N" in error["hint"]
    child = resume(backend, parent, epochs=2)
    assert child["message"] == f"Starts a fresh schedule of 2 epochs from the weights of {parent} (last)."
    assert child["params"]["epochs"] == 2
    backend.wait_closed(child["id"])
    assert backend.ask("GET", f"/v1/jobs/{child['id']}/metrics")["curves"]["train/loss"]["steps"] == [1, 2]


def test_an_early_stop_is_an_end_of_the_plan(backend: Backend) -> None:
    parent = backend.submit("keep", epochs=9, epoch_seconds=0, params={"mode": "keep", "epochs": 9, "stop_after": 2})
    assert backend.wait_closed(parent)["state"] == "SUCCEEDED"
    assert refused(backend, parent, 422)["message"] == f"{parent} ended by itself after epoch 2 of 9."
    assert "fresh schedule of 1 epoch from" in resume(backend, parent, epochs=1)["message"]


def test_an_epochs_own_checkpoint_goes_on_in_the_original_plan(backend: Backend) -> None:
    parent = finished(backend, epochs=4, keep_epochs=10)
    child = resume(backend, parent, checkpoint="epoch-2")
    assert child["message"] == f"Continues {parent} from epoch 2 of 4."
    backend.wait_closed(child["id"])
    assert backend.ask("GET", f"/v1/jobs/{child['id']}/metrics")["curves"]["train/loss"]["steps"] == [3, 4]
    assert refused(backend, parent, 422, checkpoint="epoch-4")["field"] == "epochs"
    assert refused(backend, parent, 422, checkpoint="best")["field"] == "epochs"


def test_the_same_idempotency_key_is_the_same_child(backend_on: Backend) -> None:
    parent = interrupted(backend_on, epochs=5, after=4)
    path, key = f"/v1/jobs/{parent}/resume", {"Idempotency-Key": "once"}
    answers = [backend_on.http.post(path, json={}, headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    # the same training from another checkpoint is another request
    assert backend_on.http.post(path, json={"checkpoint": "best"}, headers=key).status_code == 409
    assert len(backend_on.ask("GET", "/v1/jobs", params={"parent_id": parent})["items"]) == 1


# -- retrying -------------------------------------------------------------------------------------------------------


def test_a_retry_of_a_resumed_job_begins_with_the_same_checkpoint(backend: Backend) -> None:
    first = interrupted(backend, epochs=6, after=4)
    second = resume(backend, first, params={"crash_after": 5})
    assert backend.wait_closed(second["id"])["reason"] == "TrainerError"
    third = backend.ask("POST", f"/v1/jobs/{second['id']}/retry")
    assert (third["parent_id"], third["resume_from"]) == (second["id"], second["resume_from"])
    assert third["message"] == f"Tries {second['id']} again, from the same checkpoint: {second['resume_from']}."
    backend.wait_closed(third["id"])
    store_of(backend).delete(second["resume_from"])
    error = refused(backend, second["id"], 409, "retry")
    assert f"{second['resume_from']}, which is no longer in the store" in error["message"]


# -- refusals -------------------------------------------------------------------------------------------------------


def test_what_can_not_be_resumed_says_why_and_makes_no_job(backend: Backend) -> None:
    running = backend.submit(epochs=10_000)
    assert "has not ended yet" in refused(backend, running, 409)["message"]
    backend.ask("POST", f"/v1/jobs/{running}/cancel")
    backend.wait_closed(running)
    assert refused(backend, running, 404)["message"] == f"{running} has no checkpoints."
    body = {"framework": "probe", "attached": True, "script": "/some/script.py"}
    script = backend.ask("POST", "/v1/jobs", json=body)["id"]
    backend.ask("POST", f"/v1/jobs/{script}/cancel")
    backend.wait_end(script)
    assert "script of its own" in refused(backend, script, 409)["message"]
    assert "no job nobody" in refused(backend, "nobody", 404)["message"]


def test_a_checkpoint_that_is_not_there_is_refused_with_those_that_are(backend: Backend) -> None:
    parent = interrupted(backend, keep_epochs=5)
    error = refused(backend, parent, 404, checkpoint="epoch-9")
    assert error["message"] == f"{parent} has no checkpoint epoch-9."
    assert error["hint"] == "There are: last, epoch-1, epoch-2, epoch-3, epoch-4."
    for kind in ("../../other/last", "epoch-0", "epoch--1", "first", ""):
        assert refused(backend, parent, 422, checkpoint=kind)["field"] == "checkpoint"


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"epochs": 0}, "epochs", "greater than or equal to 1"),
        ({"epochs": 200_000}, "params.epochs", "at most 100000"),
        ({"params": {"epochs": 5}}, "params.epochs", "--epochs"),
        ({"params": {"lerning_rate": 5}}, "params.lerning_rate", "learning_rate"),
        ({"params": {"learning_rate": -1}}, "params.learning_rate", "at least 0"),
        ({"params": {f"p{number}": 1 for number in range(100)}}, "params.p0", "no parameter"),
        ({"name": "a\nb"}, "name", "pattern"),
        ({"surprise": 1}, "surprise", "not permitted"),
    ],
)
def test_what_is_wrong_with_a_resume_is_named_by_its_field(
    resumable: tuple[Backend, str], body: dict[str, Any], field: str, words: str
) -> None:
    error = refused(*resumable, 422, **body)
    assert error["field"] == field
    assert words in error["message"] + error["hint"]
    assert refused(*resumable, 501, execution="k8s")["hint"]


@pytest.fixture(scope="module")
def resumable(shared: Backend) -> tuple[Backend, str]:
    return shared, interrupted(shared)


def test_a_dataset_that_was_removed_meanwhile_is_missed(make_backend: Callable[..., Backend]) -> None:
    backend = make_backend().start().with_sample()
    parent = interrupted(backend)
    backend.ask("DELETE", "/v1/datasets/cats-dogs-classes")
    assert refused(backend, parent, 422)["field"] == "dataset_id"


def test_a_store_that_is_away_is_said_and_nothing_is_stored(make_backend: Callable[..., Backend]) -> None:
    backend = make_backend().start().with_sample()
    parent = interrupted(backend)
    backend.stop()
    backend.env["TRAINYARD_S3_ENDPOINT"] = "http://127.0.0.1:9"
    backend.start(wait=False)
    wait_for("the backend without a store", lambda: answers(backend))
    for path in (f"/v1/jobs/{parent}/checkpoints", f"/v1/jobs/{parent}/checkpoints/last", "/v1/weights"):
        assert backend.http.get(path).json()["error"]["code"] == "storage_unavailable"
    assert "does not answer" in refused(backend, parent, 503)["message"]


def answers(backend: Backend) -> bool:
    try:
        return backend.http.get("/v1/health/live").is_success
    except httpx2.TransportError:
        return False


# -- checkpoints ----------------------------------------------------------------------------------------------------


def test_checkpoints_are_listed_in_order_as_they_lie_in_the_store(backend_on: Backend) -> None:
    job_id = finished(backend_on, epochs=11, keep_epochs=20)
    store = store_of(backend_on)
    for name in ("notes.txt", "epoch-x.pt", "deeper/last.pt", "last.pt.part"):
        store.put_stream(f"checkpoints/job-{job_id}/{name}", [b"x"])
    store.delete(f"checkpoints/job-{job_id}/epoch-3.pt")
    items = backend_on.ask("GET", f"/v1/jobs/{job_id}/checkpoints")["items"]
    epochs = [number for number in range(1, 12) if number != 3]
    assert [item["kind"] for item in items] == ["best", "last", *(f"epoch-{number}" for number in epochs)]
    assert [item["epoch"] for item in items] == [10, 11, *epochs]
    assert all(item["at"] and item["bytes"] for item in items)
    assert items[1]["key"] == f"checkpoints/job-{job_id}/last.pt"


def test_a_checkpoint_is_downloaded_as_it_is(backend: Backend) -> None:
    job_id = finished(backend)
    answer = backend.http.get(f"/v1/jobs/{job_id}/checkpoints/best")
    assert json.loads(answer.content) == {"epoch": 2, "epochs": 3}
    assert answer.headers["content-disposition"] == f'attachment; filename="{job_id}-best.pt"'
    assert answer.headers["content-length"] == str(len(answer.content))
    assert backend.http.get(f"/v1/jobs/{job_id}/checkpoints/epoch-1").status_code == 404
    for kind in ("..%2flast", "notes", "epoch-01", "best.pt"):
        assert backend.http.get(f"/v1/jobs/{job_id}/checkpoints/{kind}").status_code in (404, 422)


def test_what_a_trainer_tells_of_a_checkpoint_is_not_believed_blindly(backend: Backend) -> None:
    """Epochs of no sense, keys of others: the list is the store's."""
    other = finished(backend)
    job_id = backend.submit("announce", epochs=1)
    backend.wait_closed(job_id)
    assert backend.ask("GET", f"/v1/jobs/{job_id}/checkpoints")["items"] == []
    store_of(backend).put_stream(f"checkpoints/job-{job_id}/last.pt", [b"x"])
    (item,) = backend.ask("GET", f"/v1/jobs/{job_id}/checkpoints")["items"]
    assert (item["kind"], item["epoch"]) == ("last", None)
    assert len(backend.ask("GET", f"/v1/jobs/{other}/checkpoints")["items"]) == 2
