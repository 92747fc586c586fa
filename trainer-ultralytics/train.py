"""Train a YOLO model with ultralytics: task detect on YOLO datasets, task classify on class folders."""

import os
import re

import utils
from data import prepare
from job import Job
from progress import follow

FAMILIES = r"yolo(v8|11|26)[nsmlx]"
OPTIMIZERS = ("auto", "SGD", "AdamW")
PLAN = ("epochs", "optimizer", "lr0", "batch", "imgsz", "freeze", "seed")  # a run goes on only with the same


def load_ultralytics(folder):
    """Import ultralytics and keep it to this run: no telemetry, pip, MLflow run of its own, or files in the home."""
    os.environ |= {"YOLO_AUTOINSTALL": "false", "YOLO_OFFLINE": "true", "YOLO_CONFIG_DIR": str(folder)}
    os.environ |= {"MPLCONFIGDIR": str(folder), "TORCHINDUCTOR_CACHE_DIR": str(folder)}
    import ultralytics  # not at the top of the file, because it reads these variables when it is imported

    places = dict.fromkeys(("weights_dir", "datasets_dir", "runs_dir"), str(folder))
    off = dict.fromkeys(("sync", "mlflow", "clearml", "comet", "dvc", "raytune", "tensorboard", "wandb"), False)
    dict.update(ultralytics.settings, places | off)  # in memory: its own update() would write the user's settings file
    return ultralytics


def choose_model(task, default):
    name, pattern = os.getenv("MODEL_NAME") or default, FAMILIES + ("-cls" if task == "classify" else "")
    if not re.fullmatch(pattern, name):
        raise utils.BadConfiguration(f"MODEL_NAME={name} is not valid: task {task} takes models such as {default}")
    return name


def choose_optimizer():
    name = os.getenv("PARAM_OPTIMIZER") or "auto"
    if name not in OPTIMIZERS:
        raise utils.BadConfiguration(f"PARAM_OPTIMIZER={name} is not valid: it should be {', '.join(OPTIMIZERS)}")
    return name


def find_weights(job, name):
    """Pretrained weights from the team's storage, else from ultralytics' hub, else the bare architecture."""
    path = job.folder / f"{name}.pt"
    try:
        utils.download_checkpoint(f"weights/{name}.pt", path)
        job.say(f"starts from weights/{name}.pt in the storage")
        return path
    except FileNotFoundError:
        job.say(f"the storage has no weights/{name}.pt: asks ultralytics' hub for it")
    import requests
    from ultralytics.utils.downloads import GITHUB_ASSETS_REPO, attempt_download_asset

    try:
        requests.head(f"https://github.com/{GITHUB_ASSETS_REPO}", timeout=5)  # the download itself waits for minutes
        attempt_download_asset(path, retry=0, progress=False)
        job.say(f"starts from the hub's {name}.pt")
        keep_weights(job, path)
        return path
    except OSError as error:  # no network, no such file: both are ConnectionError
        job.say(f"the hub can't be reached: {type(error).__name__}")
    job.warn(
        f"{name} starts from scratch ({name}.yaml): its pretrained weights are neither in the storage, as "
        f"weights/{name}.pt, nor to be had from the hub. It learns, but needs far more epochs and pictures"
    )
    return f"{name}.yaml"


def keep_weights(job, path):
    """Put the hub's weights, if they are whole, where the next run looks first; this one goes on without."""
    from ultralytics.utils.patches import torch_load

    try:
        torch_load(path, map_location="cpu")
        client, bucket = utils.get_storage_client()
        client.upload_file(str(path), bucket, f"weights/{path.name}")
        job.say(f"keeps them as weights/{path.name} in the storage")
    except Exception as error:  # read-only keys, a full or absent storage: none of it matters to this training
        job.say(f"could not keep weights/{path.name} in the storage: {error}")


def find_start(job, name, settings):
    """What the model begins with, and whether it is a run to be resumed with its optimizer and its place."""
    key = os.getenv("RESUME_FROM")
    if not key:
        return find_weights(job, name), False
    from ultralytics.utils.patches import torch_load

    path = utils.download_checkpoint(key, job.folder / "resume.pt")
    saved = torch_load(path, map_location="cpu")
    epochs, after, was = settings["epochs"], saved.get("epoch", -1) + 1, saved.get("train_args") or {}
    size = -(-settings["imgsz"] // 32) * 32  # as ultralytics rounds it up
    found = ("optimizer", "lr0") if settings["optimizer"] == "auto" else ()  # a checkpoint tells what auto has chosen
    plan = {word: settings[word] for word in PLAN if word not in found} | {"imgsz": size}
    changed = [f"{word}={was.get(word)}" for word, value in plan.items() if was.get(word) != value]
    if saved.get("optimizer") and 0 < after < epochs and not changed and not key.endswith("best.pt"):
        job.say(f"resumes {key} after epoch {after} of {epochs}, with its optimizer")
        return path, True
    why = f"it was planned with {', '.join(changed)}" if changed else "it is finished"
    if key.endswith("best.pt"):
        why = "best.pt is taken for its weights"
    job.say(f"starts a fresh schedule of {epochs} epochs from the weights in {key}: {why}")
    return path, False


def choose_devices(torch):
    """None lets ultralytics choose. Under torchrun it trains on this machine's GPUs, a process each, and only there."""
    world = utils.get_env_int("WORLD_SIZE", 1, 1)
    if world == 1:
        return None
    if world != utils.get_env_int("LOCAL_WORLD_SIZE", world, 1) or torch.cuda.device_count() < world:
        raise utils.BadConfiguration(
            f"WORLD_SIZE={world} is not valid: ultralytics trains with several processes on one machine only, a GPU "
            f"each, and there are {torch.cuda.device_count()} GPUs"
        )
    return ",".join(map(str, range(world)))


def quicken_norms(trainer):
    """YOLO's batch norms take hundreds of batches to settle, which a fresh model on few pictures doesn't get."""
    for module in trainer.model.modules():
        if hasattr(module, "running_mean"):
            module.momentum = 0.1


def train(job):
    # settings
    task = os.getenv("TASK_TYPE") or "detect"
    if task not in ("detect", "classify"):
        raise utils.BadConfiguration(f"TASK_TYPE={task} is not valid: it should be detect or classify")
    utils.check_required_env(DATASET_ID=f"the id of a dataset for task {task}")
    name = choose_model(task, "yolo11n" if task == "detect" else "yolo11n-cls")
    rate = utils.get_env_float("LEARNING_RATE", 0.01, 1e-9, 1)
    settings = {
        "epochs": utils.get_env_int("EPOCHS", 10, 1),
        "batch": utils.get_env_int("BATCH_SIZE", 16, 1),
        "lr0": rate,
        "imgsz": utils.get_env_int("IMAGE_SIZE", 640 if task == "detect" else 224, 32, 4096),
        "seed": utils.get_env_int("SEED", 0, 0, 2**31),
        "patience": utils.get_env_int("PARAM_PATIENCE", 50, 0),
        "optimizer": choose_optimizer(),
        "workers": utils.get_env_int("PARAM_WORKERS", 4, 0, 64),
        "freeze": utils.get_env_int("PARAM_FREEZE", 0, 0, 100) or None,
    }
    ultralytics = load_ultralytics(job.folder)
    import torch

    settings["device"] = choose_devices(torch)
    job.log_params({"task": task, "model": name, "dataset_id": os.environ["DATASET_ID"], **settings})
    if settings["optimizer"] == "auto" and rate != 0.01:
        job.warn("learning_rate has no effect with optimizer=auto, which finds its own: choose SGD or AdamW to set it")

    # data
    utils.notify_status("downloading")
    data = prepare(task, utils.download_dataset(), job.folder, settings["seed"])

    # model
    start, resumed = find_start(job, name, settings)
    model = ultralytics.YOLO(start, task=task)
    if model.task != task:
        raise utils.BadConfiguration(f"RESUME_FROM={os.getenv('RESUME_FROM')} is a model for {model.task}, not {task}")

    # loop: ultralytics' own, followed through its callbacks
    follow(job, model)
    if str(start).endswith(".yaml"):
        settings["nbs"] = settings["batch"]  # a step after each batch, not each 64 pictures: there is all to learn
        model.add_callback("on_pretrain_routine_end", quicken_norms)
    utils.notify_status("training", 0, settings["epochs"])
    model.train(data=str(data), resume=resumed, save_dir=str(job.folder / "run"), plots=False, **settings)


if __name__ == "__main__":
    Job().run(train)
