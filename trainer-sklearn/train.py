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


def resume(job, key, classes, size, plan):
    """What a checkpoint holds, and how the run goes on from it: its own epochs to the end, or all of them anew."""
    epochs = plan["epochs"]
    saved = joblib.load(utils.download_checkpoint(key, job.folder / "resume.pt"))
    if saved["classes"] != classes or saved["image_size"] != size:
        raise utils.BadConfiguration(
            f"RESUME_FROM={key} does not fit: it was trained on the classes {saved['classes']} at image_size "
            f"{saved['image_size']}, and this run has {classes} at {size}"
        )
    was, fresh = saved.get("plan", {}), new_model(plan["model"], plan["learning_rate"], plan["seed"])
    if type(saved["model"]) is not type(fresh):
        was = was.get("model", type(saved["model"]).__name__)
        raise utils.BadConfiguration(f"RESUME_FROM={key} does not fit: MODEL_NAME was {was} and is {plan['model']} now")
    changed = [f"{name}={was.get(name)}" for name, value in plan.items() if was.get(name) != value]
    if not changed and saved["epoch"] < epochs and not key.endswith("best.pt"):
        job.say(f"resumes {key} after epoch {saved['epoch']} of {epochs}")
        return saved if job.inherit_best(key) else saved | {"best": {}, "waited": 0}
    why = f"it was planned with {', '.join(changed)}" if changed else "it is finished"
    why = "best.pt is taken for its weights" if key.endswith("best.pt") else why
    job.say(f"starts a fresh schedule of {epochs} epochs from the weights in {key}: {why}")
    saved["model"].set_params(**fresh.get_params())
    vars(saved["model"]).pop("_optimizer", None)  # the next partial_fit makes one, at the new learning rate
    return saved | {"epoch": 0, "best": {}, "waited": 0, "plan": plan}


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
    plan = {"model": name, "epochs": epochs, "batch_size": batch_size, "learning_rate": rate}
    plan |= {"image_size": size, "seed": seed, "dataset_id": os.environ["DATASET_ID"]}
    job.log_params(plan | {"patience": patience})

    # data
    utils.notify_status("downloading")
    (x, y, _), (val_x, val_y, files), classes = read_dataset(utils.download_dataset(), size, seed)
    counts = {"dataset_id": os.environ["DATASET_ID"], "train": len(x), "val": len(val_x), "classes": classes}
    job.event("dataset_ready", f"{len(x)} pictures to learn from, {len(val_x)} to validate with", **counts)

    # model
    run = {"model": new_model(name, rate, seed), "classes": classes, "image_size": size}
    run |= {"epoch": 0, "best": {}, "waited": 0, "plan": plan}
    if os.getenv("RESUME_FROM"):
        run = resume(job, os.environ["RESUME_FROM"], classes, size, plan)
    warnings.simplefilter("ignore", ConvergenceWarning)

    # loop
    model, file = run["model"], job.folder / "last.pt"
    for epoch in range(run["epoch"] + 1, epochs + 1):
        order = np.random.default_rng([seed, epoch]).permutation(len(x))
        for start in range(0, len(x), batch_size):
            job.check()
            rows = order[start : start + batch_size]
            model.partial_fit(x[rows], y[rows], classes=range(len(classes)))
        likely = model.predict_proba(val_x)
        measured = measure(likely, val_y, classes, "val")
        metrics = measure(model.predict_proba(x), y, classes, "train") | measured | {"lr": rate}
        better = measured["val/accuracy"] > run["best"].get("val/accuracy", -1)
        run |= {"epoch": epoch, "waited": 0 if better else run["waited"] + 1}
        run["best"] = metrics if better else run["best"]
        utils.notify_status("training", epoch, epochs, metrics)
        utils.send_validation_result(epoch, measured)
        joblib.dump(run, file)
        if better:
            utils.upload_checkpoint(file, "best.pt", epoch)
        utils.upload_checkpoint(file, "last.pt", epoch, move=True)
        chosen = samples.choose(len(files))
        samples.send(epoch, [shown(files[n], classes[val_y[n]], classes, likely[n]) for n in chosen])
        if patience and run["waited"] >= patience:
            job.say(f"stops early: val/accuracy has not risen for {patience} epochs")
            break
    job.metrics = run["best"]  # what best.pt reaches


if __name__ == "__main__":
    Job().run(train)
