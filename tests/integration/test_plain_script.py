"""The seed of every team's first try: a script that knows MLflow and its own variables, and nothing of us."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.real.backend import wait_for
from tests.real.installation import ROOT, Installation, installation

SCRIPT = """
import os

import mlflow
import mlflow.pytorch
import torch

model_name = os.getenv("MODEL_NAME", "yolo11n")
num_epochs = int(os.getenv("NUM_EPOCHS", "50"))
job_id = os.getenv("JOB_ID", "local")

mlflow.set_experiment("first try")
mlflow.pytorch.autolog()

with mlflow.start_run(run_name=job_id):
    mlflow.log_params({"model": model_name, "epochs": num_epochs})
    torch.manual_seed(0)
    x = torch.rand(64, 3)
    y = x @ torch.tensor([[1.0], [2.0], [3.0]])
    model = torch.nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(num_epochs):
        loss = torch.nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        mlflow.log_metric("loss", loss.item(), step=epoch)
        print(f"epoch {epoch + 1} of {num_epochs}: {loss.item():.4f}")
    torch.save(model.state_dict(), "model.pt")
    mlflow.log_artifact("model.pt")
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """All services, and the trainers of this checkout, whose environments are there after the first time."""
    with installation(tmp_path_factory.mktemp("plain"), mlflow_url="", trainers_dir=str(ROOT)) as made:
        made.run("up", "--detach")
        yield made


def ask_mlflow(place: Installation, path: str, **body: object) -> Any:
    url = f"{place.settings.tracking_url}/api/2.0/mlflow/{path}"
    data = json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=90) as answer:
        return json.load(answer)


def finish(process: "subprocess.Popen[str]") -> str:
    """Its environment may have to be made first: gigabytes, where nobody did before."""
    with process:
        out, err = process.communicate(timeout=1500)
    assert process.returncode == 0, out + err
    return out + err


@pytest.mark.timeout(1800)
def test_a_script_of_one_s_own_trains_and_records_in_mlflow_unchanged(place: Installation, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    said = finish(place.start("train", str(script), "--model", "yolo11n", "--epochs", "3"))
    assert "epoch 3 of 3" in said
    assert "✔ SUCCEEDED" in said
    job = place.json("jobs", "last")
    assert job["id"].startswith("local-")
    assert (job["state"], job["callbacks"], job["script"]) == ("SUCCEEDED", False, str(script))
    experiment = ask_mlflow(place, "experiments/search", max_results=100, filter="name = 'first try'")["experiments"][0]
    (run,) = ask_mlflow(place, "runs/search", experiment_ids=[experiment["experiment_id"]])["runs"]
    assert run["info"]["run_name"] == job["id"]
    assert run["info"]["status"] == "FINISHED"
    assert {item["key"]: item["value"] for item in run["data"]["params"]} == {"model": "yolo11n", "epochs": "3"}
    assert [(item["key"], item["step"]) for item in run["data"]["metrics"]] == [("loss", 2)]
    assert "epoch 2 of 3" in place.run("logs", job["id"])


@pytest.mark.timeout(600)
def test_the_same_script_runs_where_no_backend_does(place: Installation, tmp_path: Path) -> None:
    """With MLflow's own default, a file beside the script; its variables are there."""
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    gone = {
        "TRAINYARD_PORT": "9",
        "MLFLOW_TRACKING_URI": f"file://{tmp_path}/mlruns",
        "MLFLOW_ALLOW_FILE_STORE": "true",
    }
    said = finish(place.start("train", str(script), "--epochs", "2", **gone))
    assert "epoch 2 of 2" in said
    assert "nothing is recorded" in said
    wait_for("the run's files", lambda: list(tmp_path.glob("mlruns/*/*/params/model")))
