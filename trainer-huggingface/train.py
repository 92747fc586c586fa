"""Train a transformers model to classify pictures in class folders, with the Trainer of transformers."""

import os
import re

import data
import utils
import weights
from job import Job

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9._-]+)?"
SCHEDULES = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}
HARMLESS = {"pretrained", "workers", "patience"}  # a run may be resumed with others


def choose(variable, default, allowed):
    value = os.getenv(variable) or default
    if value not in allowed:
        raise utils.BadConfiguration(f"{variable}={value} is not valid: it should be one of {', '.join(allowed)}")
    return value


def yes(variable, default):
    return choose(variable, default, ("true", "false")) == "true"


def read_settings():
    """What is to be trained, checked before anything heavy is loaded."""
    utils.check_required_env(DATASET_ID="the id of a dataset with class folders")
    choose("TASK_TYPE", "classify", ("classify",))
    name = os.getenv("MODEL_NAME") or "microsoft/resnet-18"
    if not re.fullmatch(NAME, name):
        raise utils.BadConfiguration(f"MODEL_NAME={name} is not valid: it should be one such as microsoft/resnet-18")
    return {
        "model": name,
        "epochs": utils.get_env_int("EPOCHS", 10, 1),
        "batch_size": utils.get_env_int("BATCH_SIZE", 32, 1),
        "learning_rate": utils.get_env_float("LEARNING_RATE", 2e-4, 1e-9, 10),
        "image_size": utils.get_env_int("IMAGE_SIZE", 224, 16, 2048),
        "seed": utils.get_env_int("SEED", 0, 0, 2**31),
        "weight_decay": utils.get_env_float("PARAM_WEIGHT_DECAY", 0.01, 0, 1),
        "warmup_ratio": utils.get_env_float("PARAM_WARMUP_RATIO", 0.1, 0, 0.9),
        "schedule": choose("PARAM_SCHEDULE", "cosine", SCHEDULES),
        "label_smoothing": utils.get_env_float("PARAM_LABEL_SMOOTHING", 0, 0, 0.9),
        "augment": choose("PARAM_AUGMENT", "light", ("none", "light", "strong")),
        "freeze": yes("PARAM_FREEZE", "false"),
        "pretrained": yes("PARAM_PRETRAINED", "true"),
        "workers": utils.get_env_int("PARAM_WORKERS", 4, 0, 64),
        "patience": utils.get_env_int("PARAM_PATIENCE", 0, 0),
        "gradient_accumulation": utils.get_env_int("PARAM_GRADIENT_ACCUMULATION", 1, 1, 1024),
        "precision": choose("PARAM_PRECISION", "auto", ("auto", "fp32", "bf16", "fp16")),
    }


def find_start(job, key, name, classes, plan):
    """(A checkpoint's folder, what it says of its run, whether this run goes on where it stopped)."""
    path = utils.download_checkpoint(key, job.folder / "resume.zip")
    folder = weights.unpack(path, job.folder / "resume", key, weights.STATE)
    saved = weights.read_run(folder)
    if saved is None:
        raise utils.BadConfiguration(f"RESUME_FROM={key} is no checkpoint of trainer-huggingface")
    if (saved["model"], saved["classes"]) != (name, classes):
        raise utils.BadConfiguration(
            f"RESUME_FROM={key} does not fit: it is {saved['model']} with the classes {saved['classes']}, and this run "
            f"is to train {name} with {classes}"
        )
    changed = [f"{word}={saved['plan'].get(word)}" for word, value in plan.items() if saved["plan"].get(word) != value]
    if saved["epoch"] >= saved["plan"]["epochs"]:
        why = f"it has finished its {saved['epoch']} epochs"
    elif changed:
        why = f"it was planned with {', '.join(changed)}"
    elif not (folder / "optimizer.pt").is_file():
        why = "it holds no optimizer"
    else:
        job.say(f"resumes {key} after epoch {saved['epoch']} of {plan['epochs']}, with its optimizer and random state")
        return folder, saved, True
    job.say(f"starts a fresh schedule of {plan['epochs']} epochs from the weights in {key}: {why}")
    return folder, saved, False


def choose_precision(torch, settings, gpus):
    """What the model computes in: by itself the fastest that there is."""
    precision = settings["precision"]
    if precision == "auto":
        precision = "fp32" if not gpus else "bf16" if torch.cuda.is_bf16_supported() else "fp16"
    if precision == "fp16" and not gpus:
        raise utils.BadConfiguration("PARAM_PRECISION=fp16 is not valid here: it needs a GPU; bf16 and fp32 do not")
    return precision


def arguments(transformers, job, settings, precision, processes, gpus):
    """The run's settings in the Trainer's own words."""
    share = max(1, settings["batch_size"] // max(processes, gpus if processes == 1 else 1))  # of a step's pictures
    return transformers.TrainingArguments(
        output_dir=str(job.folder / "run"),
        num_train_epochs=settings["epochs"],
        per_device_train_batch_size=share,
        per_device_eval_batch_size=share,
        gradient_accumulation_steps=settings["gradient_accumulation"],
        learning_rate=settings["learning_rate"],
        weight_decay=settings["weight_decay"],
        warmup_steps=settings["warmup_ratio"],  # below 1 it is a share of all steps
        lr_scheduler_type=SCHEDULES[settings["schedule"]],
        label_smoothing_factor=settings["label_smoothing"],
        seed=settings["seed"],
        bf16=precision == "bf16",
        fp16=precision == "fp16",
        use_cpu=not gpus,
        ddp_backend="gloo" if processes > 1 and not gpus else None,
        dataloader_num_workers=settings["workers"] if gpus else 0,
        dataloader_pin_memory=bool(gpus),
        eval_strategy="epoch",
        save_strategy="epoch",
        logging_strategy="epoch",
        logging_nan_inf_filter=False,  # a loss that is NaN is to be seen
        remove_unused_columns=False,
        disable_tqdm=True,
        report_to=[],  # MLflow is told by job.py
    )


def train(job):
    # settings
    settings = read_settings()
    name, epochs, seed, size = (settings[word] for word in ("model", "epochs", "seed", "image_size"))
    job.log_params({**settings, "dataset_id": os.environ["DATASET_ID"]})

    # data
    utils.notify_status("downloading")
    pictures, val, classes = data.read_dataset(utils.download_dataset(), seed)
    counts = {"dataset_id": os.environ["DATASET_ID"], "train": len(pictures), "val": len(val), "classes": classes}
    job.event("dataset_ready", f"{len(pictures)} pictures to learn from, {len(val)} to validate with", **counts)

    # model
    processes = utils.get_env_int("WORLD_SIZE", 1, 1)
    plan = {word: value for word, value in settings.items() if word not in HARMLESS}
    plan |= {"pictures": len(pictures), "processes": processes}
    key, folder, saved, resumed = os.getenv("RESUME_FROM"), None, None, False
    weights.prepare(job.folder)
    if key:
        folder, saved, resumed = find_start(job, key, name, classes, plan)
    elif settings["pretrained"]:
        folder = weights.find_weights(job, name)
    else:
        weights.check_buildable(name, "without its weights its architecture is not known")
    transformers = weights.load_transformers()  # what is wrong so far was said in a second; this takes some
    import torch
    from progress import PictureTrainer, Progress

    transformers.set_seed(seed)
    model = weights.build(job, name, folder, classes, size)
    _, mean, std = data.read_processor(folder)
    resized = weights.must_resize(model, name, size)
    if settings["freeze"]:
        model.base_model.requires_grad_(False)
        if folder is None:
            job.warn("freeze leaves all but the head as it is, which without weights is chance: it will learn little")

    # loop: the Trainer's own, followed through its callbacks
    gpus = torch.cuda.device_count()
    precision = choose_precision(torch, settings, gpus)
    job.say(f"trains {model.num_parameters():,} parameters on {f'{gpus} GPUs' if gpus else 'the CPU'} in {precision}")
    run = {"model": name, "classes": classes, "plan": plan, "epoch": 0, "best": -1.0, "waited": 0, "reached": None}
    if resumed:
        kept = ("best", "waited", "reached") if job.inherit_best(key) else ()
        run |= {word: saved[word] for word in ("epoch", *kept) if word in saved}
    progress = Progress(job, val, classes, run, (size, mean, std), settings)
    trainer = PictureTrainer(
        model,
        arguments(transformers, job, settings, precision, processes, gpus),
        data_collator=data.make_collate(resized),
        train_dataset=data.Pictures(pictures, data.make_transform(size, mean, std, settings["augment"])),
        eval_dataset=data.Pictures(val, data.make_transform(size, mean, std)),
        compute_metrics=progress.measure,
        callbacks=[progress],
    )
    trainer.remove_callback(transformers.PrinterCallback)
    utils.notify_status("training", run["epoch"], epochs)
    trainer.train(resume_from_checkpoint=str(folder) if resumed else None)
    job.metrics = run["reached"] or job.metrics  # what best.pt reaches
    if processes > 1:
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    Job().run(train)
