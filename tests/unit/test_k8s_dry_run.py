"""`--dry-run`: what travels and the manifests, with no backend, no cluster, no secret made and none shown."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.k8s_made import DIGEST, trainer


def run(folder: Path, *words: str, code: int = 0, **variables: str) -> "subprocess.CompletedProcess[str]":
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "TRAINYARD_TRAINERS_DIR": str(folder), "COLUMNS": "200"}
    env |= {"TRAINYARD_DATA_DIR": str(folder / "data"), "TRAINYARD_URL": "http://127.0.0.1:9", **variables}
    command = [sys.executable, "-m", "trainyard.cli.main", *words]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def objects(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    return {each["kind"]: each for each in yaml.safe_load_all(done.stdout)}


def test_it_lists_what_travels_and_prints_the_manifests(tmp_path: Path) -> None:
    folder = trainer(tmp_path)
    (folder / "cat.jpg").touch()
    done = run(tmp_path, "train", "--on", "k8s", "-f", "x", "--dry-run", "-e", "7", "--image", "own/image:1")
    made = objects(done)
    assert list(made) == ["Job", "Secret", "ConfigMap"]
    name = made["ConfigMap"]["metadata"]["name"]
    assert name.startswith("training-code-dev-")
    assert f"What travels, in ConfigMap {name}" in done.stderr
    assert "train.py\n" in done.stderr
    assert "in 2 files, sha256 " + made["Job"]["metadata"]["annotations"]["trainyard/code-hash"] in done.stderr
    assert "stays here, a picture: cat.jpg" in done.stderr
    assert "set TRAINYARD_K8S_BACKEND_URL" in done.stderr
    (container,) = made["Job"]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "own/image:1"
    assert {"name": "EPOCHS", "value": "7"} in container["env"]
    assert made["ConfigMap"]["data"]["train.py"] == (folder / "train.py").read_text()


def test_it_shows_and_makes_no_secret(tmp_path: Path) -> None:
    trainer(tmp_path)
    done = run(tmp_path, "submit", "-f", "x", "--on", "k8s", "--dry-run", TRAINYARD_S3_SECRET_KEY="canary-3f9a")
    assert "canary" not in done.stdout + done.stderr
    secret = objects(done)["Secret"]
    assert set(secret["stringData"].values()) == {f"(in Secret {secret['metadata']['name']})"}
    assert {"CALLBACK_TOKEN", "MINIO_SECRET_KEY"} <= set(secret["stringData"])
    assert not (tmp_path / "data").exists()


def test_too_much_code_is_said_to_go_through_the_store(tmp_path: Path) -> None:
    (trainer(tmp_path) / "large.py").write_bytes(b"#" * 1_048_577)
    done = run(tmp_path, "train", "--on", "k8s", "-f", "x", "--dry-run")
    assert "through S3 as code/" in done.stderr
    assert "more than a ConfigMap holds (1 MiB)" in done.stderr
    assert list(objects(done)) == ["Job", "Secret"]


def test_an_image_brings_its_own_code_and_should_be_pinned(tmp_path: Path) -> None:
    trainer(tmp_path)
    loose = run(tmp_path, "submit", "-f", "x", "--dry-run", TRAINYARD_EXECUTION_MODE="image")
    assert "nothing of the trainer's folder travels" in loose.stderr
    assert "localhost/trainer-x:dev is not pinned by a digest" in loose.stderr
    assert "not pinned" not in run(tmp_path, "train", "-f", "x", "--on", "image", "--image", DIGEST, "--dry-run").stderr
    assert list(objects(loose)) == ["Job", "Secret"]


def test_a_plain_script_gets_the_variables_it_knows(tmp_path: Path) -> None:
    trainer(tmp_path)
    (tmp_path / "plain.py").write_text("")
    made = objects(run(tmp_path, "train", "plain.py", "-f", "x", "--on", "k8s", "--dry-run", "--set", "lr=$(HOME)"))
    (container,) = made["Job"]["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["python", "/code/plain.py"]
    assert {"name": "PARAM_LR", "value": "$$(HOME)"} in container["env"]
    assert "AWS_SECRET_ACCESS_KEY" in made["Secret"]["stringData"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--dry-run"], "a local training sends nothing"),
        (["--on", "moon", "--dry-run"], "There is no tier 'moon'"),
        (["--on", "k8s", "--image", "A B", "--dry-run"], "'A B' is no image"),
        (["--on", "k8s", "--set", "nothing=1", "--dry-run"], "has no parameter 'nothing'"),
        (["--on", "k8s", "--model", "b", "--dry-run"], "has no model 'b'"),
        (["--on", "k8s", "--gpus", "100", "--dry-run"], "less than or equal to 64"),
        (["--on", "k8s", "--memory", "2 GB", "--dry-run"], "'2 GB' is no amount of memory: write 2Gi"),
        (["--on", "k8s", "--memory", "1Gi", "--replicas", "2", "--gpus", "2", "--dry-run"], "one GPU"),
        (["--image", "a/b"], "A local training runs in no image"),
    ],
)
def test_what_is_wrong_is_said_in_words(tmp_path: Path, words: list[str], said: str) -> None:
    trainer(tmp_path)
    done = run(tmp_path, "train", "-f", "x", *words, code=2)
    assert said in done.stderr
    assert done.stdout == ""


def test_what_a_job_asks_for_is_in_its_manifests(tmp_path: Path) -> None:
    trainer(tmp_path)
    options = ("--cpu", "2", "--memory", "6Gi", "--replicas", "3", "--queue", "team")
    job = objects(run(tmp_path, "submit", "-f", "x", "--on", "k8s", *options, "--dry-run"))["Job"]
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "team"
    assert job["spec"]["parallelism"] == 3
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["resources"] == {"requests": {"cpu": "2", "memory": "6Gi"}, "limits": {"memory": "6Gi"}}
