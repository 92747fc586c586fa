"""`demo` with a real YOLO: two epochs on the sample pictures, through everything."""

import re
from pathlib import Path

import pytest

from tests.real.backend import wait_for
from tests.real.installation import ROOT, installation


@pytest.mark.timeout(900)
def test_a_real_yolo_trains_on_the_sample(tmp_path: Path) -> None:
    with installation(tmp_path, trainers_dir=str(ROOT), mlflow_url="") as place:
        with place.start("demo", "--epochs", "2") as process:
            out, err = process.communicate(timeout=800)
        assert process.returncode == 0, out + err
        # without the hub it starts from its .yaml, and says so
        assert "starts from scratch (yolo11n.yaml)" in out + err
        assert re.search(r"^epoch +2/2 .*train/box_loss", out, re.M)
        job = place.json("jobs", "last")
        assert (job["state"], job["model"], job["epoch"]) == ("SUCCEEDED", "yolo11n", 2)
        assert job["checkpoint"] == f"checkpoints/job-{job['id']}/best.pt"
        assert job["mlflow_run_id"]
        curves = {name: summary["last_step"] for name, summary in job["metrics"].items()}
        assert curves["val/mAP50"] == curves["val/mAP50-95"] == curves["train/box_loss"] == 2
        wait_for("everything of it to be put away", lambda: place.json("jobs", job["id"])["closed_at"])
        assert not [one for one in place.processes() if job["id"] in " ".join(one.cmdline())]
