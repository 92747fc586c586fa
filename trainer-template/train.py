"""A whole trainer: a softmax classifier in numpy. Put your own data, model and loop in its place.

Reads datasets with a folder a class: train/<class>/*.png and val/<class>/*.png, or <class>/*.png alone.
"""

import os

import numpy as np
import utils
from job import Job
from PIL import Image

PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".webp"}


def read_pictures(folder, classes, size):
    """Every picture under folder/<class>/ as a row of grey values from 0 to 1, and its class's number."""
    files = [(path, label) for label, name in enumerate(classes) for path in sorted((folder / name).rglob("*"))]
    files = [(path, label) for path, label in files if path.suffix.lower() in PICTURES and path.name[0] != "."]
    rows = [np.asarray(Image.open(path).convert("L").resize((size, size)), float).ravel() / 255 for path, _ in files]
    return np.array(rows), np.array([label for _, label in files])


def read_dataset(root, size, seed):
    """The pictures to learn from, those to validate with (every fifth where there is no val folder), the classes."""
    source = root / "train" if (root / "train").is_dir() else root
    classes = sorted(path.name for path in source.iterdir() if path.is_dir() and path.name[0] not in "._")
    x, y = read_pictures(source, classes, size)
    if len(x) < 2 or len(set(y)) < 2:
        raise ValueError(f"this trainer classifies: it needs pictures in a folder a class, found the folders {classes}")
    if (root / "val").is_dir():
        return (x, y), read_pictures(root / "val", classes, size), classes
    order = np.random.default_rng(seed).permutation(len(x))
    held, kept = np.split(order, [len(x) // 5 or 1])
    return (x[kept], y[kept]), (x[held], y[held]), classes


def predict(model, x):
    """Probabilities, a row a picture."""
    scores = x @ model["weights"] + model["bias"]
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def measure(model, x, y, split):
    likely = predict(model, x)
    loss = -np.log(likely[np.arange(len(y)), y] + 1e-9).mean()
    return {f"{split}/loss": loss, f"{split}/accuracy": (likely.argmax(axis=1) == y).mean()}


def train(job):
    # settings
    epochs, batch_size = utils.get_env_int("EPOCHS", 10, 1), utils.get_env_int("BATCH_SIZE", 32, 1)
    rate, size = utils.get_env_float("LEARNING_RATE", 0.1, 0, 10), utils.get_env_int("IMAGE_SIZE", 16, 4, 256)
    seed = utils.get_env_int("SEED", 0, 0)
    settings = {"epochs": epochs, "batch_size": batch_size, "learning_rate": rate, "image_size": size, "seed": seed}
    job.log_params(settings)

    # data
    utils.notify_status("downloading")
    (x, y), val, classes = read_dataset(utils.download_dataset(), size, seed)
    job.event("dataset_ready", dataset_id=os.environ["DATASET_ID"], train=len(x), val=len(val[0]), classes=classes)

    # model
    model = {"weights": np.zeros((size * size, len(classes))), "bias": np.zeros(len(classes)), "classes": classes}
    if os.getenv("RESUME_FROM"):
        with np.load(utils.download_checkpoint(os.environ["RESUME_FROM"], job.folder / "resume.pt")) as saved:
            model = dict(saved)
        job.say("goes on from the checkpoint's weights, with all epochs ahead")

    # loop
    best, numbers = -1.0, np.random.default_rng(seed)
    for epoch in range(1, epochs + 1):
        for rows in np.array_split(numbers.permutation(len(x)), -(-len(x) // batch_size)):
            job.check()
            error = predict(model, x[rows]) - np.eye(len(classes))[y[rows]]
            model["weights"] -= rate * x[rows].T @ error / len(rows)
            model["bias"] -= rate * error.mean(axis=0)
        measured = measure(model, *val, "val")
        utils.notify_status("training", epoch, epochs, measure(model, x, y, "train") | measured)
        utils.send_validation_result(epoch, measured)
        with open(job.folder / "last.pt", "wb") as file:
            np.savez(file, **model)
        utils.upload_checkpoint(job.folder / "last.pt", "last.pt", epoch)
        if measured["val/accuracy"] > best:
            best = measured["val/accuracy"]
            utils.upload_checkpoint(job.folder / "last.pt", "best.pt", epoch)


if __name__ == "__main__":
    Job().run(train)
