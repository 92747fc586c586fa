"""What is wrong with a request is said at submit, by field, with what would be right; and there is no row."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.real.backend import Backend

GOOD: dict[str, Any] = {"framework": "probe", "dataset_id": "cats-dogs-classes"}


CASES: list[tuple[dict[str, Any], str, str]] = [
    ({"framework": "nope"}, "framework", "There are: "),
    ({"framework": "../etc"}, "framework", "no trainer"),
    ({"model": "resnet"}, "model", "tiny"),
    ({"model": "../../etc/passwd"}, "model", "tiny"),
    ({"model": "x" * 300}, "model", "at most 200"),
    ({"dataset_id": "nope"}, "dataset_id", "datasets list"),
    ({"dataset_id": "../secret"}, "dataset_id", "pattern"),
    ({"dataset_id": None}, "dataset_id", "needs a dataset"),
    ({"task": "detect"}, "dataset_id", "is for classify"),
    ({"task": "fly"}, "task", "'detect' or 'classify'"),
    ({"params": {"epochs": 0}}, "params.epochs", "at least 1"),
    ({"params": {"epochs": -5}}, "params.epochs", "at least 1"),
    ({"params": {"epochs": 2.5}}, "params.epochs", "whole number"),
    ({"params": {"epochs": "many"}}, "params.epochs", "whole number"),
    ({"params": {"epochs": True}}, "params.epochs", "whole number"),
    ({"params": {"epochs": 10**30}}, "params.epochs", "too large"),
    ({"params": {"learning_rate": "NaN"}}, "params.learning_rate", "finite"),
    ({"params": {"learning_rate": -1}}, "params.learning_rate", "at least 0"),
    ({"params": {"lerning_rate": 1}}, "params.lerning_rate", "learning_rate"),
    ({"params": {"mode": "a\0b"}}, "params.mode", "text"),
    ({"name": "x" * 300}, "name", "at most 200"),
    ({"name": "a\nb"}, "name", "pattern"),
    ({"name": "a\0b"}, "name", "pattern"),
    ({"tags": ["x"] * 21}, "tags", "at most 20"),
    ({"priority": 1000}, "priority", "less than or equal to 100"),
    ({"gpus": -1}, "gpus", "greater than or equal to 0"),
    ({"project_id": "nope"}, "project_id", "POST /v1/projects"),
    ({"script": "/etc/passwd"}, "script", "trainyard train"),
    ({"execution": "moon"}, "execution", "'local', 'k8s' or 'image'"),
    ({"surprise": 1}, "surprise", "not permitted"),
]


def test_an_address_that_no_file_can_have_is_the_pages_or_nothing(shared: Backend) -> None:
    """Anybody may ask for it, signed in or not. The page itself may not be built here (503)."""
    for path in ("a" * 300, "a/" * 3_000, "%00", "a%00b"):
        assert shared.http.get(f"/{path}").status_code in (200, 503), path
        assert shared.http.get(f"/assets/{path}").status_code == 404, path


def test_every_wrong_field_is_named_with_what_would_be_right_and_no_row_is_made(backend: Backend) -> None:
    for change, field, words in CASES:
        answer = backend.http.post("/v1/jobs", json=GOOD | change)
        assert answer.status_code == 422, (change, answer.text)
        error = answer.json()["error"]
        assert error["field"].startswith(field), (change, error)
        assert words in error["message"] + error["hint"], (change, error)
    raw = '{"framework":"probe","dataset_id":"cats-dogs-classes","params":{"learning_rate":%s}}'
    for number in ("NaN", "Infinity", "1e400"):
        answer = backend.http.post("/v1/jobs", content=raw % number, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422, (number, answer.text)
    assert backend.ask("GET", "/v1/jobs")["items"] == []


def test_kubernetes_is_refused_in_words_where_it_is_not_set_up(backend: Backend) -> None:
    answer = backend.http.post("/v1/jobs", json=GOOD | {"execution": "k8s"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (501, "not_available")
    assert "no cluster" in error["message"]
    assert "TRAINYARD_KUBECONFIG" in error["hint"]


def test_the_old_name_of_the_local_tier_is_understood(make_backend: Callable[..., Backend]) -> None:
    backend = make_backend()
    backend.env["EXECUTION_MODE"] = "subprocess"
    backend.start()
    assert backend.ask("GET", "/v1/status")["execution"] == "local"


def test_the_same_idempotency_key_is_the_same_job(backend_on: Backend) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first = backend_on.http.post("/v1/jobs", json=GOOD, headers=headers)
    again = backend_on.http.post("/v1/jobs", json=GOOD, headers=headers)
    other = backend_on.http.post("/v1/jobs", json=GOOD | {"name": "x"}, headers=headers)
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert first.json()["id"] == again.json()["id"]
    assert len(backend_on.ask("GET", "/v1/jobs")["items"]) == 1


def test_what_does_not_exist_is_a_404_with_a_way_on(backend: Backend) -> None:
    for path in (
        "/v1/jobs/none",
        "/v1/jobs/none/log",
        "/v1/jobs/none/log/stream",
        "/v1/jobs/none/metrics",
        "/v1/jobs/none/events",
        "/v1/datasets/none",
        "/v1/datasets/none/file",
        "/v1/trainers/none",
        "/v1/projects/none",
        "/v1/jobs/%00",
        "/v1/jobs/..%2f..%2fetc",
    ):
        answer = backend.http.get(path)
        assert answer.status_code == 404, (path, answer.text)
        assert answer.json()["error"]["message"], path


def test_a_trainer_folder_that_cannot_be_read_is_listed_with_the_reason(
    make_backend: Callable[..., Backend], tmp_path: Any
) -> None:
    (tmp_path / "trainer-odd").mkdir()
    (tmp_path / "trainer-odd" / "trainer.toml").write_text('framework = "odd"\ntitle = 3\n')
    backend = make_backend(trainers_dir=str(tmp_path)).start()
    (trainer,) = backend.ask("GET", "/v1/trainers")["items"]
    assert not trainer["usable"]
    assert "title" in trainer["problem"]
    answer = backend.http.post("/v1/jobs", json={"framework": "odd", "dataset_id": "x"})
    assert answer.status_code == 422
    assert "title" in answer.json()["error"]["message"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from([*GOOD, "params", "name", "tags", "task", "model", "gpus"]), json_values))
def test_whatever_is_sent_the_answer_is_never_a_failure_of_ours(backend: Backend, change: dict[str, Any]) -> None:
    body = json.dumps(GOOD | change)
    answer = backend.http.post("/v1/jobs", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (201, 422), answer.text


def test_what_no_database_takes_is_refused_or_left_out(backend_on: Backend) -> None:
    job_id = backend_on.submit()
    backend_on.ask("PATCH", f"/v1/jobs/{job_id}", json={"notes": "a\0b"})
    assert backend_on.wait_end(job_id)["notes"] == "ab"
    script = {"framework": "probe", "attached": True, "script": "/some/script.py"}
    for value, words in (("NaN", "finite"), ('"a\\u0000b"', "text")):
        body = json.dumps(script)[:-1] + f', "params": {{"mine": {value}}}}}'
        answer = backend_on.http.post("/v1/jobs", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422, answer.text
        assert answer.json()["error"]["field"] == "params.mine"
        assert words in answer.json()["error"]["message"]
