"""A whole trainer: a softmax classifier in numpy. Put your own data, model and loop in its place.

data.py reads datasets with a folder a class.
"""

import json
import os

import numpy as np
import samples
import utils
from data import read_dataset
from job import Job


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
    utils.check_required_env(DATASET_ID="the id of a dataset with class folders")
    epochs, batch_size = utils.get_env_int("EPOCHS", 10, 1), utils.get_env_int("BATCH_SIZE", 32, 1)
    rate, size = utils.get_env_float("LEARNING_RATE", 0.1, 0, 10), utils.get_env_int("IMAGE_SIZE", 16, 4, 256)
    seed = utils.get_env_int("SEED", 0, 0)
    plan = {"epochs": epochs, "batch_size": batch_size, "learning_rate": rate, "size": size, "seed": seed}
    plan |= {"dataset_id": os.environ["DATASET_ID"]}
    job.log_params(plan)

    # data
    utils.notify_status("downloading")
    (x, y, _), (val_x, val_y, files), classes = read_dataset(utils.download_dataset(), size, seed)
    job.event("dataset_ready", dataset_id=os.environ["DATASET_ID"], train=len(x), val=len(val_x), classes=classes)

    # model
    model = {"weights": np.zeros((size**2, len(classes))), "bias": np.zeros(len(classes))}
    run = {"epoch": 0, "best": {}, "plan": plan, "classes": classes}
    if key := os.getenv("RESUME_FROM"):
        with np.load(utils.download_checkpoint(key, job.folder / "resume.pt")) as saved:
            model, last = {name: saved[name] for name in model}, json.loads(str(saved["run"]))
        if list(last["classes"]) != classes or len(model["weights"]) != size**2:
            raise utils.BadConfiguration(f"RESUME_FROM={key} does not fit: other classes, or another IMAGE_SIZE")
        if last["epoch"] < epochs and last["plan"] == plan and not key.endswith("best.pt"):
            run = last if job.inherit_best(key) else last | {"best": {}}
        where = f"after epoch {run['epoch']}" if run["epoch"] else "from its weights, with a fresh schedule"
        job.say(f"goes on {where}: {key}")

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
            raise FloatingPointError(
                f"after epoch {epoch} val/loss is {measured['val/loss']}: the model has run away and learns no more. "
                f"Lower LEARNING_RATE ({rate:g}); the checkpoints of earlier epochs are sound"
            )
        for name in ["best.pt", "last.pt"][not better :]:
            with open(job.folder / name, "wb") as file:
                np.savez(file, classes=classes, run=json.dumps(run), **model)
            utils.upload_checkpoint(job.folder / name, name, epoch, move=True)
        found = [[{"label": classes[row.argmax()], "confidence": float(row.max())}] for row in likely]
        samples.send(epoch, [(files[n], [{"label": classes[val_y[n]]}], found[n]) for n in samples.choose(len(val_x))])
    job.metrics = run["best"]  # what best.pt reaches


if __name__ == "__main__":
    Job().run(train)
