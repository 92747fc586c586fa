"""Predicting through the API: what is answered, which process answers it, and what a trainer may do wrong."""

import base64
import io
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import psutil
import pytest
from PIL import Image

from tests.conftest import backends
from tests.real.backend import Backend, wait_for
from tests.real.predicting import (
    ask,
    job_with,
    labels,
    left_in_store,
    picture,
    predictors,
    put_checkpoint,
    refused,
    refused_body,
    store_of,
    trainers,
)
from tests.real.s3server import S3Server
from trainyard.db.engine import Database
from trainyard.jobs.trainers import Catalog
from trainyard.predictions.service import PredictionService
from trainyard.settings import Settings

MakeBackend = Callable[..., Backend]


@pytest.fixture(scope="module")
def asked(s3_server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """One running backend for tests that don't mind each other."""
    folder = tmp_path_factory.mktemp("asked")
    with backends(s3_server, folder) as make:
        backend = make(trainers_dir=str(trainers(folder))).start().with_sample()
        yield backend
        backend.stop()


@pytest.fixture
def own(make_backend: MakeBackend, tmp_path: Path) -> Callable[..., Backend]:
    """Running backends with settings of one's own."""

    def make(*, warm: bool = True, **settings: str) -> Backend:
        return make_backend(trainers_dir=str(trainers(tmp_path, warm=warm)), **settings).start().with_sample()

    return make


# -- what is answered -----------------------------------------------------------------------------------------------


def test_boxes_come_back_in_pixels_with_an_overlay_of_each_picture(asked: Backend) -> None:
    job_id = job_with(asked, {"label": "cat", "box": [0.25, 0.25, 0.75, 0.75]})
    answer = ask(asked, job_id, picture(400, 200), picture(2000, 3000, "JPEG"))
    assert answer["checkpoint"] == f"checkpoints/job-{job_id}/best.pt"
    assert (answer["count"], answer["note"]) == (2, "")
    first, second = answer["predictions"]
    assert first == {
        "picture": 0, "name": "0.png", "label": "cat", "confidence": 0.9, "box": [100, 50, 300, 150], "scores": None,
    }  # fmt: skip
    assert (second["picture"], second["box"]) == (1, [500, 750, 1500, 2250])
    assert 0 < answer["seconds"]["model"] < answer["seconds"]["total"]
    assert [(one["width"], one["height"]) for one in answer["pictures"]] == [(400, 200), (2000, 3000)]
    small, large = (opened(one["overlay"]) for one in answer["pictures"])
    assert (small.size, large.size) == ((480, 240), (1067, 1600))
    assert large.getpixel((5, 5)) != large.getpixel((267, 800))  # the box's left side
    assert left_in_store(asked) == []


def opened(overlay: str) -> Image.Image:
    kind, _, data = overlay.partition(",")
    assert kind == "data:image/jpeg;base64"
    raw = base64.b64decode(data)
    assert len(raw) <= 300_000
    return Image.open(io.BytesIO(raw))


def test_classes_come_back_with_their_scores_and_without_overlays_where_none_are_wanted(asked: Backend) -> None:
    job_id = job_with(asked, {"label": "고양이", "scores": {"고양이": 0.9, "dog": 0.1}})
    answer = ask(asked, job_id, overlay=False)
    (one,) = answer["predictions"]
    assert (one["label"], one["scores"], one["box"]) == ("고양이", {"고양이": 0.9, "dog": 0.1}, None)
    assert answer["pictures"][0]["overlay"] is None
    assert opened(ask(asked, job_id)["pictures"][0]["overlay"]).size == (448, 336)  # a whole number of times 64x48


def test_confidence_is_passed_on_and_left_to_the_trainer_where_it_is_not_given(asked: Backend) -> None:
    job_id = job_with(asked, {"label": "confidence"})
    assert labels(ask(asked, job_id)) == ["0.25"]
    assert labels(ask(asked, job_id, confidence=0.5)) == ["0.5"]
    assert labels(ask(asked, job_id, confidence=0)) == ["0.0"]
    answer = ask(asked, job_id, confidence=0.95)
    assert (answer["predictions"], answer["count"]) == ([], 0)
    assert opened(answer["pictures"][0]["overlay"])


def test_the_best_checkpoint_is_asked_else_the_last_which_is_said(asked: Backend) -> None:
    job_id = job_with(asked, {"label": "the last"}, "last")
    answer = ask(asked, job_id)
    assert (labels(answer), "last" in answer["note"]) == (["the last"], True)
    put_checkpoint(asked, job_id, {"label": "the best"})
    put_checkpoint(asked, job_id, {"label": "the third"}, "epoch-3")
    told = {kind: ask(asked, job_id, checkpoint=kind) for kind in ("best", "last", "epoch-3")}
    assert [labels(one) for one in told.values()] == [["the best"], ["the last"], ["the third"]]
    assert {one["note"] for one in told.values()} == {""}
    status, error = refused(asked, job_id, checkpoint="epoch-4")
    assert (status, "epoch-4" in error["message"]) == (404, True)


def test_a_running_job_with_a_checkpoint_is_asked_and_one_without_is_told_to_wait(asked: Backend) -> None:
    job_id = asked.submit(epochs=10_000)
    asked.wait_state(job_id, "RUNNING")
    status, error = refused(asked, job_id)
    assert (status, "no checkpoint yet" in error["message"]) == (409, True)
    put_checkpoint(asked, job_id, {"label": "young"})
    assert labels(ask(asked, job_id)) == ["young"]
    asked.ask("POST", f"/v1/jobs/{job_id}/cancel")


def test_what_cannot_be_asked_is_told_in_words(asked: Backend, own: Callable[..., Backend]) -> None:
    assert refused(asked, "job-20261121-101112-abcd")[0] == 404
    job_id = asked.submit("crash")
    asked.wait_closed(job_id)
    status, error = refused(asked, job_id)
    assert (status, "FAILED" in error["message"]) == (404, True)
    backend = own()
    folder = Path(backend.env["TRAINYARD_TRAINERS_DIR"])
    script = backend.ask("POST", "/v1/jobs", json={"framework": "probe", "attached": True, "script": "/some/where.py"})
    put_checkpoint(backend, script["id"], {})
    status, error = refused(backend, script["id"])
    assert (status, "script of its own" in error["message"]) == (409, True)
    job_id = job_with(backend)
    (folder / "trainer-probe" / "predict.py").unlink()
    status, error = refused(backend, job_id)
    assert (status, "has no predict.py" in error["message"]) == (404, True)
    (folder / "trainer-probe").rename(folder / "gone")
    status, error = refused(backend, job_id)
    assert (status, "not here any more" in error["message"]) == (409, True)


# -- which process answers ------------------------------------------------------------------------------------------


def test_the_second_call_is_answered_by_the_same_process_in_a_moment(asked: Backend) -> None:
    job_id = job_with(asked)
    first, second = ask(asked, job_id), ask(asked, job_id)
    assert labels(first) == labels(second)
    assert (first["warm"], second["warm"]) == (False, True)
    assert second["seconds"]["total"] < first["seconds"]["total"]
    assert asked.process is not None
    assert int(labels(first)[0]) != asked.process.pid


def test_a_new_checkpoint_and_an_edited_trainer_take_effect_at_once(own: Callable[..., Backend]) -> None:
    backend = own()
    job_id = job_with(backend)
    (first,) = labels(ask(backend, job_id))
    put_checkpoint(backend, job_id, {"label": "pid", "newer": True})
    (second,) = labels(ask(backend, job_id))
    script = Path(backend.env["TRAINYARD_TRAINERS_DIR"], "trainer-probe", "predict.py")
    script.write_text(script.read_text().replace('"confidence": 0.9', '"confidence": 0.8'))
    edited = ask(backend, job_id)
    assert edited["predictions"][0]["confidence"] == 0.8
    assert len({first, second, *labels(edited)}) == 3
    assert [str(process.pid) for process in predictors(backend)] == labels(edited)  # the outdated ones are gone


def test_there_are_never_more_than_the_setting_says_and_the_longest_unused_goes_first(
    own: Callable[..., Backend],
) -> None:
    backend = own(predictors="2")
    one, two, three = (job_with(backend, {"label": "pid", "number": number}) for number in range(3))
    first, second = labels(ask(backend, one)), labels(ask(backend, two))
    assert labels(ask(backend, one)) == first
    third = labels(ask(backend, three))
    assert {str(process.pid) for process in predictors(backend)} == {*first, *third}
    assert labels(ask(backend, one)) == first
    assert labels(ask(backend, two)) != second


def test_many_at_once_are_answered_in_turn_by_one_process_and_too_many_are_told_to_come_back(
    own: Callable[..., Backend],
) -> None:
    backend = own(predictors="1")
    job_id = job_with(backend)
    statuses: list[int] = []
    all_here = threading.Barrier(30)

    def call(_number: int) -> list[str]:
        with httpx2.Client(base_url=backend.url, headers=backend.http.headers, timeout=120) as http:
            all_here.wait(60)
            answer = http.post(f"/v1/jobs/{job_id}/predict", json=wanted)
        statuses.append(answer.status_code)
        return labels(answer.json()) if answer.is_success else [answer.json()["error"]["hint"]]

    file = base64.b64encode(picture()).decode()
    wanted = {"pictures": [{"name": "a", "data": file}]}
    with ThreadPoolExecutor(30) as callers:
        told = {label for answer in callers.map(call, range(30)) for label in answer}
    assert set(statuses) == {200, 503}
    assert statuses.count(200) >= 10
    assert len(told) == 2  # one process, and one hint
    assert "Try again in some seconds." in told
    assert labels(ask(backend, job_id))[0] in told


def test_an_idle_one_ends_after_a_while_and_leaves_nothing(own: Callable[..., Backend]) -> None:
    backend = own(predictor_idle_seconds="4")
    job_id = job_with(backend)
    (pid,) = labels(ask(backend, job_id))
    process = psutil.Process(int(pid))
    assert process.environ()["CUDA_VISIBLE_DEVICES"] == ""
    assert process.nice() > psutil.Process().nice()
    wait_for("its end", lambda: not psutil.pid_exists(int(pid)))
    wait_for("its home to go", lambda: not list((backend.folder / "data" / "predictors").iterdir()))
    assert ask(backend, job_id)["warm"] is False


def test_a_trainer_that_is_not_warm_is_started_for_each_request(own: Callable[..., Backend]) -> None:
    backend = own(warm=False)
    job_id = job_with(backend)
    first, second = ask(backend, job_id), ask(backend, job_id, confidence=0.5)
    assert labels(first) != labels(second)
    assert not first["warm"] and not second["warm"]
    assert not predictors(backend)
    put_checkpoint(backend, job_id, {"mode": "crash"})
    status, error = refused(backend, job_id)
    assert (status, "exit code 3" in error["message"]) == (502, True)
    put_checkpoint(backend, job_id, {"raw": "not an object"})
    status, error = refused(backend, job_id)
    assert (status, "no JSON object" in error["message"]) == (502, True)


def test_nothing_is_left_when_the_backend_stops(own: Callable[..., Backend]) -> None:
    backend = own()
    ask(backend, job_with(backend))
    assert len(predictors(backend)) == 1
    backend.stop()
    assert not predictors(backend)
    assert not list((backend.folder / "data" / "predictors").iterdir())


def test_a_backend_that_stops_does_not_wait_for_a_model_that_thinks(own: Callable[..., Backend]) -> None:
    backend = own()
    job_id = job_with(backend, {"mode": "hang"})
    with ThreadPoolExecutor(1) as caller:
        answer = caller.submit(lambda: backend.http.post(f"/v1/jobs/{job_id}/predict", json=_one_picture()))
        wait_for("its two processes", lambda: len(predictors(backend)) == 2)
        began = time.monotonic()
        backend.stop()
        assert time.monotonic() - began < 15
        assert answer.result().status_code == 503
        assert "shutting down" in answer.result().text
    assert not predictors(backend)


def _one_picture() -> dict[str, object]:
    return {"pictures": [{"name": "a", "data": base64.b64encode(picture()).decode()}]}


def test_a_predictor_ends_when_its_backend_was_killed_and_the_next_start_tidies_up(own: Callable[..., Backend]) -> None:
    backend = own()
    job_id = job_with(backend)
    (pid,) = labels(ask(backend, job_id))
    backend.kill()
    wait_for("the predictor to see the end of its stdin", lambda: not predictors(backend))
    homes = backend.folder / "data" / "predictors"
    assert list(homes.iterdir())
    backend.start()
    assert labels(ask(backend, job_id)) != [pid]
    wait_for("the old home to go", lambda: len(list(homes.iterdir())) == 1)


# -- what a trainer may do wrong ------------------------------------------------------------------------------------


def test_a_crash_is_told_with_its_last_words_without_secrets_and_the_next_call_starts_anew(asked: Backend) -> None:
    job_id = job_with(asked, {"mode": "crash"})
    status, error = refused(asked, job_id)
    assert status == 502
    assert "exit code 3" in error["message"]
    assert "it broke with … in its words" in error["message"]
    assert asked.env["TRAINYARD_S3_SECRET_KEY"] not in str(error) + asked.log.read_text()
    put_checkpoint(asked, job_id, {"mode": "killed"})
    assert "signal 9" in refused(asked, job_id)[1]["message"]
    put_checkpoint(asked, job_id, {"mode": "never loads"})
    assert "this checkpoint is no model" in refused(asked, job_id)[1]["message"]
    put_checkpoint(asked, job_id, {"label": "well again"})
    assert labels(ask(asked, job_id)) == ["well again"]
    assert left_in_store(asked) == []


def test_one_that_died_while_nobody_asked_is_replaced_without_a_word(asked: Backend) -> None:
    job_id = job_with(asked)
    (pid,) = labels(ask(asked, job_id))
    process = psutil.Process(int(pid))
    process.kill()
    wait_for("its end", lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)
    answer = ask(asked, job_id)
    assert labels(answer) != [pid]
    assert answer["warm"] is False


def test_one_that_cannot_even_be_started_is_said_to_be_the_trainers_and_gets_its_turn_again(
    make_backend: MakeBackend, tmp_path: Path
) -> None:
    """Not executable, then without its interpreter, then sound: with the only place that there is."""
    folder = trainers(tmp_path)
    manifest = folder / "trainer-probe" / "trainer.toml"
    manifest.write_text(f'{manifest.read_text()}command = ["./start.sh"]\n')
    start = folder / "trainer-probe" / "start.sh"
    start.write_text("#!/nowhere/python\n")
    backend = make_backend(trainers_dir=str(folder), predictors="1").start().with_sample()
    job_id = job_with(backend)
    status, error = refused(backend, job_id)
    assert (status, error["code"]) == (502, "prediction_failed")
    assert "predict.py of trainer-probe could not be started: start.sh: Permission denied" in error["message"]
    start.chmod(0o755)
    status, error = refused(backend, job_id)
    assert status == 502
    assert "start.sh: No such file or directory" in error["message"]
    assert "first line" in error["hint"]
    start.write_text(f"#!/bin/sh\nexec {sys.executable} predict.py\n")
    assert ask(backend, job_id)["count"] == 1


def test_one_that_takes_too_long_is_ended_with_all_that_it_started(own: Callable[..., Backend]) -> None:
    backend = own(predict_seconds="12")
    job_id = job_with(backend, {"mode": "hang"})
    status, error = refused(backend, job_id)
    assert status == 502
    assert "longer than 12 s and was ended" in error["message"]
    assert "it thinks" in error["message"]
    assert not predictors(backend)
    assert left_in_store(backend) == []
    put_checkpoint(backend, job_id, {"label": "quick"})
    assert labels(ask(backend, job_id)) == ["quick"]


def test_what_libraries_print_between_answers_is_not_taken_for_one(asked: Backend) -> None:
    job_id = job_with(asked, {"mode": "chatter", "label": "cat"})
    assert labels(ask(asked, job_id)) == ["cat"]
    assert ask(asked, job_id)["warm"] is True


ODD: list[tuple[object, str]] = [
    ({"predictions": [{"input": "KEY", "label": "cat", "confidence": 7}]}, "predictions.0.confidence"),
    ({"predictions": [{"input": "KEY", "label": "", "confidence": 0.5}]}, "predictions.0.label"),
    ({"predictions": [{"input": "KEY", "label": "cat", "confidence": 0.5, "box": [1, 2, 3]}]}, "predictions.0.box"),
    (
        {"predictions": [{"input": "KEY", "label": "x", "confidence": 0.5, "box": [1, 2, 3, 1e999]}]},
        "predictions.0.box",
    ),
    ({"predictions": [{"input": "datasets/a.zip", "label": "cat", "confidence": 0.5}]}, "not asked for"),
    ({"predictions": "many"}, "predictions"),
    ({"count": 3}, "predictions"),
    ({"error": {"type": "ValueError", "message": "too small a picture"}}, "ValueError: too small a picture"),
    ({"error": None}, "did not say what"),
]


def test_an_answer_that_cannot_be_used_is_said_to_be_the_trainers_and_nothing_breaks(asked: Backend) -> None:
    job_id = job_with(asked)
    for raw, words in ODD:
        put_checkpoint(asked, job_id, {"raw": raw})
        status, error = refused(asked, job_id)
        assert (status, words in error["message"]) == (502, True), (raw, error)
        assert "predict.py of trainer-probe" in error["message"]


def test_an_error_in_an_answer_leaves_the_model_loaded(asked: Backend) -> None:
    job_id = job_with(asked, {"raw": {"error": {"type": "A", "message": "b"}}})
    refused(asked, job_id)
    (process,) = [one for one in predictors(asked) if one.environ()["CHECKPOINT"].endswith(f"{job_id}/best.pt")]
    refused(asked, job_id)
    assert process.is_running()


def test_a_store_that_is_away_is_said_to_be_away(own: Callable[..., Backend]) -> None:
    backend = own()
    job_id = job_with(backend)
    backend.stop()
    backend.env["TRAINYARD_S3_ENDPOINT"] = "http://127.0.0.1:9"
    backend.start(wait=False)
    wait_for("the backend", lambda: _answers(backend))
    status, error = refused(backend, job_id)
    assert (status, error["code"]) == (503, "storage_unavailable")


def _answers(backend: Backend) -> bool:
    try:
        return backend.http.get("/v1/health/live").is_success
    except httpx2.TransportError:
        return False


# -- environments, and what was left over ---------------------------------------------------------------------------


def test_an_environment_that_is_not_there_is_made_meanwhile_and_the_caller_is_told_to_come_back(
    own: Callable[..., Backend],
) -> None:
    backend = own()
    folder = Path(backend.env["TRAINYARD_TRAINERS_DIR"])
    job_id = job_with(backend, {"label": "made"})
    (folder / "venv-probe").unlink()
    (folder / "trainer-probe" / "requirements.txt").write_text("boto3\npillow\n")
    status, error = refused(backend, job_id)
    assert (status, error["code"], "environment of trainer-probe" in error["message"]) == (503, "preparing", True)

    def answered() -> list[str] | None:
        answer = backend.http.post(f"/v1/jobs/{job_id}/predict", json=_one_picture())
        assert answer.is_success or answer.json()["error"]["code"] == "preparing", answer.text
        return labels(answer.json()) if answer.is_success else None

    assert wait_for("its environment", answered, 180) == ["made"]


def test_pictures_of_a_backend_that_was_killed_are_removed_from_the_store_after_a_day(
    asked: Backend, tmp_path: Path
) -> None:
    store, now = store_of(asked), datetime.now(UTC)
    for name, age in {"old": timedelta(days=2), "young": timedelta(hours=2)}.items():
        store.put_stream(f"predictions/job-x/{now - age:%Y%m%d-%H%M%S}-{name}/0.jpg", [b"x"])
    store.put_stream("predictions/job-x/not-a-time/0.jpg", [b"x"])
    given = {name.removeprefix("TRAINYARD_").lower(): asked.env[name] for name in asked.env if "_S3_" in name}
    settings = Settings(_env_file=None, data_dir=tmp_path, **given)
    service = PredictionService(settings, Database(f"sqlite:///{tmp_path / 'a.db'}"), Catalog(tmp_path), store)
    try:
        service.sweep()
    finally:
        service.close()
    left = left_in_store(asked)
    assert [key.split("/")[2].split("-")[-1] for key in left] == ["young", "time"]
    for key in left:
        store.delete(key)


def test_a_body_that_says_something_else_is_refused_by_field(asked: Backend) -> None:
    job_id = job_with(asked)
    good = _one_picture()
    for change, field in (
        ({"pictures": []}, "pictures"),
        ({"pictures": good["pictures"] * 17}, "pictures"),  # type: ignore[operator]
        ({"confidence": 1.5}, "confidence"),
        ({"checkpoint": "../../secret"}, "checkpoint"),
        ({"surprise": 1}, "surprise"),
        ({"pictures": [{"name": "a\nb", "data": ""}]}, "pictures.0.name"),
    ):
        status, error = refused_body(asked, job_id, good | change)
        assert (status, error["field"]) == (422, field), (change, error)
