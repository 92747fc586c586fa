"""Train an image classifier of timm: any of its models, from the team's weights, from the hub's or from nothing.

In one process, or in several under torchrun, which share each batch. Order, augmentation and dropout follow from seed,
epoch and picture alone, not from what came before: on a CPU a resumed run equals an uninterrupted one bit for bit.
"""

import datetime
import math
import os

import data
import model as models
import report
import samples
import torch
import torch.distributed as dist
import utils
from epoch import learn, look_at, mixer, precision
from job import Job
from timm.data import resolve_data_config
from timm.optim import create_optimizer_v2
from torch.nn.parallel import DistributedDataParallel

CACHES = ("HF_HOME", "TORCH_HOME", "TRITON_CACHE_DIR", "MPLCONFIGDIR")
FREE = ("patience", "workers", "amp", "pretrained")  # what may differ when a run goes on
START = {"best": -1.0, "waited": 0, "reached": None}  # reached: what best.pt does


def choice(name, default, *words):
    word = os.getenv(name, "").strip() or default
    if word not in words:
        raise utils.BadConfiguration(f"{name}={word} is not valid: it should be {', '.join(words)}")
    return word


def read_settings():
    utils.check_required_env(DATASET_ID="the id of a dataset with class folders")
    choice("TASK_TYPE", "classify", "classify")
    whole, number = utils.get_env_int, utils.get_env_float
    s = {
        "model": os.getenv("MODEL_NAME") or "resnet18",
        "dataset_id": os.environ["DATASET_ID"],
        "epochs": whole("EPOCHS", 10, 1),
        "batch_size": whole("BATCH_SIZE", 32, 1),
        "learning_rate": number("LEARNING_RATE", 0.001, 1e-9, 1e6),
        "image_size": whole("IMAGE_SIZE", 224, 8, 2048),
        "seed": whole("SEED", 0, 0, 2**32 - 1),
        "optimizer": choice("PARAM_OPTIMIZER", "adamw", "adamw", "sgd"),
        "weight_decay": number("PARAM_WEIGHT_DECAY", 0.05, 0, 10),
        "schedule": choice("PARAM_SCHEDULE", "cosine", "cosine", "constant"),
        "warmup_epochs": number("PARAM_WARMUP_EPOCHS", 0, 0, 1000),
        "label_smoothing": number("PARAM_LABEL_SMOOTHING", 0, 0, 0.9),
        "mixup": number("PARAM_MIXUP", 0, 0, 10),
        "cutmix": number("PARAM_CUTMIX", 0, 0, 10),
        "augment": choice("PARAM_AUGMENT", "light", "none", "light", "rand"),
        "drop_rate": number("PARAM_DROP_RATE", 0, 0, 0.95),
        "freeze": choice("PARAM_FREEZE", "false", "true", "false") == "true",
        "pretrained": choice("PARAM_PRETRAINED", "true", "true", "false") == "true",
        "patience": whole("PARAM_PATIENCE", 0, 0),
        "amp": choice("PARAM_AMP", "auto", "auto", "true", "false"),
        "workers": whole("PARAM_WORKERS", -1, -1, 64),
    }
    models.check_name(s["model"])
    return s


def join_processes(job):
    """(rank, world, device) of this process; under torchrun it gets to know the others."""
    rank, world, place = (
        int(os.getenv(name) or low) for name, low in (("RANK", 0), ("WORLD_SIZE", 1), ("LOCAL_RANK", 0))
    )
    device = torch.device("cuda", place) if torch.cuda.is_available() else torch.device("cpu")
    if device.type == "cuda":
        if place >= torch.cuda.device_count():
            raise utils.BadConfiguration(f"LOCAL_RANK={place} is not valid: there are {torch.cuda.device_count()} GPUs")
        torch.cuda.set_device(device)
    if world > 1:
        wait = datetime.timedelta(hours=1)  # one may fetch weights or the dataset while the others wait
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=wait)
    job.say(
        f"trains on {torch.cuda.get_device_name(device) if device.type == 'cuda' else 'the CPU'}, processes: {world}"
    )
    return rank, world, device


def read_checkpoint(job, key, s, classes):
    """What RESUME_FROM holds, and from where it goes on: exactly as it was, or its weights with a fresh schedule."""
    path = utils.download_checkpoint(key, job.folder / "resume.pt")
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)  # runs no code that a file may hold
        was = {"MODEL_NAME": saved["model_name"], "the classes": saved["classes"]}
    except Exception as error:  # whatever else the file is
        raise utils.BadConfiguration(f"RESUME_FROM={key} is no checkpoint of this trainer: {error}") from None
    for name, new in (("MODEL_NAME", s["model"]), ("the classes", classes)):
        if was[name] != new:
            raise utils.BadConfiguration(f"RESUME_FROM={key} does not fit: {name} was {was[name]} and is {new} now")
    changed = sorted(name for name, value in saved.get("plan", {}).items() if s[name] != value)
    if "optimizer" in saved and not changed and saved["epoch"] < s["epochs"]:
        job.say(f"resumes {key} after epoch {saved['epoch']} of {s['epochs']}, with its optimizer")
        return saved if job.inherit_best(key) else saved | START
    why = (
        f"another {', '.join(changed)}"
        if changed
        else "its own is finished"
        if "optimizer" in saved
        else "it has weights only"
    )
    job.say(f"starts a fresh schedule of {s['epochs']} epochs from the weights in {key}: {why}")
    return {"state_dict": saved["state_dict"], "epoch": 0, **START}


def begin(job, s, classes, rank):
    """The model, and the run so far where it goes on from a checkpoint."""
    torch.manual_seed(s["seed"])
    key, run = os.getenv("RESUME_FROM"), {"epoch": 0, **START}
    build = s["model"], len(classes), s["image_size"], s["drop_rate"]
    if key:
        run = read_checkpoint(job, key, s, classes)
        model = models.resume(key, run["state_dict"], *build)
    elif rank == 0:
        model = models.start(job, *build, s["pretrained"], s["freeze"])
    else:
        model = models.make(*build)  # gets the weights of rank 0 from it
    models.check_size(model, s["model"], s["image_size"])
    return model, run


def make_loaders(s, about, pictures, val_pictures, rank, world, device):
    workers = s["workers"] if s["workers"] >= 0 else 2 * (device.type == "cuda")
    learning = data.transform(s["image_size"], about["mean"], about["std"], s["augment"])
    plain = data.transform(s["image_size"], about["mean"], about["std"])
    order = data.TrainBatches(len(pictures), s["batch_size"], s["seed"], rank, world)
    places = data.val_batches(len(val_pictures), s["batch_size"], rank, world)
    batches = data.loader(data.Pictures(pictures, learning, s["seed"]), order, workers, device)
    return batches, data.loader(data.Pictures(val_pictures, plain, s["seed"]), places, workers, device)


def shown(picture, classes, scores):
    """A sample: what it is, and what the model takes it for."""
    path, label = picture
    likely = scores.softmax(0)
    found = {"label": classes[likely.argmax()], "confidence": likely.max().item()}
    return path, [{"label": classes[label]}], [found]


def stop_if_lost(s, epoch, loss):
    if not math.isfinite(loss):
        raise FloatingPointError(
            f"after epoch {epoch} val/loss is {loss}: the model has run away and learns no more. Lower LEARNING_RATE "
            f"({s['learning_rate']:g}) or set PARAM_WARMUP_EPOCHS; the checkpoints of earlier epochs are sound"
        )


def fit(job, s, rank, world, device):
    # data
    utils.notify_status("downloading")
    pictures, val_pictures, classes = data.read_dataset(utils.download_dataset(), s["seed"])
    counts = {"dataset_id": s["dataset_id"], "train": len(pictures), "val": len(val_pictures), "classes": classes}
    job.event(
        "dataset_ready", f"{len(pictures)} pictures to learn from, {len(val_pictures)} to validate with", **counts
    )
    val_labels = torch.tensor([label for _, label in val_pictures])

    # model
    model, run = begin(job, s, classes, rank)
    shape = resolve_data_config({}, model=model)
    about = {"model_name": s["model"], "classes": classes, "image_size": s["image_size"]}
    about |= {"mean": list(shape["mean"]), "std": list(shape["std"])}
    heads = models.freeze(model) if s["freeze"] else []
    model = model.to(device, memory_format=torch.channels_last if device.type == "cuda" else torch.preserve_format)
    net = DistributedDataParallel(model) if world > 1 else model
    optimizer = create_optimizer_v2(model, s["optimizer"], s["learning_rate"], s["weight_decay"], momentum=0.9)
    scaler = torch.amp.GradScaler(device.type, enabled=precision(s, device) is torch.float16)
    if "optimizer" in run:
        optimizer.load_state_dict(run["optimizer"])
        scaler.load_state_dict(run["scaler"])

    # loop
    batches, val_batches = make_loaders(s, about, pictures, val_pictures, rank, world, device)
    mix = mixer(s, len(classes))
    for epoch in range(run["epoch"] + 1, s["epochs"] + 1):
        learned = learn(job, s, net, heads, optimizer, scaler, mix, batches, device, epoch)
        scores = look_at(job, s, model, val_batches, classes, device)
        measured, matrix = report.measure(scores, val_labels), report.confusion(scores, val_labels)
        better = measured["val/top1"] > run["best"] and math.isfinite(measured["val/loss"])
        measured |= report.accuracies(matrix, classes) if better else {}
        utils.notify_status("training", epoch, s["epochs"], learned | measured)
        utils.send_validation_result(epoch, measured)
        stop_if_lost(s, epoch, measured["val/loss"])
        best, waited = max(run["best"], measured["val/top1"]), 0 if better else run["waited"] + 1
        reached = run.get("reached")
        if better or reached is None:
            reached = {"metrics": learned | measured, "matrix": matrix, "epoch": epoch}
        run = {"epoch": epoch, "best": best, "waited": waited, "reached": reached}
        if job.is_main:
            weights = about | {"state_dict": model.state_dict(), "epoch": epoch}
            plan = {name: value for name, value in s.items() if name not in FREE}
            whole = {"optimizer": optimizer.state_dict(), "scaler": scaler.state_dict(), "plan": plan, **run}
            for name, content in [("best.pt", weights), ("last.pt", weights | whole)][not better :]:
                torch.save(content, job.folder / name)
                utils.upload_checkpoint(job.folder / name, name, epoch, move=True)
            chosen = samples.choose(len(val_pictures))
            samples.send(epoch, [shown(val_pictures[n], classes, scores[n]) for n in chosen])
        if s["patience"] and run["waited"] >= s["patience"]:
            job.say(f"stops early: val/top1 has not risen for {s['patience']} epochs")
            break

    # report
    if job.is_main:
        job.metrics = run["reached"]["metrics"]  # what best.pt reaches
        for path in report.write(job.folder, run["reached"]["matrix"], classes, run["reached"]["epoch"]):
            job.artifact(path)


def train(job):
    # settings
    s = read_settings()
    for name in CACHES:
        os.environ.setdefault(name, str(job.folder / name.lower()))
    rank, world, device = join_processes(job)
    job.log_params(s | {"processes": world, "device": device.type})
    if s["amp"] == "true" and device.type != "cuda":
        job.warn("PARAM_AMP=true has no effect without a GPU: trains in full precision")

    fit(job, s, rank, world, device)
    if world > 1:
        dist.destroy_process_group()


if __name__ == "__main__":
    Job().run(train)
