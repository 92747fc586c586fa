"""What ultralytics' callbacks tell while it trains → heartbeats, metrics, checkpoints; and the way out of a batch."""

import os

import utils

RENAMED = {"accuracy_top1": "top1", "accuracy_top5": "top5"}


def metrics_of(trainer):
    """One epoch's numbers under our names: train/box_loss, val/mAP50, val/top1, lr."""
    numbers = trainer.label_loss_items(trainer.tloss, prefix="train") | validation_of(trainer)
    return numbers | {"lr": next(iter(trainer.lr.values()))}


def validation_of(trainer):
    numbers = {}
    for name, value in trainer.metrics.items():
        split, _, word = name.removesuffix("(B)").partition("/")
        numbers[f"val/{RENAMED.get(word, word)}" if split in ("metrics", "val") else name] = float(value)
    return numbers


def follow(job, model):
    """Register this run's callbacks with a YOLO model."""
    seen = {"batch": 0, "measured": True, "best": None}

    def pretrained(trainer):
        key = os.getenv("RESUME_FROM", "")
        if key and f"job-{job.id}/" not in key:
            trainer.best_fitness = None  # another job's best.pt is not this one's
        train, val = len(trainer.train_loader.dataset), len(trainer.test_loader.dataset)
        counts = {"train": train, "val": val, "classes": list(trainer.data["names"].values())}
        text = f"{train} pictures to learn from, {val} to validate with"
        job.event("dataset_ready", text, dataset_id=os.environ["DATASET_ID"], **counts)

    def epoch_starts(trainer):
        seen["batch"] = 0

    def batch_ends(trainer):
        job.check()
        seen["batch"] += 1
        done = trainer.epoch + seen["batch"] / max(1, len(trainer.train_loader))
        step = trainer.epoch * len(trainer.train_loader) + seen["batch"]
        job.phase = {"phase": "training", "epoch": trainer.epoch + 1, "epochs": trainer.epochs, "step": step}
        job.phase["progress"] = min(1.0, done / trainer.epochs)

    def epoch_trained(trainer):
        seen["measured"] = False
        job.phase |= {"phase": "validating"}

    def saved(trainer):
        epoch = trainer.epoch + 1
        utils.upload_checkpoint(trainer.last, "last.pt", epoch)
        if trainer.best_fitness == trainer.fitness:
            seen["best"] = epoch
            utils.upload_checkpoint(trainer.best, "best.pt", epoch)

    def epoch_ends(trainer):
        if seen["measured"]:
            return  # the evaluation of best.pt after the last epoch calls this once more
        seen["measured"] = True
        epoch, numbers = trainer.epoch + 1, metrics_of(trainer)
        utils.notify_status("training", epoch, trainer.epochs, numbers)
        utils.send_validation_result(epoch, {k: v for k, v in numbers.items() if k.startswith("val/")})

    def ends(trainer):
        if trainer.epoch + 1 < trainer.epochs:
            job.say(f"stopped early after epoch {trainer.epoch + 1}: no better for {trainer.args.patience} epochs")
        if seen["best"]:  # evaluated again, and half as large: ultralytics has taken the optimizer out
            job.metrics = job.metrics | validation_of(trainer)
            utils.upload_checkpoint(trainer.best, "best.pt", seen["best"])

    model.add_callback("on_pretrain_routine_end", pretrained)
    model.add_callback("on_train_epoch_start", epoch_starts)
    model.add_callback("on_train_batch_end", batch_ends)
    model.add_callback("on_val_batch_end", lambda validator: job.check())
    model.add_callback("on_train_epoch_end", epoch_trained)
    model.add_callback("on_model_save", saved)
    model.add_callback("on_fit_epoch_end", epoch_ends)
    model.add_callback("on_train_end", ends)
