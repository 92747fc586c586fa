"""A whole trainer: a softmax classifier in numpy. Put your own data, model and loop in its place.

Reads datasets with a folder a class: train/<class>/*.png and val/<class>/*.png, or <class>/*.png alone.
"""

import json
import os

import numpy as np
import samples
import utils
from job import Job
from pictures import open_picture

PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".webp"}


def read_picture(path, size):
    """A picture as a row of grey values from 0 to 1."""
    return np.asarray(open_picture(path).convert("L").resize((size, size)), float).ravel() / 255


def read_dataset(root, size, seed):
    """(rows, labels, files) to learn from and to validate with (a fifth where there is no val folder), the classes."""

    def read(folder):
        found = [(path, label) for label, name in enumerate(classes) for path in sorted((folder / name).rglob("*.*"))]
        found = [(path, label) for path, label in found if path.suffix.lower() in PICTURES and path.name[0] != "."]
        rows, labels = [read_picture(path, size) for path, _ in found], [label for _, label in found]
        return np.array(rows), np.array(labels), np.array([path for path, _ in found], object)

    inside = [path for path in root.iterdir() if path.is_dir() and path.name[0] not in "._"]
    root = inside[0] if len(inside) == 1 and inside[0].name != "train" else root  # the zip of one folder
    source = root / "train" if (root / "train").is_dir() else root
    classes = sorted(path.name for path in source.iterdir() if path.is_dir() and path.name[0] not in "._")
    pictures = read(source)
    if len(set(pictures[1])) < 2:
        raise ValueError(f"this trainer classifies: it needs pictures in a folder a class, found the folders {classes}")
    for held in [root / name for name in ("val", "valid", "validation") if (root / name).is_dir()]:
        return pictures, read(held), classes
    order = np.random.default_rng(seed).permutation(len(pictures[0]))
    held, kept = np.split(order, [max(1, len(order) // 5)])
    return [part[kept] for part in pictures], [part[held] for part in pictures], classes


def predict(model, x):
    """Probabilities, a row a picture."""
    scores = x @ model["weights"] + model["bias"]
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def measure(likely, y, split):
    loss = -np.log(likely[np.arange(len(y)), y] + 1e-9).mean()
    return {f"{split}/loss": loss, f"{split}/accuracy": (likely.argmax(axis=1) == y).mean()}


def train(job):
    # settings
    epochs, batch_size = utils.get_env_int("EPOCHS", 10, 1), utils.get_env_int("BATCH_SIZE", 32, 1)
    rate, size = utils.get_env_float("LEARNING_RATE", 0.1, 0, 10), utils.get_env_int("IMAGE_SIZE", 16, 4, 256)
    seed = utils.get_env_int("SEED", 0, 0)
    plan = {"epochs": epochs, "batch_size": batch_size, "learning_rate": rate, "size": size, "seed": seed}
    job.log_params(plan)

    # data
    utils.notify_status("downloading")
    (x, y, _), (val_x, val_y, files), classes = read_dataset(utils.download_dataset(), size, seed)
    job.event("dataset_ready", dataset_id=os.environ["DATASET_ID"], train=len(x), val=len(val_x), classes=classes)

    # model
    model = {"weights": np.zeros((size**2, len(classes))), "bias": np.zeros(len(classes))}
    run = {"epoch": 0, "best": {}, "plan": plan}
    if key := os.getenv("RESUME_FROM"):
        with np.load(utils.download_checkpoint(key, job.folder / "resume.pt")) as saved:
            model, last = {name: saved[name] for name in model}, json.loads(str(saved["run"]))
        if last["epoch"] < epochs and last["plan"] == plan and not key.endswith("best.pt"):
            run = last if job.inherit_best(key) else last | {"best": {}}
        job.say(f"{key}: " + (f"goes on after epoch {run['epoch']}" if run["epoch"] else "its weights, trained anew"))

    # loop
    for epoch in range(run["epoch"] + 1, epochs + 1):
        order = np.random.default_rng([seed, epoch]).permutation(len(x))  # the same whether resumed or not
        for rows in np.array_split(order, -(-len(x) // batch_size)):
            job.check()
            error = predict(model, x[rows]) - np.eye(len(classes))[y[rows]]
            model["weights"] -= rate * x[rows].T @ error / len(rows)
            model["bias"] -= rate * error.mean(axis=0)
        likely = predict(model, val_x)
        measured = measure(likely, val_y, "val")
        metrics = measure(predict(model, x), y, "train") | measured
        better = measured["val/accuracy"] > run["best"].get("val/accuracy", -1)
        run |= {"epoch": epoch, "best": metrics if better else run["best"]}
        utils.notify_status("training", epoch, epochs, metrics)
        utils.send_validation_result(epoch, measured)
        if not np.isfinite(measured["val/loss"]):
            raise FloatingPointError(f"val/loss is {measured['val/loss']}: the model ran away; lower LEARNING_RATE ({rate})")
        for name in ["best.pt", "last.pt"][not better :]:
            with open(job.folder / name, "wb") as file:
                np.savez(file, classes=classes, run=json.dumps(run), **model)
            utils.upload_checkpoint(job.folder / name, name, epoch, move=True)
        found = [[{"label": classes[row.argmax()], "confidence": float(row.max())}] for row in likely]
        samples.send(epoch, [(files[n], [{"label": classes[val_y[n]]}], found[n]) for n in samples.choose(len(val_x))])
    job.metrics = run["best"]  # what best.pt reaches


if __name__ == "__main__":
    Job().run(train)
