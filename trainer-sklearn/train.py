"""Train a scikit-learn classifier on pictures in class folders, epoch by epoch with partial_fit."""

import os
import warnings

import joblib
import numpy as np
import samples
import utils
from data import read_dataset
from job import Job
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import accuracy_score, log_loss
from sklearn.neural_network import MLPClassifier

MODELS = ("mlp", "sgd")


def new_model(name, rate, seed):
    if name == "sgd":
        return SGDClassifier(loss="log_loss", learning_rate="constant", eta0=rate, random_state=seed)
    return MLPClassifier(hidden_layer_sizes=(128,), learning_rate_init=rate, random_state=seed)


def measure(likely, y, classes, split):
    loss = log_loss(y, likely, labels=range(len(classes)))
    return {f"{split}/loss": loss, f"{split}/accuracy": accuracy_score(y, likely.argmax(axis=1))}


def shown(file, truth, classes, likely):
    """A sample picture: what it is, and what the model takes it for."""
    best = likely.argmax()
    return file, [{"label": truth}], [{"label": classes[best], "confidence": float(likely[best])}]


def resume(job, key, classes, size, epochs):
    """What a checkpoint holds, and how the run goes on from it: its own epochs to the end, or all of them anew."""
    saved = joblib.load(utils.download_checkpoint(key, job.folder / "resume.pt"))
    if saved["classes"] != classes or saved["image_size"] != size:
        raise utils.BadConfiguration(
            f"RESUME_FROM={key} does not fit: it was trained on the classes {saved['classes']} at image_size "
            f"{saved['image_size']}, and this run has {classes} at {size}"
        )
    if f"job-{job.id}/" not in key:
        saved["best"] = -1.0  # another job's best.pt is not this one's
    if saved["epoch"] >= epochs or saved.get("epochs") != epochs:
        why = "it is finished" if saved["epoch"] == saved.get("epochs") else f"it was planned for {saved.get('epochs')}"
        job.say(f"starts a fresh schedule of {epochs} epochs from the model in {key}: {why}")
        return saved | {"epoch": 0, "waited": 0}
    job.say(f"resumes {key} after epoch {saved['epoch']} of {epochs}")
    return saved


def train(job):
    # settings
    utils.check_required_env(DATASET_ID="the id of a dataset with class folders")
    task, name = os.getenv("TASK_TYPE") or "classify", os.getenv("MODEL_NAME") or "mlp"
    if task != "classify":
        raise utils.BadConfiguration(f"TASK_TYPE={task} is not valid: this trainer knows classify only")
    if name not in MODELS:
        raise utils.BadConfiguration(f"MODEL_NAME={name} is not valid: it should be one of {', '.join(MODELS)}")
    epochs, batch_size = utils.get_env_int("EPOCHS", 10, 1), utils.get_env_int("BATCH_SIZE", 32, 1)
    rate = utils.get_env_float("LEARNING_RATE", 0.005, 1e-9, 100)
    size, seed = utils.get_env_int("IMAGE_SIZE", 16, 4, 256), utils.get_env_int("SEED", 0, 0, 2**32 - 1)
    patience = utils.get_env_int("PARAM_PATIENCE", 0, 0)
    job.log_params(
        {"model": name, "epochs": epochs, "batch_size": batch_size, "learning_rate": rate}
        | {"image_size": size, "seed": seed, "patience": patience, "dataset_id": os.environ["DATASET_ID"]}
    )

    # data
    utils.notify_status("downloading")
    (x, y, _), (val_x, val_y, files), classes = read_dataset(utils.download_dataset(), size, seed)
    counts = {"dataset_id": os.environ["DATASET_ID"], "train": len(x), "val": len(val_x), "classes": classes}
    job.event("dataset_ready", f"{len(x)} pictures to learn from, {len(val_x)} to validate with", **counts)

    # model
    run = {"model": new_model(name, rate, seed), "classes": classes, "image_size": size}
    run |= {"epoch": 0, "best": -1.0, "waited": 0}
    if os.getenv("RESUME_FROM"):
        run = resume(job, os.environ["RESUME_FROM"], classes, size, epochs)
    warnings.simplefilter("ignore", ConvergenceWarning)

    # loop
    model, file, best_metrics = run["model"], job.folder / "last.pt", None
    for epoch in range(run["epoch"] + 1, epochs + 1):
        order = np.random.default_rng([seed, epoch]).permutation(len(x))
        for start in range(0, len(x), batch_size):
            job.check()
            rows = order[start : start + batch_size]
            model.partial_fit(x[rows], y[rows], classes=range(len(classes)))
        likely = model.predict_proba(val_x)
        measured = measure(likely, val_y, classes, "val")
        metrics = measure(model.predict_proba(x), y, classes, "train") | measured | {"lr": rate}
        better = measured["val/accuracy"] > run["best"]
        run |= {"epoch": epoch, "epochs": epochs, "waited": 0 if better else run["waited"] + 1}
        run["best"] = max(run["best"], measured["val/accuracy"])
        utils.notify_status("training", epoch, epochs, metrics)
        utils.send_validation_result(epoch, measured)
        joblib.dump(run, file)
        if better:
            best_metrics = metrics
            utils.upload_checkpoint(file, "best.pt", epoch)
        utils.upload_checkpoint(file, "last.pt", epoch, move=True)
        chosen = samples.choose(len(files))
        samples.send(epoch, [shown(files[n], classes[val_y[n]], classes, likely[n]) for n in chosen])
        if patience and run["waited"] >= patience:
            job.say(f"stops early: val/accuracy has not risen for {patience} epochs")
            break
    job.metrics = best_metrics or job.metrics  # what best.pt reaches


if __name__ == "__main__":
    Job().run(train)
