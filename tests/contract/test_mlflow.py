"""MLflow: told everything when it is there, waited for by nobody when it isn't."""

import itertools
import json
import socket
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.running import JOB, TRACE, Starter
from tests.real.s3server import free_ports
from trainyard.conformance.gate import Gate
from trainyard.conformance.recorder import Recorder


def ask(url: str, path: str, **body: object) -> dict[str, Any]:
    request = urllib.request.Request(f"{url}/api/2.0/mlflow/{path}", json.dumps(body).encode() if body else None)
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def history(url: str, run_id: str, metric: str) -> list[tuple[int, float]]:
    found = ask(url, f"metrics/get-history?run_id={run_id}&metric_key={metric}")
    return [(int(one["step"]), one["value"]) for one in found["metrics"]]


@pytest.fixture
def gate(mlflow_url: str) -> Iterator[Gate]:
    made = Gate(mlflow_url)
    yield made
    made.close()


def test_params_metrics_and_the_end_are_in_mlflow(start: Starter, recorder: Recorder, mlflow_url: str) -> None:
    job = f"{JOB}-{start.script.parent.name[8:12]}"
    start(MLFLOW_TRACKING_URI=mlflow_url, MLFLOW_EXPERIMENT_NAME="project-cats", JOB_ID=job).succeeds()
    (told,) = recorder.events("mlflow_run")
    run = ask(mlflow_url, f"runs/get?run_id={told['data']['run_id']}")["run"]
    tags = {tag["key"]: tag["value"] for tag in run["data"]["tags"]}
    assert (run["info"]["run_name"], run["info"]["status"]) == (f"job-{job}", "FINISHED")
    assert (tags["job_id"], tags["trace_id"]) == (job, TRACE)
    assert {"key": "epochs", "value": "3"} in run["data"]["params"]
    losses = [(call.body["epoch"], call.body["metrics"]["val/loss"]) for call in recorder.epochs()]
    assert history(mlflow_url, run["info"]["run_id"], "val/loss") == losses
    assert recorder.done()["mlflow_run_id"] == told["data"]["run_id"]
    experiment = ask(mlflow_url, "experiments/get-by-name?experiment_name=project-cats")["experiment"]
    assert told["data"]["experiment_id"] == experiment["experiment_id"]


def test_what_mlflow_missed_is_written_later(template: Starter, recorder: Recorder, gate: Gate) -> None:
    gate.set("shut")
    run = template(MLFLOW_TRACKING_URI=gate.url, EPOCHS=40, IMAGE_SIZE=128, BATCH_SIZE=1, JOB_ID=f"{JOB}-late")
    recorder.wait_for(lambda seen: "WARNING MLflow is away" in run.stdout)
    gate.set("open")
    run.succeeds()
    run_id = recorder.done()["mlflow_run_id"]
    assert [step for step, _ in history(gate.url, run_id, "train/loss")] == list(range(1, 41))
    assert not recorder.events("warning")


def test_a_second_attempt_goes_on_in_the_same_run(template: Starter, recorder: Recorder, mlflow_url: str) -> None:
    seen = []
    for attempt in (1, 2):
        template(MLFLOW_TRACKING_URI=mlflow_url, JOB_ID=f"{JOB}-twice", ATTEMPT=attempt, EPOCHS=1).succeeds()
        seen.append(recorder.done()["mlflow_run_id"])
        recorder.taken.clear()
    assert seen[0] == seen[1] is not None


def test_a_cancelled_run_is_killed_in_mlflow(template: Starter, recorder: Recorder, mlflow_url: str) -> None:
    run = template(MLFLOW_TRACKING_URI=mlflow_url, JOB_ID=f"{JOB}-stop", EPOCHS=100000, IMAGE_SIZE=128, BATCH_SIZE=1)
    recorder.wait_for(lambda seen: seen.events("mlflow_run"))
    run.stop()
    assert run.end() == 143
    found = ask(mlflow_url, f"runs/get?run_id={recorder.done()['mlflow_run_id']}")
    assert found["run"]["info"]["status"] == "KILLED"


@pytest.mark.parametrize("kind", ["refuses", "hangs"])
def test_a_dead_mlflow_does_not_stall_a_training(template: Starter, recorder: Recorder, kind: str) -> None:
    (port,) = free_ports(1)
    with socket.socket() as hanging:
        if kind == "hangs":
            hanging.bind(("127.0.0.1", port))
            hanging.listen()
        url = f"http://127.0.0.1:{port}"
        run = template(MLFLOW_TRACKING_URI=url, EPOCHS=40, IMAGE_SIZE=128, BATCH_SIZE=1, FLUSH_SECONDS=3)
        recorder.wait_for(lambda seen: "epoch 40/40" in run.stdout)
        run.succeeds(60)
    gaps = [after.at - before.at for before, after in itertools.pairwise(recorder.epochs())]
    assert max(gaps) < 1, gaps
    (warning,) = recorder.events("warning")
    assert "MLflow misses" in warning["message"]
    assert (recorder.done()["status"], recorder.done()["mlflow_run_id"]) == ("succeeded", None)
