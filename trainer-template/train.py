"""A whole trainer: a softmax classifier in numpy. Put your own data, model and loop in its place.

Reads datasets with a folder a class: train/<class>/*.png and val/<class>/*.png, or <class>/*.png alone.
"""

import os

import numpy as np
import samples
import utils
from job import Job
from PIL import Image

PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".webp"}


def read_picture(path, size):
    """A picture as a row of grey values from 0 to 1."""
    return np.asarray(Image.open(path).convert("L").resize((size, size)), float).ravel() / 255


def read_dataset(root, size, seed):
    """(rows, labels, files) to learn from and to validate with (a fifth where there is no val folder), the classes."""

    def read(folder):
        found = [(path, label) for label, name in enumerate(classes) for path in sorted((folder / name).rglob("*.*"))]
        found = [(path, label) for path, label in found if path.suffix.lower() in PICTURES and path.name[0] != "."]
        rows, labels = [read_picture(path, size) for path, _ in found], [label for _, label in found]
        return np.array(rows), np.array(labels), np.array([path for path, _ in found], object)

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
    job.log_params({"epochs": epochs, "batch_size": batch_size, "learning_rate": rate, "size": size, "seed": seed})

    # data
    utils.notify_status("downloading")
    (x, y, _), (val_x, val_y, files), classes = read_dataset(utils.download_dataset(), size, seed)
    job.event("dataset_ready", dataset_id=os.environ["DATASET_ID"], train=len(x), val=len(val_x), classes=classes)

    # model
    model = {"weights": np.zeros((size**2, len(classes))), "bias": np.zeros(len(classes)), "epoch": 0, "best": -1.0}
    if os.getenv("RESUME_FROM"):
        with np.load(utils.download_checkpoint(os.environ["RESUME_FROM"], job.folder / "resume.pt")) as saved:
            model = dict(saved)
        done = model["epoch"] if model["epoch"] < epochs == model["epochs"] else 0
        job.say(f"goes on after epoch {done}" if done else f"a fresh schedule of {epochs} epochs from its weights")
        model |= {"best": -1.0, "epoch": done}

    # loop
    for epoch in range(int(model["epoch"]) + 1, epochs + 1):
        order = np.random.default_rng([seed, epoch]).permutation(len(x))  # the same whether resumed or not
        for rows in np.array_split(order, -(-len(x) // batch_size)):
            job.check()
            error = predict(model, x[rows]) - np.eye(len(classes))[y[rows]]
            model["weights"] -= rate * x[rows].T @ error / len(rows)
            model["bias"] -= rate * error.mean(axis=0)
        likely = predict(model, val_x)
        measured = measure(likely, val_y, "val")
        better, best = measured["val/accuracy"] > model["best"], max(measured["val/accuracy"], model["best"])
        model |= {"epoch": epoch, "epochs": epochs, "classes": classes, "best": best}
        utils.notify_status("training", epoch, epochs, measure(predict(model, x), y, "train") | measured)
        utils.send_validation_result(epoch, measured)
        for name in ["last.pt", "best.pt"][: 1 + better]:
            with open(job.folder / name, "wb") as file:
                np.savez(file, **model)
            utils.upload_checkpoint(job.folder / name, name, epoch, move=True)
        found = [[{"label": classes[row.argmax()], "confidence": float(row.max())}] for row in likely]
        samples.send(epoch, [(files[n], [{"label": classes[val_y[n]]}], found[n]) for n in samples.choose(len(val_x))])


if __name__ == "__main__":
    Job().run(train)
