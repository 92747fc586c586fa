"""What the Trainer's callbacks tell while it trains → heartbeats, metrics, checkpoints, samples; and the way out."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import samples
import torch
import utils
from data import write_processor
from transformers import Trainer, TrainerCallback
from weights import MODEL, pack


class PictureTrainer(Trainer):
    """The Trainer as it is, but that it leaves out a last picture that would be a batch alone."""

    def get_train_dataloader(self):
        size, count = self.args.train_batch_size, len(self.train_dataset)
        # batch norms can't learn from one picture; it is another one in each epoch
        self.args.dataloader_drop_last = self.args.world_size == 1 and count > size > 1 and count % size == 1
        try:
            return super().get_train_dataloader()
        finally:
            self.args.dataloader_drop_last = False  # it would hold for validation too


class Progress(TrainerCallback):
    """One run's callbacks. saved: what run.json in each checkpoint says, and what a resumed run goes on with."""

    def __init__(self, job, val, classes, saved, processor, settings):
        self.job, self.val, self.classes, self.saved, self.processor = job, val, classes, saved, processor
        self.epochs, self.patience, self.rate = (settings[name] for name in ("epochs", "patience", "learning_rate"))
        self.learnt = {}

    def on_step_end(self, args, state, control, **_):
        self.job.check()
        done = {"step": state.global_step, "progress": min(1.0, state.global_step / state.max_steps)}
        self.job.phase = {"phase": "training", "epoch": math.ceil(state.epoch), "epochs": self.epochs, **done}

    def on_substep_end(self, args, state, control, **_):
        self.job.check()

    def on_prediction_step(self, args, state, control, **_):
        self.job.check()
        self.job.phase |= {"phase": "validating"}

    def on_log(self, args, state, control, logs=None, **_):
        if "loss" in logs:
            self.learnt = {"train/loss": logs["loss"], "lr": logs["learning_rate"]}

    def measure(self, found):
        """Called by the Trainer with all of an evaluation's predictions, of all processes."""
        scores = found.predictions[0] if isinstance(found.predictions, tuple) else found.predictions
        scores, truth = torch.from_numpy(scores).double(), torch.from_numpy(found.label_ids)
        self.likely = scores.softmax(dim=1).numpy()
        self.measured = {"val/loss": torch.nn.functional.cross_entropy(scores, truth).item()}
        self.measured["val/accuracy"] = float(np.mean(self.likely.argmax(axis=1) == found.label_ids))
        if len(self.classes) >= 5:
            five = np.argsort(-self.likely, axis=1)[:, :5]
            self.measured["val/top5"] = float(np.mean((five == found.label_ids[:, None]).any(axis=1)))
        return {}

    def on_save(self, args, state, control, **_):
        """An epoch's end: it is validated, and all that a resumed run needs is in a folder."""
        epoch, folder = round(state.epoch), Path(args.output_dir) / f"checkpoint-{state.global_step}"
        metrics, loss = self.learnt | self.measured, self.measured["val/loss"]
        lost = not math.isfinite(loss)
        better = self.measured["val/accuracy"] > self.saved["best"]
        self.saved |= {"epoch": epoch, "waited": 0 if better else self.saved["waited"] + 1}
        if better:
            self.saved |= {"best": self.measured["val/accuracy"], "reached": metrics}
        gather_chance(folder)
        if self.job.is_main and not lost:
            (folder / "run.json").write_text(json.dumps(self.saved))
            write_processor(folder, *self.processor)
            if better:
                self.upload(folder, "best.pt", epoch, MODEL)
            self.upload(folder, "last.pt", epoch)
        shutil.rmtree(folder)
        utils.notify_status("training", epoch, self.epochs, metrics)  # no step: metrics are an epoch's
        utils.send_validation_result(epoch, self.measured)
        if lost:
            raise FloatingPointError(
                f"after epoch {epoch} val/loss is {loss}: the model has run away and learns no more. Lower "
                f"LEARNING_RATE ({self.rate:g}) or raise PARAM_WARMUP_RATIO, or put other weights in place of those it "
                "began with; the checkpoints of earlier epochs are sound"
            )
        samples.send(epoch, [self.shown(place) for place in samples.choose(len(self.val))])
        if self.patience and self.saved["waited"] >= self.patience:
            self.job.say(f"stops early: val/accuracy has not risen for {self.patience} epochs")
            control.should_training_stop = True

    def upload(self, folder, name, epoch, *kept):
        pack(folder, self.job.folder / name, *kept)
        utils.upload_checkpoint(self.job.folder / name, name, epoch, move=True)

    def shown(self, place):
        """A sample picture: what it is, and what the model takes it for."""
        (path, label), likely = self.val[place], self.likely[place]
        best = int(likely.argmax())
        found = {"label": self.classes[best], "confidence": float(likely[best])}
        return path, [{"label": self.classes[label]}], [found]


def gather_chance(folder):
    """Under torchrun: the random states of all processes into the checkpoint of the first, which alone is kept."""
    if not torch.distributed.is_initialized():
        return
    rank, count = torch.distributed.get_rank(), torch.distributed.get_world_size()
    states = [None] * count
    torch.distributed.all_gather_object(states, (folder / f"rng_state_{rank}.pth").read_bytes())
    for place, state in enumerate(states):
        (folder / f"rng_state_{place}.pth").write_bytes(state)
