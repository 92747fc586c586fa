"""The scenarios in which something goes wrong around a trainer: signals, servers that are away, a full disk."""

import math
import shutil
import signal
import subprocess
import time
from typing import Any

from trainyard.conformance.evidence import Evidence, Seen
from trainyard.conformance.recorder import Call, Recorder, Reply
from trainyard.conformance.run import Run, Stage, later
from trainyard.conformance.services import BULKY, SMALL_DISK
from trainyard.contract.keys import checkpoint_key


def is_training(call: Call) -> bool:
    """Whether it tells of an epoch: training has begun."""
    return bool(call.body.get("epoch")) or call.is_epoch or call.name == "validation"


# -- the backend ------------------------------------------------------------------------------------------------------


class _Mishaps:
    """Which call meets with what. Each happens once, to the first call that fits."""

    def __init__(self, run: Run, seconds_slow: float, seconds_away: float) -> None:
        self._run, self._slow, self._away = run, seconds_slow, seconds_away
        self._tries: dict[int, int] = {}
        self._met: dict[str, int] = {}  # mishap → seq
        run.chosen = {"error": (), "lost": (), "slow": ()}

    def __call__(self, call: Call) -> Reply:
        tries = self._tries[call.seq] = self._tries.get(call.seq, 0) + 1
        if self._happens("error", "first", call, True):
            return Reply(status=500) if tries <= 2 else Reply()
        if self._happens("error", "checkpoint", call, call.name == "checkpoint"):
            return Reply(status=503) if tries == 1 else Reply()
        if self._happens("lost", "dataset", call, call.name == "dataset_ready"):
            return Reply(lost=tries == 1)
        if self._happens("lost", "epoch 1", call, is_training(call)):
            return Reply(lost=tries == 1)
        if self._happens("slow", "epoch 2", call, is_training(call) and _epoch(call) == 2):
            return Reply(delay=self._slow if tries == 1 else 0)
        if self._happens("away", "epoch 3", call, is_training(call) and _epoch(call) == 3) and tries == 1:
            later(0, self._go)
            return Reply(lost=True)
        return Reply()

    def _happens(self, kind: str, what: str, call: Call, fits: bool) -> bool:
        if fits and what not in self._met and call.seq not in self._met.values():
            self._met[what] = call.seq
            if kind in self._run.chosen:
                self._run.chosen[kind] += (call.seq,)
        return self._met.get(what) == call.seq

    def _go(self) -> None:
        self._run.recorder.down()
        self._run.note("away")
        later(self._away, self._come_back)

    def _come_back(self) -> None:
        if "end" not in self._run.moments:  # it gave up before
            self._run.note("back")
            self._run.recorder.up()


def _epoch(call: Call) -> int | None:
    data: dict[str, Any] = call.body.get("data") or {}
    return call.body.get("epoch") or data.get("epoch")


def backend_trouble(stage: Stage, _: Seen) -> Evidence:
    """500s, dropped answers, a slow one, and in the third epoch it is away for a long time."""
    most = stage.subject.manifest.params["epochs"].max
    run = Run(stage, "backend-trouble", epochs=5 if most is None else min(5, int(most)))
    run.on_call = _Mishaps(run, stage.timing.slow, stage.timing.away)
    run.start().end(stage.timing.run + stage.timing.away)
    return run.evidence()


def refused_token(stage: Stage, _: Seen) -> Evidence:
    """From the first epoch on its token does not count any more."""
    run = Run(stage, "refused")

    def refuse(call: Call) -> Reply:
        if is_training(call):
            run.note("refused")
        return Reply(status=401 if "refused" in run.moments else 200)

    run.on_call = refuse
    run.start().end()
    return run.evidence()


# -- it is to stop ----------------------------------------------------------------------------------------------------


def stop_starting(stage: Stage, _: Seen) -> Evidence:
    """SIGTERM with its first call, while it waits for its dataset."""
    run = Run(stage, "stop-starting", epochs=stage.subject.many_epochs)
    run.storage.hold(stage.timing.hold)
    run.start()
    return _stop_when(run, run.wait_for(lambda seen: seen.arrived), signal.SIGTERM)


def stop_training(stage: Stage, _: Seen) -> Evidence:
    run = Run(stage, "stop-training", epochs=stage.subject.many_epochs).start()
    return _stop_when(run, run.wait_for(lambda seen: any(map(is_training, seen.arrived))), signal.SIGTERM)


def interrupt(stage: Stage, _: Seen) -> Evidence:
    """Ctrl+C instead of SIGTERM, once its last.pt holds some epochs (or, where it leaves none, after a few more)."""
    run = Run(stage, "interrupt", epochs=stage.subject.many_epochs).start()

    def has_learnt(seen: Recorder) -> bool:
        saved = [call for call in seen.arrived if call.name == "checkpoint"]
        saved = [call for call in saved if call.body["data"].get("key") == checkpoint_key(run.job_id, "last")]
        return any((_epoch(call) or 0) >= 3 for call in saved) or any((_epoch(call) or 0) >= 6 for call in seen.arrived)

    return _stop_when(run, run.wait_for(has_learnt), signal.SIGINT)


def stop_uploading(stage: Stage, _: Seen) -> Evidence:
    """Training is over, or waits for an upload, which the storage holds and never answers; then SIGTERM."""
    run = Run(stage, "stop-uploading")

    def hang(call: Call) -> Reply:
        if is_training(call) and run.storage.mode == "open":
            run.storage.set("hanging")
            run.note("hanging")
        return Reply()

    def is_stuck(seen: Recorder) -> bool:
        trained = any(call.is_epoch and call.body.get("epoch") == run.epochs for call in seen.arrived)
        patient = time.monotonic() - run.moments.get("hanging", math.inf) > stage.timing.hold
        return run.storage.kept_waiting > 0 and (trained or patient)

    run.on_call = hang
    run.start()
    return _stop_when(run, run.wait_for(is_stuck), signal.SIGTERM)


def _stop_when(run: Run, happened: bool, number: int) -> Evidence:
    if happened:
        run.stop(number)
        run.end(run.stage.timing.grace)
    return run.evidence(unable="" if happened else "it ended, or nothing happened, before it could be stopped there")


def cancel_in_answer(stage: Stage, _: Seen) -> Evidence:
    """From the first epoch on every answer says that it is to stop."""
    run = Run(stage, "cancel-answer", epochs=stage.subject.many_epochs, beat=1)

    def cancel(call: Call) -> Reply:
        if is_training(call):
            run.note("stop")
        return Reply(cancel="stop" in run.moments)

    run.on_call = cancel
    run.start()
    happened = run.wait_for(lambda _: "stop" in run.moments)
    if happened:
        run.end(stage.timing.grace)
    return run.evidence(unable="" if happened else "no epoch came that could be answered")


# -- MLflow, the storage, the disk ------------------------------------------------------------------------------------


def mlflow_away(stage: Stage, _: Seen) -> Evidence:
    run = Run(stage, "mlflow-away")
    run.mlflow.set("shut")
    run.start().end()
    return run.evidence()


def mlflow_hangs(stage: Stage, _: Seen) -> Evidence:
    run = Run(stage, "mlflow-hangs")
    run.mlflow.set("hanging")
    run.start().end()
    return run.evidence()


def storage_reset(stage: Stage, _: Seen) -> Evidence:
    """The first uploads of two objects are reset in the middle; the first answer to `done` is lost, and when it comes
    again, it is asked to stop."""
    run = Run(stage, "storage-reset", samples=0)
    run.storage.cut_uploads(2)

    def lose_the_answer(call: Call) -> Reply:
        if call.kind != "done":
            return Reply()
        first = not run.chosen
        if first:
            run.chosen = {"lost": (call.seq,)}
        else:
            run.stop()
        return Reply(lost=first)

    run.on_call = lose_the_answer
    run.start().end()
    return run.evidence()


def disk_full(stage: Stage, _: Seen) -> Evidence:
    """Its temporary folder is a disk smaller than the dataset."""
    run = Run(stage, "disk-full", dataset=BULKY.format(stage.subject.task))
    prefix = _small_disk(str(run.tmp))
    run.prefix = prefix or ()
    run.start().end()
    return run.evidence(unable="" if prefix else "no small disk can be mounted here (unshare and mount need rights)")


def _small_disk(folder: str) -> tuple[str, ...] | None:
    """What to put before a command so that this folder is a small disk to it, and to nobody else."""
    mount = f'mount -t tmpfs -o size={SMALL_DISK} tmpfs "$0" && exec "$@"'
    for rights in ("--mount", "--map-root-user"):  # as root, or as root of a namespace of its own
        prefix = ("unshare", "--mount", rights, "sh", "-c", mount, folder)
        if shutil.which("unshare") and subprocess.run([*prefix, "true"], capture_output=True).returncode == 0:
            return prefix
    return None
