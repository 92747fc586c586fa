"""Softmax regression on pictures in class folders, in the standard library alone: a trainer with none of our code.

Settings, data, model, loop, from top to bottom. job.py keeps the contract with the platform.
"""

import json
import math
import os
import random
import zipfile
import zlib
from operator import mul

import pictures
from job import Job
from settings import BadConfiguration, choice, number, say, text

SPLITS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
GREEN, RED, SIDE = (31, 157, 85), (214, 69, 69), 32


def read_dataset(path, name, size):
    """[(row of grey values from 0 to 1, class, picture's bytes)] a split, and the classes. Nothing is unpacked."""
    found = {"": [], "train": [], "val": [], "test": []}
    try:
        with zipfile.ZipFile(path) as bundle:
            for entry in bundle.infolist():
                parts = entry.filename.replace("\\", "/").split("/")
                if parts[0] == "" or parts[0][1:2] == ":" or ".." in parts or entry.external_attr >> 28 == 0o12:
                    raise ValueError(f"{entry.filename!r} points out of it")
            if sum(entry.file_size for entry in bundle.infolist()) > max(2**30, 100 * path.stat().st_size):
                raise ValueError("it would unpack to more than 100 times its size")
            for entry in sorted(bundle.infolist(), key=lambda entry: entry.filename):
                *folders, file = entry.filename.replace("\\", "/").split("/")
                if folders and file.lower().endswith(".png") and file[0] != "." and folders[0] != "__MACOSX":
                    split = SPLITS.get(folders[-2], "") if len(folders) > 1 else ""
                    found[split].append((bundle.read(entry), folders[-1]))
    except (zipfile.BadZipFile, ValueError, RuntimeError, EOFError, zlib.error) as error:
        raise ValueError(f"the dataset {name} is no sound zip, upload it again: {error}") from error
    learnt = found["train"] or found[""]
    classes = sorted({label for _, label in learnt})
    if len(classes) < 2 or SPLITS.keys() & set(classes):
        raise ValueError(f"this trainer classifies: it needs PNGs in a folder a class, found the folders {classes}")
    if strays := {label for _, label in found["val"]} - set(classes):
        raise ValueError(f"val has the classes {sorted(strays)}, which train lacks: nothing could learn them")
    rows = {split: [(read_row(data, size), label, data) for data, label in some] for split, some in found.items()}
    return rows["train"] or rows[""], rows["val"], classes


def read_row(data, size):
    field = pictures.shrink(pictures.read_png(data), size)
    return [(0.299 * red + 0.587 * green + 0.114 * blue) / 255 for line in field for red, green, blue in line]


def predict(model, row):
    """A probability a class."""
    scores = [sum(map(mul, weights, row)) + bias for weights, bias in zip(model["weights"], model["bias"], strict=True)]
    powers = [math.exp(score - max(scores)) for score in scores]
    return [power / sum(powers) for power in powers]


def learn(model, batch, rate):
    """One step down the gradient of the cross-entropy."""
    errors = []
    for row, label, _ in batch:
        likely = zip(predict(model, row), model["classes"], strict=True)
        errors.append([share - (name == label) for share, name in likely])
    for place, weights in enumerate(model["weights"]):
        for (row, _, _), error in zip(batch, errors, strict=True):
            step = rate * error[place] / len(batch)
            weights[:] = [weight - step * value for weight, value in zip(weights, row, strict=True)]
            model["bias"][place] -= step


def measure(model, rows, split):
    likely = [predict(model, row) for row, _, _ in rows]
    truths = [model["classes"].index(label) for _, label, _ in rows]
    shares = [one[truth] for one, truth in zip(likely, truths, strict=True)]
    loss = sum(-math.log(share) if share else math.inf for share in shares)
    right = sum(one.index(max(one)) == truth for one, truth in zip(likely, truths, strict=True))
    return {f"{split}/loss": loss / len(rows), f"{split}/accuracy": right / len(rows)}


def resume(job, key, model, epochs):
    """The model of a checkpoint, for the epochs after it; for all of them where it had finished its own."""
    path = job.folder / "resume.pt"
    job.wait_for(job.bucket.fetch, key, path)
    saved = json.loads(path.read_bytes())
    if (saved["classes"], saved["image_size"]) != (model["classes"], model["image_size"]):
        raise BadConfiguration(
            f"RESUME_FROM={key} does not fit: it has the classes {saved['classes']} at IMAGE_SIZE "
            f"{saved['image_size']}, and this run {model['classes']} at {model['image_size']}"
        )
    if saved["epoch"] >= epochs:
        say(f"{key} had finished its {saved['epoch']} epochs: its weights are trained for {epochs} more")
        return saved | {"epoch": 0}
    say(f"resumes {key} after epoch {saved['epoch']} of {epochs}")
    return saved


def best_so_far(job):
    """What an earlier attempt's best.pt reached: a worse one must not take its place."""
    if f"checkpoints/job-{job.id}/best.pt" not in job.bucket.keys(f"checkpoints/job-{job.id}/best"):
        return -1.0
    job.wait_for(job.bucket.fetch, f"checkpoints/job-{job.id}/best.pt", job.folder / "best.pt")
    job.checkpoint = f"checkpoints/job-{job.id}/best.pt"
    return json.loads((job.folder / "best.pt").read_bytes())["accuracy"]


def train(job):
    # settings
    dataset = text("DATASET_ID", "the id of a dataset with class folders")
    choice("TASK_TYPE", "classify")
    epochs, batch_size = number("EPOCHS", 10, 1, 10**6, int), number("BATCH_SIZE", 8, 1, 4096, int)
    rate, size = number("LEARNING_RATE", 0.1, 0, 1e308), number("IMAGE_SIZE", 16, 4, 256, int)
    seed, samples = number("SEED", 0, 0, 2**53, int), number("SAMPLE_COUNT", 4, 0, 64, int)
    settings = {"epochs": epochs, "batch_size": batch_size, "learning_rate": rate, "image_size": size, "seed": seed}
    job.log_params(settings)

    # data
    job.enter("downloading")
    job.wait_for(job.bucket.fetch, f"datasets/{dataset}.zip", job.folder / "dataset.zip")
    rows, val, classes = read_dataset(job.folder / "dataset.zip", dataset, size)
    if not val:  # every fifth is held back
        random.Random(seed).shuffle(rows)
        val, rows = rows[: len(rows) // 5 or 1], rows[len(rows) // 5 or 1 :]
    job.event("dataset_ready", dataset_id=dataset, train=len(rows), val=len(val), classes=classes)

    # model
    weights = [[0.0] * size**2 for _ in classes]
    model = {"weights": weights, "bias": [0.0] * len(classes), "classes": classes, "image_size": size, "epoch": 0}
    best = -1.0
    if key := os.getenv("RESUME_FROM", "").strip():
        model, best = resume(job, key, model, epochs), best_so_far(job)
    shown = [val[place * len(val) // samples] for place in range(min(samples, len(val)))]
    for index, (_, _, data) in enumerate(shown):
        job.upload_sample(0, index, pictures.to_jpeg(pictures.shrink(pictures.read_png(data), SIDE)))

    # loop
    for epoch in range(model["epoch"] + 1, epochs + 1):
        order = random.Random(f"{seed} {epoch}").sample(rows, len(rows))  # the same whether resumed or not
        for start in range(0, len(order), batch_size):
            job.check()
            learn(model, order[start : start + batch_size], rate)
        metrics = measure(model, rows, "train") | measure(model, val, "val")
        job.end_epoch(epoch, epochs, metrics)
        model |= {"epoch": epoch, "accuracy": metrics["val/accuracy"]}
        checkpoint = json.dumps(model).encode()
        job.upload("last.pt", epoch, checkpoint)
        if job.keep_epochs:
            job.upload(f"epoch-{epoch}.pt", epoch, checkpoint)
        if model["accuracy"] > best:
            best = model["accuracy"]
            job.upload("best.pt", epoch, checkpoint)
        for index, (row, truth, data) in enumerate(shown):
            confidence, label = max(zip(predict(model, row), classes, strict=True))
            picture = pictures.shrink(pictures.read_png(data), SIDE)
            drawn = pictures.to_jpeg(pictures.framed(picture, GREEN if label == truth else RED))
            found = {"label": label, "confidence": confidence}
            job.upload_sample(epoch, index, drawn, {"label": truth}, found)


if __name__ == "__main__":
    Job().run(train)
