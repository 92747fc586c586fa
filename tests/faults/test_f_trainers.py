"""Real trainers: silent for a long epoch, with a token that runs out, with numbers that are none, without MLflow."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import running_workshop
from tests.faults.invariants import closed
from tests.faults.real_trainers import Workshop
from tests.real.backend import wait_for
from tests.real.proxy import PASS, Fate
from tests.real.s3server import S3Server

TOKEN_SECONDS = 15.0
SECONDS = 150  # a machine may be busy


def succeeded(workshop: Workshop, job_id: str, epochs: int) -> dict[str, Any]:
    """The closed job, with each epoch's metrics in the backend and in MLflow."""
    job = closed(workshop, job_id, seconds=SECONDS)
    assert job["state"] == "SUCCEEDED", (job["message"], workshop.log_text(job_id)[-3000:])
    assert len(workshop.curve(job_id, "train/loss")) == epochs
    assert workshop.tracked(job_id, "train/loss") == list(range(1, epochs + 1))
    return job


def test_f12_a_real_trainer_silent_in_a_long_epoch_is_marked_and_succeeds(workshop: Workshop) -> None:
    job_id = workshop.train("busy", epochs=3)
    workshop.wait_for_event(job_id, lambda event: event["type"] == "running")  # a slow start may be marked, too

    def kinds() -> list[str]:
        return [event["type"] for event in workshop.events(job_id)]

    def marks() -> int:
        return kinds()[kinds().index("running") :].count("stuck")

    wait_for("the mark", marks, SECONDS)
    assert workshop.trainer(job_id).is_running()
    workshop.storage.set("shut")  # what is left takes a moment: it can't end before anybody has looked
    wait_for("its word", lambda: (now := kinds()).count("unstuck") == now.count("stuck"), SECONDS)
    workshop.storage.set("open")
    succeeded(workshop, job_id, 3)
    assert kinds().count("stuck") == kinds().count("unstuck") == 1
    assert [event["data"]["epoch"] for event in workshop.events(job_id) if event["type"] == "validation"] == [1, 2, 3]


@pytest.fixture
def forgetful(s3_server: S3Server, mlflow_url: str, tmp_path: Path) -> Iterator[Workshop]:
    """Its tokens last for seconds, to the second: nothing is granted to clocks that differ."""
    before = "import trainyard.callbacks.token as token\ntoken.LEEWAY_SECONDS = 0.0\n"
    hours = str(TOKEN_SECONDS / 3600)
    with running_workshop(s3_server, tmp_path, mlflow_url, before, token_hours=hours) as workshop:
        yield workshop


def test_f25_a_real_trainer_outlives_its_first_token(forgetful: Workshop) -> None:
    job_id = forgetful.train("paced", epochs=80)
    job = succeeded(forgetful, job_id, 80)
    assert job["finished_at"] - job["started_at"] > 1.5 * TOKEN_SECONDS
    calls = [request.raw for request, _ in forgetful.proxy.answers if f"/v1/jobs/{job_id}/" in request.path]
    tokens = {line for raw in calls for line in raw.split(b"\r\n") if line.startswith(b"Authorization")}
    assert len(tokens) > 1
    assert {answer.status for _, answer in forgetful.proxy.answers} == {200}


def refuse(word: str) -> None:
    raise AssertionError(f"not strict JSON: {word}")


def test_f37_what_a_real_trainer_that_diverges_measures_is_kept_and_shown(workshop: Workshop) -> None:
    job_id = workshop.train("diverging", epochs=3, learning_rate=1e308, batch_size=4096)
    succeeded(workshop, job_id, 3)
    assert workshop.curve(job_id, "train/loss")[1:] == ["NaN", "NaN"]
    assert workshop.curve(job_id, "sum")[0] == "Infinity"
    calls = [request for request, _ in workshop.proxy.answers if f"/v1/jobs/{job_id}/" in request.path]
    for call in calls:
        json.loads(call.body, parse_constant=refuse)
    shown = ["", "/metrics", "/events", "/samples"]
    for path in ["", *(f"/{job_id}{path}" for path in shown)]:
        answer = workshop.http.get(f"/v1/jobs{path}")
        assert answer.status_code == 200, answer.text
        json.loads(answer.text, parse_constant=refuse)
    assert workshop.job(job_id)["metrics"]["train/loss"]["last"] == "NaN"


BROKEN = {
    "refuses": None,
    "hangs": Fate(swallowed=True),
    "answers-500": Fate(status=500),
}


@pytest.fixture(scope="module")
def pace(one_workshop: Workshop) -> float:
    """The longest that an epoch takes where no MLflow is told of."""
    one_workshop.make_ready()
    job_id = one_workshop.train("untracked", epochs=16)
    job = closed(one_workshop, job_id, seconds=SECONDS)
    assert (job["state"], job["mlflow_run_id"]) == ("SUCCEEDED", None)
    return max(gaps(one_workshop, job_id))


def gaps(workshop: Workshop, job_id: str) -> list[float]:
    times = workshop.epoch_times(job_id)
    return [after - before for before, after in itertools.pairwise(times)]


@pytest.mark.parametrize("how", BROKEN)
def test_f38_mlflow_away_delays_no_epoch_and_is_told_later(workshop: Workshop, pace: float, how: str) -> None:
    fate = BROKEN[how]
    job_id = workshop.train("paced", epochs=24)
    workshop.wait_for_event(job_id, lambda event: event["type"] == "mlflow_run")
    if fate is None:
        workshop.tracking.shut()
    else:
        workshop.tracking.obey(lambda _: fate)
    try:
        later = (workshop.job(job_id)["epoch"] or 0) + 9
        workshop.wait_for_event(job_id, lambda event: event["data"].get("epoch") == later)
    finally:
        workshop.tracking.obey(lambda _: PASS)
        if fate is None:
            workshop.tracking.open()
    succeeded(workshop, job_id, 24)
    assert "WARNING MLflow is away" in workshop.log_text(job_id)
    assert max(gaps(workshop, job_id)) < pace + 1, (pace, gaps(workshop, job_id))
    assert not [event for event in workshop.events(job_id) if event["type"] == "warning"]
