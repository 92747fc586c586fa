"""What parity shows: each kind of difference planted alone is found, alone; what is bound to differ is not."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from trainyard.cli.parity import LEFT_OUT
from trainyard.cli.parity_compare import Comparison, Difference, Run, compare, is_left_out
from trainyard.contract.environment import JobFacts, Platform, environment

ROOT = Path(__file__).parents[2]


def told(**changes: Any) -> dict[str, Any]:
    return {
        "python": "3.11.7",
        "implementation": "CPython",
        "system": "Linux x86_64",
        "kernel": "6.1",
        "libc": "glibc 2.36",
        "cpus": 2,
        "gpus": [],
        "torch": {"version": "2.9.0", "cuda": None},
        "packages": {"numpy": "2.3.0", "scikit-learn": "1.7.0"},
        "variables": {"JOB_ID": "job-1", "SEED": "7", "BACKEND_BASE_URL": "http://a", "EPOCHS": "2"},
        "other_variables": ["CALLBACK_TOKEN", "HOME", "PATH"],
        **changes,
    }


def event(type: str, **data: Any) -> dict[str, Any]:
    return {"type": type, "data": data}


EVENTS = [
    event("state", to="PENDING"),
    event("state", to="QUEUED"),
    event("launched"),
    event("running"),
    event("state", to="RUNNING"),
    event("environment"),
    event("dataset_ready"),
    event("validation", epoch=1),
    event("checkpoint", kind="best"),
    event("validation", epoch=2),
    event("done"),
    event("state", to="SUCCEEDED"),
]
CURVES = {"val/loss": {"steps": [1, 2], "values": [0.5, 0.25]}, "images/s": {"steps": [1, 2], "values": [10, 20]}}


def run(label: str) -> Run:
    """A local run of a job that told everything."""
    return Run(
        label,
        job={"state": "SUCCEEDED", "reason": "Completed", "model": "mlp", "params": {"seed": 7, "epochs": 2}},
        surroundings={
            "code_hash": "c" * 64,
            "dataset_id": "pictures",
            "dataset_sha256": "d" * 64,
            "image": None,
            "environment": told(),
        },
        events=deepcopy(EVENTS),
        curves=deepcopy(CURVES),
    )


def pair() -> tuple[Any, Any]:
    """Two equal runs; the second's parts may be changed in place."""
    return run("local"), run("k8s")


def differences(*runs: Run, tolerance: float = 1e-6) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(one.group, one.what, one.values) for one in compare(runs, tolerance).differences]


def test_equal_runs_have_no_difference_and_leave_nothing_uncompared() -> None:
    assert compare(pair(), 0) == Comparison([], [])


def test_what_is_bound_to_differ_is_left_out() -> None:
    one, other = pair()
    other.surroundings["environment"] |= {"kernel": "5.15", "cpus": 64}
    other.surroundings["environment"]["variables"] |= {
        "JOB_ID": "job-2",
        "BACKEND_BASE_URL": "http://b",
        "MINIO_ENDPOINT": "http://c",
        "CUDA_VISIBLE_DEVICES": "3",
    }
    other.surroundings["environment"]["other_variables"] += ["KUBERNETES_SERVICE_HOST", "REDIS_PORT_6379_TCP", "LANG"]
    other.surroundings["environment"]["packages"]["pip"] = "25.0"
    other.surroundings["image"] = "trainer-sklearn:1"
    other.curves["images/s"]["values"] = [1, 2]
    other.events[2:2] = [event("preparing"), event("waiting")]
    other.events.insert(9, event("checkpoint", kind="last"))
    assert differences(one, other) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"python": "3.12.1"}, ("python", "python", ("3.11.7", "3.12.1"))),
        ({"libc": "glibc 2.41"}, ("python", "libc", ("glibc 2.36", "glibc 2.41"))),
        ({"gpus": ["NVIDIA L4"]}, ("python", "gpus", ("—", "NVIDIA L4"))),
        ({"torch": {"version": "2.9.0", "cuda": "13.0"}}, ("torch", "cuda", ("—", "13.0"))),
        ({"packages": {"numpy": "2.2.0", "scikit-learn": "1.7.0"}}, ("packages", "numpy", ("2.3.0", "2.2.0"))),
        ({"packages": {"numpy": "2.3.0"}}, ("packages", "scikit-learn", ("1.7.0", "—"))),
        ({"variables": {"SEED": "8", "EPOCHS": "2"}}, ("variables", "SEED", ("7", "8"))),
        ({"variables": {"EPOCHS": "2"}}, ("variables", "SEED", ("7", "—"))),
        ({"other_variables": ["CALLBACK_TOKEN", "OMP_NUM_THREADS"]}, ("variables", "OMP_NUM_THREADS", ("—", "set"))),
    ],
)
def test_a_difference_in_what_a_run_found_around_it(change: dict[str, Any], expected: tuple[Any, ...]) -> None:
    one, other = pair()
    other.surroundings["environment"] |= change
    assert differences(one, other) == [expected]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"code_hash": "e" * 64}, ("code", "hash", ("c" * 12, "e" * 12))),
        ({"dataset_sha256": "f" * 64}, ("dataset", "sha256", ("d" * 12, "f" * 12))),
        ({"dataset_id": "other"}, ("dataset", "id", ("pictures", "other"))),
    ],
)
def test_a_difference_in_code_or_dataset(change: dict[str, Any], expected: tuple[Any, ...]) -> None:
    one, other = pair()
    other.surroundings.update(change)
    assert differences(one, other) == [expected]


def test_two_images_differ_and_a_local_run_beside_one_does_not() -> None:
    one, other = pair()
    one.surroundings["image"], other.surroundings["image"] = "a:1", "a:2"
    assert differences(one, other, run("third")) == [("image", "name", ("a:1", "a:2", "—"))]


def test_another_end_and_its_states() -> None:
    one, other = pair()
    other.job.update(state="FAILED", reason="OutOfMemory")
    other.events[-1]["data"]["to"] = "FAILED"
    states = "PENDING → QUEUED → RUNNING → {}"
    assert differences(one, other) == [
        ("end", "state", ("SUCCEEDED Completed", "FAILED OutOfMemory")),
        ("events", "states", (states.format("SUCCEEDED"), states.format("FAILED"))),
    ]


def test_a_parameter_and_the_model() -> None:
    one, other = pair()
    other.job.update(model="sgd", params={"seed": 8, "epochs": 2})
    assert differences(one, other) == [("job", "model", ("mlp", "sgd")), ("parameters", "seed", ("7", "8"))]


def test_the_trainers_events_in_their_order() -> None:
    one, other = pair()
    other.events[6], other.events[7] = other.events[7], other.events[6]
    ((group, _, values),) = differences(one, other)
    assert group == "events"
    assert values == (
        "running, dataset_ready, 2 x validation, done",
        "running, validation, dataset_ready, validation, done",
    )


def test_an_event_of_the_background_counts_only_as_there_or_not() -> None:
    one, other = pair()
    other.events.pop(8)
    assert differences(one, other) == [("events", "in the background", ("checkpoint", "—"))]


# -- metrics ----------------------------------------------------------------------------------------------------------


def test_metrics_within_the_tolerance_are_the_same() -> None:
    one, other = pair()
    other.curves["val/loss"]["values"] = [0.5 * (1 + 0.9e-3), 0.25]
    assert differences(one, other, tolerance=1e-3) == []
    ((group, what, values),) = differences(one, other, tolerance=0.8e-3)
    assert (group, what, values) == ("metrics", "val/loss, epoch 1", ("0.5", "0.50045"))


def test_of_a_curve_the_worst_epoch_is_shown_and_where_it_began() -> None:
    one, other = pair()
    other.curves["val/loss"]["values"] = [0.5001, 0.3]
    expected = ("metrics", "val/loss, epoch 2, differs from epoch 1 on", ("0.25", "0.3"))
    assert differences(one, other) == [expected]


def test_epochs_that_one_run_lacks() -> None:
    one, other = pair()
    other.curves["val/loss"] = {"steps": [1], "values": [0.5]}
    assert differences(one, other) == [("metrics", "val/loss, epochs", ("1-2", "1"))]
    del other.curves["val/loss"]
    assert differences(one, other) == [("metrics", "val/loss, epochs", ("1-2", "—"))]


def test_nan_is_like_nan_and_unlike_any_number() -> None:
    one, other = pair()
    one.curves["val/loss"]["values"] = other.curves["val/loss"]["values"] = ["NaN", "Infinity"]
    assert differences(one, other) == []
    other.curves["val/loss"]["values"] = ["NaN", 0.1]
    assert differences(one, other) == [("metrics", "val/loss, epoch 2", ("inf", "0.1"))]


# -- what is not known ------------------------------------------------------------------------------------------------


def test_a_trainer_that_tells_nothing_is_named_and_its_packages_are_no_difference() -> None:
    one, other = pair()
    one.surroundings["environment"] = other.surroundings["environment"] = None
    made = compare((one, other), 0)
    assert made.differences == []
    assert made.notes == ["Packages and variables could not be compared: local, k8s told nothing of them."]


def test_only_one_that_tells_nothing_is_a_difference() -> None:
    one, other = pair()
    other.surroundings["environment"] = {"problem": "OSError: no"}
    assert compare((one, other), 0).differences == [Difference("events", "environment", ("told", "—"))]


def test_an_unknown_hash_is_a_note_and_no_difference() -> None:
    one, other = pair()
    other.surroundings.update(code_hash=None)
    assert compare((one, other), 0) == Comparison([], ["The code could not be compared: nobody noted that of k8s."])


@pytest.mark.parametrize(
    "garbage", ["text", 7, [1], {"packages": "all", "variables": [1], "other_variables": {"a": 1}}]
)
def test_whatever_a_trainer_sends_is_survived(garbage: Any) -> None:
    one, other = pair()
    other.surroundings["environment"] = garbage
    assert differences(one, other)


def test_three_runs_stand_side_by_side() -> None:
    third: Any = run("image")
    third.surroundings["code_hash"] = "0" * 64
    assert differences(*pair(), third) == [("code", "hash", ("c" * 12, "c" * 12, "0" * 12))]


# -- the lists --------------------------------------------------------------------------------------------------------


def test_no_parameter_and_no_seed_can_be_left_out() -> None:
    facts = JobFacts(
        "j", "t", 1, "p", "classify", "mine", "small", "d", {"seed": 1, "epochs": 1, "dropout": 0.1}, "k", 2
    )
    names = environment(facts, Platform("", "", "minio", "", "", 10, 4, "", "", ""))
    left_out = {name for name in names if is_left_out(name, LEFT_OUT["variables"])}
    assert left_out == {"JOB_ID", "TRACE_ID", "ATTEMPT", "BACKEND_BASE_URL", "MINIO_ENDPOINT", "MLFLOW_TRACKING_URI"}


@pytest.mark.parametrize("name", ["val/accuracy", "train/loss", "metrics/mAP50(B)", "lr", "val/programs", "val/params"])
def test_no_measure_of_a_model_is_left_out(name: str) -> None:
    assert not is_left_out(name, LEFT_OUT["metrics"])


def test_every_row_of_the_lists_says_why() -> None:
    assert json.dumps(LEFT_OUT)
    assert all(pattern and len(why) > 5 for rows in LEFT_OUT.values() for pattern, why in rows)
