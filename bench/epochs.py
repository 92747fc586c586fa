"""What the platform costs an epoch: callbacks, MLflow, sample pictures and last.pt, against the framework's bare loop.

Each trainer trains once; in every other epoch its calls to the platform are left out. Two figures come of it: the
seconds an epoch takes with and without them (medians; noisy), and what the calls themselves took: the time that the
training thread spent in them, and the CPU time of the threads behind them, as a share of a bare epoch (exact).
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from trainyard.conformance.pictures import boxes, class_folders
from trainyard.conformance.recorder import Recorder
from trainyard.conformance.services import Services, mlflow_environment
from trainyard.contract.keys import dataset_key
from trainyard.executors.local.envs import make_environment
from trainyard.settings import load_settings

ROOT = Path(__file__).parents[1]
Case = tuple[str, str, str, int, int, int, int]
CASES: list[Case] = [  # trainer, task, model, image size, pictures to learn from, batch, epochs
    ("ultralytics", "detect", "yolo11n", 128, 50, 10, 25),
    ("timm", "classify", "resnet18", 96, 50, 10, 25),
    ("ultralytics", "detect", "yolo11n", 128, 1000, 50, 9),
    ("timm", "classify", "resnet18", 96, 1000, 50, 9),
]
DRIVER = """
import json, statistics, sys, threading, time
sys.path.insert(0, sys.argv[1])
import boto3.s3.transfer
import job, samples, utils
plain = boto3.s3.transfer.TransferConfig.__init__
boto3.s3.transfer.TransferConfig.__init__ = lambda self, *a, **k: plain(self, *a, **k | {"use_threads": False})

epochs, now = [], {"on": True, "front": 0.0, "back": 0.0, "depth": 0}

def begin_epoch():
    if epochs:
        epochs[-1] |= {"seconds": time.perf_counter() - epochs[-1]["at"], "front": now["front"], "back": now["back"]}
    now.update(on=len(epochs) % 2 == 0, front=0.0, back=0.0)
    epochs.append({"at": time.perf_counter(), "on": now["on"]})

def counted(call, optional=True):
    def run(*a, **k):
        if optional and not now["on"]:
            return None
        began, now["depth"] = time.perf_counter(), now["depth"] + 1
        try:
            return call(*a, **k)
        finally:
            now["depth"] -= 1
            if not now["depth"]:
                now["front"] += time.perf_counter() - began
    return run

deliver = utils.Spool.__init__
def spool(self, server, send, limit=10_000):
    def timed(call):
        began = time.thread_time()
        try:
            send(call)
        finally:
            now["back"] += time.thread_time() - began
    deliver(self, server, timed, limit)
utils.Spool.__init__ = spool

def report():
    begin_epoch()
    known = [one for one in epochs[3:-1]]  # the first few warm up, libraries are loaded behind them
    on, off = ([one for one in known if one["on"] is state] for state in (True, False))
    bare = statistics.median(one["seconds"] for one in off)
    front = statistics.median(one["front"] for one in on)
    back = sum(one["back"] for one in known) / len(on)
    took = statistics.median(one["seconds"] for one in on)
    print("FIGURES " + json.dumps({"bare": bare, "with": took, "front": front, "back": back}), flush=True)
"""
TIMM = """
import torch, train
torch.save, samples.send = counted(torch.save), counted(samples.send)
for name in ("notify_status", "send_validation_result", "upload_checkpoint"):
    setattr(utils, name, counted(getattr(utils, name)))
learn = train.learn
def watched(*a):
    begin_epoch()
    return learn(*a)
train.learn = watched
"""
ULTRALYTICS = """
import progress, shown, train
begin = progress.Progress.on_train_epoch_start
def epoch_start(self, trainer):
    begin_epoch()
    counted(begin, False)(self, trainer)
update, listen = shown.Shown.update_metrics, lambda self, preds, batch: self.listener(preds, batch)
for name in [name for name in dir(progress.Progress) if name.startswith("on_") and name != "on_pretrain_routine_end"]:
    setattr(progress.Progress, name, counted(getattr(progress.Progress, name)))
progress.Progress.on_train_epoch_start = epoch_start
shown.Shown.boxes = counted(shown.Shown.boxes, False)
shown.Shown.update_metrics = lambda self, *a: (update if now["on"] else listen)(self, *a)
"""
END = """
def measured(job):
    train.train(job)
    report()
job.Job().run(measured)
"""


def main() -> None:
    settings = load_settings()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        services, recorder = Services(folder / "services", mlflow_environment(settings)), Recorder().up()
        heads = (("bare", 9), ("with", 9), ("training thread", 17), ("threads behind", 16), ("sum", 8))
        print("trainer, pictures an epoch".ljust(34) + "".join(f"{head:>{width}}" for head, width in heads))
        try:
            for case in CASES:
                show(case, run(case, folder, services, recorder))
        finally:
            recorder.close()
            services.close()


def show(case: Case, row: dict[str, float]) -> None:
    trainer, _, model, size, pictures, *_ = case
    name = f"{trainer} {model} {size} px, {pictures:,}"
    share = (row["front"] + row["back"]) / row["bare"]
    costs = f"{row['front'] * 1000:14.1f} ms{row['back'] * 1000:13.1f} ms{share:8.2%}"
    print(f"{name:34}{row['bare']:7.2f} s{row['with']:7.2f} s{costs}", flush=True)


def run(case: Case, folder: Path, services: Services, recorder: Recorder) -> dict[str, float]:
    trainer, task, model, size, pictures, batch, epochs = case
    settings = load_settings()
    python = make_environment(settings, trainer, lambda text: print(text, file=sys.stderr)).python
    name = f"{task}-{pictures}"
    store = services.storage()
    make = boxes if task == "detect" else class_folders
    store.put_file(dataset_key(name), make(folder / f"{name}.zip", pictures * 5 // 4))
    script = folder / f"measured_{trainer}.py"
    script.write_text(DRIVER + (TIMM if trainer == "timm" else ULTRALYTICS) + END)
    access_key, secret_key = services.settings.s3_keys
    variables = {
        "JOB_ID": f"job-20261121-120000-{trainer[:4]}", "TRACE_ID": "c0ffee0123456789", "ATTEMPT": "1",
        "BACKEND_BASE_URL": recorder.url, "CALLBACK_TOKEN": "token", "MLFLOW_TRACKING_URI": services.tracking(),
        "STORAGE_TYPE": "minio", "MINIO_ENDPOINT": services.settings.s3_url, "MINIO_ACCESS_KEY": access_key,
        "MINIO_SECRET_KEY": secret_key, "MINIO_BUCKET": services.settings.s3_bucket, "DATASET_ID": name,
        "TASK_TYPE": task, "MODEL_NAME": model, "IMAGE_SIZE": str(size), "BATCH_SIZE": str(batch),
        "EPOCHS": str(epochs), "SEED": "1", "HEARTBEAT_SECONDS": "10", "PARAM_PATIENCE": "0",
    }  # fmt: skip
    kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    argv = [str(python), str(script), str(ROOT / f"trainer-{trainer}")]
    done = subprocess.run(argv, env=kept | variables, cwd=folder, capture_output=True, text=True, check=False)
    figures = [line for line in done.stdout.splitlines() if line.startswith("FIGURES ")]
    if done.returncode or not figures:
        raise SystemExit(f"{trainer} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return dict(json.loads(figures[0].removeprefix("FIGURES ")))


if __name__ == "__main__":
    main()
