"""Why a job failed, through a real backend: the API, `trainyard explain`, `trainyard jobs`, and trying it again."""

from pathlib import Path
from typing import Any

import pytest

from tests.real.backend import Backend
from tests.real.shell import Shell


@pytest.fixture
def shell(shared: Backend, tmp_path: Path) -> Shell:
    return Shell(shared, tmp_path)


def failed(backend: Backend, mode: str, **params: object) -> str:
    job_id = backend.submit(params={"mode": mode, "epochs": 3, "epoch_seconds": 0.01, **params})
    assert backend.wait_closed(job_id)["state"] == "FAILED"
    return job_id


def explained(backend: Backend, job_id: str) -> dict[str, Any]:
    return backend.ask("GET", f"/v1/jobs/{job_id}/explanation")


def test_a_crash_is_explained_with_its_place_and_its_last_line(shared: Backend) -> None:
    told = explained(shared, failed(shared, "crash"))
    assert told["what"].startswith("The trainer crashed at train.py line ")
    assert told["what"].endswith(": RuntimeError: the probe was told to crash")
    assert told["evidence"] == ["RuntimeError: the probe was told to crash", "exit code 1"]
    assert (told["state"], told["reason"], told["remedy"]) == ("FAILED", "TrainerError", None)


def test_a_gpu_without_memory_is_answered_with_half_the_batch_and_that_runs_as_asked(shell: Shell) -> None:
    job_id = failed(shell.backend, "oom", batch_size=12)
    told = explained(shell.backend, job_id)
    assert (told["reason"], told["cause"]) == ("OutOfMemory", "gpu_memory")
    assert "Tried to allocate 2.00 GiB" in told["evidence"][0]
    assert told["remedy"]["kind"] == "retry_with"
    assert told["remedy"]["params"] == {"batch_size": 6}
    assert told["remedy"]["command"] == f"trainyard retry {job_id} --set batch_size=6"
    child = shell.json(*told["remedy"]["command"].split()[1:])
    assert (child["parent_id"], child["params"]["batch_size"], child["params"]["mode"]) == (job_id, 6, "oom")
    assert child["message"] == f"Tries {job_id} again, with batch_size=6."
    shell.backend.wait_closed(child["id"])


def test_a_loss_that_became_nan_is_answered_with_a_lower_learning_rate(shared: Backend) -> None:
    told = explained(shared, failed(shared, "nan", learning_rate=0.5))
    assert told["cause"] == "nan"
    assert told["evidence"] == ["FloatingPointError: after epoch 1 train/loss is nan"]
    assert told["remedy"]["params"] == {"learning_rate": 0.05}


def test_a_wrong_setting_is_named_as_the_parameter_it_comes_from(shared: Backend) -> None:
    told = explained(shared, failed(shared, "config", learning_rate=2))
    assert (told["reason"], told["cause"], told["parameter"]) == ("BadConfiguration", "parameter", "learning_rate")
    assert "learning_rate = 2.0" in told["what"]
    assert told["evidence"] == ["LEARNING_RATE must be smaller than 1", "exit code 2"]
    assert told["remedy"]["params"] == {"learning_rate": 0.1}


def test_explain_says_what_happened_what_shows_it_and_what_to_type(shell: Shell) -> None:
    job_id = failed(shell.backend, "import")
    said = shell.run("explain", "last").out
    assert f"✖ FAILED {job_id}" in said
    assert "The package a_module_that_is_not_there is not in the trainer's environment." in said
    assert "│ ModuleNotFoundError: No module named 'a_module_that_is_not_there'" in said
    assert "Add a_module_that_is_not_there to requirements.txt in trainer-probe" in said
    assert shell.json("explain", job_id) == explained(shell.backend, job_id)


def test_a_failed_job_is_shown_with_its_explanation_and_remedy(shell: Shell) -> None:
    job_id = failed(shell.backend, "oom")
    said = shell.run("jobs", job_id).out
    assert "The GPU's memory was too small for this training." in said
    assert "Traceback (most recent call last)" in said
    assert f"→ trainyard retry {job_id} --set batch_size=8" in said


def test_a_job_that_runs_waits_or_went_well_is_explained_too(shell: Shell) -> None:
    job_id = shell.backend.submit(epochs=5000)
    shell.backend.wait_state(job_id, "RUNNING")
    assert explained(shell.backend, job_id)["what"].startswith("It is running")
    shell.run("cancel", job_id)
    shell.backend.wait_closed(job_id)
    told = explained(shell.backend, job_id)
    assert (told["state"], told["reason"]) == ("CANCELLED", "CancelledByUser")
    assert "Somebody asked it to stop" in shell.run("explain", job_id).out
    good = shell.backend.submit(epochs=1)
    shell.backend.wait_closed(good)
    assert shell.run("explain", good).out.splitlines()[1:] == ["  It completed."]


def test_a_silent_trainer_is_explained_with_the_last_lines_of_its_log(shared: Backend) -> None:
    ended = shared.submit("no-done", epochs=1)
    shared.wait_closed(ended)
    told = explained(shared, ended)
    assert told["reason"] == "ExitedWithoutDone"
    assert "epoch 1 of 1" in told["evidence"]


# -- trying again ---------------------------------------------------------------------------------------------------


def test_a_retry_takes_other_parameters_and_keeps_the_rest(shell: Shell) -> None:
    parent = shell.backend.submit(epochs=2, name="first", tags=["a"])
    shell.backend.wait_closed(parent)
    said = shell.run("retry", parent, "--set", "epochs=1", "--set", "batch_size=4", "--watch")
    child = shell.newest()
    assert (child["parent_id"], child["name"], child["tags"]) == (parent, "first", ["a"])
    assert (child["params"]["epochs"], child["params"]["batch_size"], child["params"]["mode"]) == (1, 4, "train")
    assert f"Tries {parent} again, with epochs=1, batch_size=4." in said.err
    assert "✔ SUCCEEDED" in said.out


def test_a_retry_is_checked_like_a_submit_and_a_wrong_one_makes_no_job(shell: Shell) -> None:
    parent = shell.backend.submit(epochs=1)
    shell.backend.wait_closed(parent)
    before = shell.jobs()
    assert "batch_size must be at least 1" in shell.run("retry", parent, "--set", "batch_size=0", code=1).err
    assert "has no parameter 'batches'" in shell.run("retry", parent, "--set", "batches=1", code=1).err
    answer = shell.backend.http.post(f"/v1/jobs/{parent}/retry", json={"parameters": {}})
    assert answer.status_code == 422
    assert shell.jobs() == before


def test_a_retry_sent_twice_with_the_same_key_is_one_job(shared: Backend) -> None:
    parent = shared.submit(epochs=1)
    shared.wait_closed(parent)
    key = {"Idempotency-Key": "once"}
    answers = [shared.http.post(f"/v1/jobs/{parent}/retry", json={"params": {"epochs": 2}}, headers=key) for _ in "12"]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    shared.wait_closed(answers[0].json()["id"])
