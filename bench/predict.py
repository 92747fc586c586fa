"""Showing a picture to a checkpoint: through the backend with its model loaded, beside starting predict.py for it.

Both in one run, for a classifier of scikit-learn and a detector of ultralytics (made from its yaml: untrained, as
fast as a trained one). What the platform adds is a call's whole time less what the model itself took.
"""

import base64
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from PIL import Image

from tests.contract.conftest import environment
from tests.real.backend import wait_for
from tests.real.installation import ROOT, Installation, installation
from trainyard.contract.environment import storage_variables
from trainyard.executors.local.variables import base_environment
from trainyard.storage.store import Store

CALLS, COLD_CALLS, TARGET_MS = 30, 3, 150
UNTRAINED = "import sys; from ultralytics import YOLO; YOLO('yolo11n.yaml').save(sys.argv[1])"
TRAINERS = {"sklearn": ("cats-dogs-classes", {"epochs": 2}), "ultralytics": ("cats-dogs", {"epochs": 1})}


def trainers(folder: Path) -> Path:
    """Ours, each with the environment that the tests made for it."""
    for framework in TRAINERS:
        trainer = ROOT / f"trainer-{framework}"
        (folder / trainer.name).symlink_to(trainer)
        (folder / f"venv-{framework}").symlink_to(environment(trainer / "requirements.txt").parents[1])
    return folder


def photograph() -> bytes:
    file = io.BytesIO()
    noise = Image.effect_noise((160, 120), 60).resize((640, 480), Image.Resampling.BICUBIC)
    noise.convert("RGB").save(file, "JPEG", quality=90)
    return file.getvalue()


def job_of(made: Installation, framework: str, store: Store, folder: Path) -> str:
    """One with a checkpoint: trained here, or cancelled and given one where a training takes minutes."""
    dataset, params = TRAINERS[framework]
    made.ask("POST", f"/v1/samples/{dataset}")
    wanted = {"framework": framework, "dataset_id": dataset, "params": params}
    job_id = str(json.loads(made.ask("POST", "/v1/jobs", wanted))["id"])
    if framework == "ultralytics":
        made.ask("POST", f"/v1/jobs/{job_id}/cancel")
        python, path = made.settings.trainers_dir / "venv-ultralytics" / "bin" / "python", folder / "untrained.pt"
        env = base_environment() | {"YOLO_CONFIG_DIR": str(folder), "YOLO_AUTOINSTALL": "false"}
        subprocess.run([python, "-c", UNTRAINED, path], check=True, cwd=folder, env=env, capture_output=True)
        store.put_file(f"checkpoints/job-{job_id}/best.pt", path)
    wait_for("its end", lambda: json.loads(made.ask("GET", f"/v1/jobs/{job_id}"))["closed_at"], 180)
    return job_id


def cold(made: Installation, framework: str, job_id: str, store: Store) -> list[float]:
    """Seconds of `python predict.py`, as DESIGN has it, for one picture."""
    settings = made.settings
    key = "predictions/bench.jpg"
    store.put_stream(key, [photograph()])
    variables = storage_variables(settings.storage_type, settings.s3_url, *settings.s3_keys, settings.s3_bucket) | {
        "CHECKPOINT": f"checkpoints/job-{job_id}/best.pt",
        "INPUT": key,
        "CUDA_VISIBLE_DEVICES": "",
    }
    folder = settings.trainers_dir
    argv = [folder / f"venv-{framework}" / "bin" / "python", folder / f"trainer-{framework}" / "predict.py"]
    taken: list[float] = []
    for _ in range(COLD_CALLS):
        began = time.perf_counter()
        done = subprocess.run(argv, env=base_environment() | variables, check=True, capture_output=True)
        taken.append(time.perf_counter() - began)
        json.loads(done.stdout.splitlines()[-1])
    return taken


def called(made: Installation, job_id: str) -> tuple[float, dict[str, Any]]:
    """A call's whole time as its caller sees it, overlay included."""
    wanted = {"pictures": [{"name": "a.jpg", "data": base64.b64encode(photograph()).decode()}]}
    began = time.perf_counter()
    answer = json.loads(made.ask("POST", f"/v1/jobs/{job_id}/predict", wanted))
    return time.perf_counter() - began, answer


def measure(made: Installation, framework: str, store: Store, folder: Path) -> None:
    job_id = job_of(made, framework, store, folder)
    started = cold(made, framework, job_id, store)
    first, _ = called(made, job_id)
    calls = [called(made, job_id) for _ in range(CALLS)]
    assert all(answer["warm"] for _, answer in calls)
    whole = [seconds * 1000 for seconds, _ in calls]
    model = [answer["seconds"]["model"] * 1000 for _, answer in calls]
    added = sorted(one - own for one, own in zip(whole, model, strict=True))
    print(
        f"{framework:12} {statistics.median(started) * 1000:10,.0f} {first * 1000:10,.0f} "
        f"{statistics.median(whole):10,.1f} {statistics.median(model):10,.1f} {statistics.median(added):10,.1f} "
        f"{added[int(CALLS * 0.95)]:10,.1f}   {'met' if added[int(CALLS * 0.95)] <= TARGET_MS else 'MISSED'}"
    )


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="ty-bench-") as temporary:
        folder = Path(temporary)
        own = folder / "trainers"
        own.mkdir()
        with installation(folder, trainers_dir=str(trainers(own))) as made:
            made.run("up", "--detach")
            store = Store.from_settings(made.settings)
            print(f"one picture of 640x480, {CALLS} calls; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs; ms")
            print(
                f"{'':12} {'predict.py':>10} {'first call':>10} {'later':>10} {'its model':>10} {'added':>10} "
                f"{'added p95':>10}   within {TARGET_MS}"
            )
            for framework in sys.argv[1:] or TRAINERS:
                measure(made, framework, store, folder)


if __name__ == "__main__":
    main()
