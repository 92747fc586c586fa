"""What ultralytics' callbacks tell while it trains → heartbeats, metrics, checkpoints; and the way out of a batch."""

import os
import random
from pathlib import Path

import numpy
import utils
from shown import Shown

RENAMED = {"accuracy_top1": "top1", "accuracy_top5": "top5"}


def validation_of(trainer):
    """metrics/mAP50(B) → val/mAP50, metrics/accuracy_top1 → val/top1, val/box_loss as it is."""
    numbers = {}
    for name, value in trainer.metrics.items():
        _, _, word = name.removesuffix("(B)").partition("/")
        numbers[f"val/{RENAMED.get(word, word)}"] = float(value)
    return numbers


def seed_by_epoch(trainer):
    """Each epoch's order and augmentation follow from seed and epoch alone, so a resumed run goes on with the same."""
    import torch

    seed = (trainer.args.seed * 1_000_003 + trainer.epoch) % 2**32
    random.seed(seed)
    numpy.random.seed(seed)  # the global one is what ultralytics draws from
    torch.manual_seed(seed)
    if generator := getattr(trainer.train_loader, "generator", None):
        generator.manual_seed(seed)


def share_checkpoints(trainer):
    """Of several processes one writes checkpoints, and at the end all evaluate the best: each looks in its folder."""
    import torch.distributed as dist

    if dist.is_initialized():
        folder = [str(trainer.wdir)]
        dist.broadcast_object_list(folder, 0)
        trainer.last, trainer.best = Path(folder[0], "last.pt"), Path(folder[0], "best.pt")


class Progress:
    """Methods named after the callbacks that they are."""

    def __init__(self, job):
        self.job, self.batch, self.measured, self.best, self.shown = job, 0, True, None, None

    def on_pretrain_routine_end(self, trainer):
        share_checkpoints(trainer)
        if not self.job.is_main:
            return
        if trainer.resume:
            self.inherit(trainer)
        counts = {"train": len(trainer.train_loader.dataset), "val": len(trainer.test_loader.dataset)}
        text = f"{counts['train']} pictures to learn from, {counts['val']} to validate with"
        names = list(trainer.data["names"].values())
        self.job.event("dataset_ready", text, dataset_id=os.environ["DATASET_ID"], classes=names, **counts)
        data = trainer.test_loader.dataset
        self.shown = Shown(trainer.validator, getattr(data, "samples", data))

    def inherit(self, trainer):
        """A resumed run's best so far: the best.pt it goes on with, which is evaluated at the end if none is better."""
        if self.job.inherit_best(os.environ["RESUME_FROM"]):
            utils.download_checkpoint(f"checkpoints/job-{self.job.id}/best.pt", trainer.best)
            return
        trainer.best_fitness, trainer.stopper.best_fitness = None, 0.0
        trainer.stopper.best_epoch = trainer.start_epoch

    def on_train_epoch_start(self, trainer):
        self.batch = 0
        seed_by_epoch(trainer)

    def on_val_start(self, validator):
        if self.shown:
            self.shown.begin()

    def on_train_batch_end(self, trainer):
        self.job.check()
        self.batch += 1
        batches = len(trainer.train_loader)
        self.job.phase = {
            "phase": "training",
            "epoch": trainer.epoch + 1,
            "epochs": trainer.epochs,
            "step": trainer.epoch * batches + self.batch,
            "progress": min(1.0, (trainer.epoch + self.batch / max(1, batches)) / trainer.epochs),
        }

    def on_train_epoch_end(self, trainer):
        self.measured = False
        self.job.phase |= {"phase": "validating"}

    def on_val_batch_end(self, validator):
        self.job.check()

    def on_model_save(self, trainer):
        epoch = trainer.epoch + 1
        if trainer.best_fitness == trainer.fitness:
            self.best = epoch
            utils.upload_checkpoint(trainer.best, "best.pt", epoch)
        utils.upload_checkpoint(trainer.last, "last.pt", epoch)

    def on_fit_epoch_end(self, trainer):
        if self.measured or not self.job.is_main:  # what all have measured the main one has
            return  # the evaluation of best.pt after the last epoch calls this once more
        self.measured = True
        losses, measured = trainer.label_loss_items(trainer.tloss, prefix="train"), validation_of(trainer)
        rate = {"lr": next(iter(trainer.lr.values()))}
        utils.notify_status("training", trainer.epoch + 1, trainer.epochs, losses | measured | rate)
        utils.send_validation_result(trainer.epoch + 1, measured)
        self.shown.send(trainer.epoch + 1)

    def on_train_end(self, trainer):
        if trainer.epoch + 1 < trainer.epochs:
            self.job.say(f"stopped early after epoch {trainer.epoch + 1}: no better for {trainer.args.patience} epochs")
        if self.job.is_main and trainer.best.exists():
            self.job.metrics = self.job.metrics | validation_of(trainer)  # it was evaluated once more
        if self.best:  # half as large: ultralytics has taken the optimizer out
            utils.upload_checkpoint(trainer.best, "best.pt", self.best)


def follow(job, model):
    """Register this run's callbacks with a YOLO model."""
    progress = Progress(job)
    for name in (name for name in dir(Progress) if name.startswith("on_")):
        model.add_callback(name, getattr(progress, name))
