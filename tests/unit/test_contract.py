"""The contract's pure data: manifests, environment, ids, callbacks."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from trainyard.contract.callbacks import Done, Event, Heartbeat
from trainyard.contract.environment import JobFacts, Platform, environment, script_extras
from trainyard.contract.keys import JOB_ID_PATTERN, new_job_id, receipt_mark, slug
from trainyard.contract.manifest import Manifest, Parameter, read_manifest
from trainyard.contract.vocabulary import Execution, Task

ROOT = Path(__file__).parents[2]
FACTS = JobFacts(
    job_id="job-20261121-101112-abcd", trace_id="f00d", attempt=2, project_id="cats", task="detect",
    framework="ultralytics", model="yolo11n", dataset_id="cats-dogs",
    params={"epochs": 10, "batch_size": 8, "learning_rate": 0.0001, "image_size": 640, "seed": 0, "mosaic": True},
)  # fmt: skip
PLATFORM = Platform(
    backend_url="http://b", mlflow_url="http://m", storage_type="minio", s3_url="http://s", s3_bucket="bucket",
    heartbeat_seconds=10, sample_count=4, s3_access_key="access", s3_secret_key="hidden-key",
    callback_token="hidden-token",
)  # fmt: skip


@pytest.mark.parametrize("path", sorted(ROOT.glob("trainer-*/trainer.toml")), ids=lambda path: path.parent.name)
def test_every_trainer_of_ours_declares_what_it_takes(path: Path) -> None:
    manifest = read_manifest(path)
    assert path.parent.name == f"trainer-{manifest.framework}"
    for name, parameter in manifest.params.items():
        assert parameter.help, name
        assert parameter.help_ko, name
        assert parameter.coerce(parameter.default) == parameter.default


def manifest(**changes: Any) -> dict[str, Any]:
    task = {"models": ["a"], "default_model": "a", "best_metric": "m"}
    return {
        "framework": "x", "title": "X", "tasks": {"classify": task},
        "params": {"epochs": {"type": "int", "default": 3, "min": 1}}, **changes,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"params": {}}, "epochs is missing"),
        ({"params": {"epochs": {"type": "int", "default": 0, "min": 1}}}, "default of epochs must be at least 1"),
        ({"tasks": {}}, "at least 1"),
        ({"tasks": {"fly": {}}}, "'detect' or 'classify'"),
        ({"tasks": {"classify": {"models": ["a"], "default_model": "b", "best_metric": "m"}}}, "default_model 'b'"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_wrong_manifest_is_refused_with_the_field(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Manifest.model_validate(manifest(**changes))


def test_a_tasks_own_defaults_must_be_parameters_that_fit() -> None:
    task = {"models": ["a"], "default_model": "a", "best_metric": "m"}
    found = Manifest.model_validate(manifest(tasks={"classify": task | {"defaults": {"epochs": 7}}}))
    assert found.tasks[Task.CLASSIFY].defaults == {"epochs": 7}
    for defaults in ({"epochs": 0}, {"nothing": 1}):
        with pytest.raises(ValidationError, match=r"tasks.classify.defaults"):
            Manifest.model_validate(manifest(tasks={"classify": task | {"defaults": defaults}}))


def test_a_manifest_that_is_no_toml_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "trainer.toml"
    path.write_text("framework = ")
    with pytest.raises(ValueError, match=re.escape(str(path))):
        read_manifest(path)


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers())))
def test_a_value_is_coerced_into_its_type_and_range_or_refused(value: object) -> None:
    for kind, python in (("int", int), ("float", float), ("bool", bool), ("str", str)):
        default: Any = {"int": 1, "float": 1.0, "bool": True, "str": ""}[kind]
        limits: dict[str, Any] = {"min": 0, "max": 100} if kind in ("int", "float") else {}
        parameter = Parameter.model_validate({"type": kind, "default": default, **limits})
        try:
            result = parameter.coerce(value)
        except ValueError as refusal:
            assert str(refusal)
            continue
        assert type(result) is python
        if limits:
            assert 0 <= result <= 100  # type: ignore[operator]


def test_the_environment_is_the_contracts_table() -> None:
    variables = environment(FACTS, PLATFORM)
    assert variables == {
        "CONTRACT_VERSION": "1", "JOB_ID": "job-20261121-101112-abcd", "TRACE_ID": "f00d", "ATTEMPT": "2",
        "PROJECT_ID": "cats", "BACKEND_BASE_URL": "http://b", "CALLBACK_TOKEN": "hidden-token",
        "TASK_TYPE": "detect", "FRAMEWORK": "ultralytics", "MODEL_NAME": "yolo11n", "DATASET_ID": "cats-dogs",
        "EPOCHS": "10", "BATCH_SIZE": "8", "LEARNING_RATE": "0.0001", "IMAGE_SIZE": "640", "SEED": "0",
        "PARAM_MOSAIC": "true", "MLFLOW_TRACKING_URI": "http://m", "MLFLOW_EXPERIMENT_NAME": "project-cats",
        "HEARTBEAT_SECONDS": "10", "SAMPLE_COUNT": "4", "STORAGE_TYPE": "minio", "MINIO_ENDPOINT": "http://s",
        "MINIO_ACCESS_KEY": "access", "MINIO_SECRET_KEY": "hidden-key", "MINIO_BUCKET": "bucket",
    }  # fmt: skip


def test_r2_has_names_of_its_own_and_a_plain_script_gets_the_names_it_knows() -> None:
    r2 = environment(FACTS, replace(PLATFORM, storage_type="r2"))
    assert {name for name in r2 if name.startswith(("R2_", "MINIO_"))} == {
        "R2_ENDPOINT", "R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY", "R2_BUCKET",
    }  # fmt: skip
    extras = script_extras(FACTS, PLATFORM)
    assert extras["NUM_EPOCHS"] == "10"
    assert extras["AWS_SECRET_ACCESS_KEY"] == "hidden-key"


def test_secrets_do_not_show_when_a_platform_is_printed() -> None:
    assert "hidden" not in repr(PLATFORM)


def test_job_ids_read_aloud_sort_by_time_and_fit_a_dns_label() -> None:
    for prefix in ("local", "dev", "job"):
        job_id = new_job_id(prefix)
        assert re.fullmatch(JOB_ID_PATTERN, job_id)
        assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", job_id)
    assert len({new_job_id("job") for _ in range(200)}) > 190


@given(st.text(max_size=300))
def test_a_slug_is_an_id_whatever_the_text(text: str) -> None:
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?", slug(text, "dataset"))


def test_numbers_that_json_lacks_come_in_spelled_or_bare() -> None:
    body = '{"attempt":1,"seq":1,"metrics":{"a":NaN,"b":"NaN","c":"-Infinity","d":1}}'
    metrics = Heartbeat.model_validate_json(body).metrics
    assert metrics["a"] != metrics["a"]
    assert metrics["b"] != metrics["b"]
    assert (metrics["c"], metrics["d"]) == (float("-inf"), 1.0)


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (Heartbeat, {"attempt": 0, "seq": 1}),
        (Heartbeat, {"attempt": 1, "seq": 0}),
        (Heartbeat, {"attempt": 1, "seq": 1, "progress": 1.5}),
        (Heartbeat, {"attempt": 1, "seq": 1, "metrics": {"": 1}}),
        (Heartbeat, {"attempt": 1, "seq": 1, "metrics": {f"m{n}": 1 for n in range(501)}}),
        (Event, {"attempt": 1, "seq": 1, "type": "no spaces"}),
        (Event, {"attempt": 1, "seq": 1, "type": ""}),
        (Done, {"attempt": 1, "seq": 1, "status": "perfect"}),
    ],
)
def test_a_callback_out_of_bounds_is_refused(model: type[Heartbeat | Event | Done], body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(body)


def test_the_old_name_of_the_local_tier_still_works() -> None:
    assert Execution("subprocess") is Execution.LOCAL
    assert receipt_mark("f00d") == "[TRACE:f00d] DONE "
