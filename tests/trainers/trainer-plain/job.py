"""A run's side of the contract: callbacks and heartbeats, uploads, signals, the end with its receipt and exit code.

Nothing in here waits for a server while training goes on: what they are to get lies in an Outbox each.
"""

import errno
import itertools
import json
import math
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
import urllib.error
from pathlib import Path

import s3
from outbox import Outbox, ask, plain
from settings import BadConfiguration, number, say
from tracking import Tracking


class Cancelled(Exception):
    """Raised by Job.check() once a signal or the backend asked the run to stop."""


class Job:
    """One run. A trainer ends with Job().run(train), and train(job) calls what has no underscore."""

    def __init__(self):
        self.id = os.getenv("JOB_ID") or f"local-{time.strftime('%Y%m%d-%H%M%S')}-{os.urandom(2).hex()}"
        self.url, self.token = os.getenv("BACKEND_BASE_URL", "").rstrip("/"), os.getenv("CALLBACK_TOKEN", "")
        self.attempt, self.seq, self.seconds, self.keep_epochs = 1, 0, 60.0, 0
        self.phase, self.metrics, self.checkpoint = {"phase": "starting"}, {}, None
        self.stopped_by, self.give_up_at, self.told = 0, math.inf, threading.Event()
        self.lock, self.tickets = threading.Lock(), itertools.count()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.id}-"))  # all that is temporary; removed at the end
        self.tracking = Tracking(os.getenv("MLFLOW_TRACKING_URI", ""), self)
        self.backend = Outbox("the backend", self._send) if self.url and self.token else None
        self.mlflow = Outbox("MLflow", self.tracking.write) if self.tracking.url else None
        self.storage = Outbox("the storage", lambda upload: upload())

    def run(self, train):
        """Call train(job), tell how it ended, and exit."""
        status, code, fault = "succeeded", 0, None
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, lambda number, _: self._stop(number))
        try:
            self._start()
            train(self)
        except Cancelled:
            status, code = "cancelled", 128 + self.stopped_by
        except BadConfiguration as error:
            status, code, fault = "failed", 2, self._fault(error)
            say(error, sys.stderr)
        except Exception as error:  # noqa: BLE001 - whatever it was, `done` tells it
            status, code, fault = "failed", 1, self._fault(error)
            say(fault["traceback"], sys.stderr)
        sys.exit(self._finish(status, code, fault))

    def _start(self):
        off = [name for name, on in (("callbacks", self.backend), ("MLflow", self.mlflow)) if not on]
        say(f"job {self.id} starts" + (f" without {' and '.join(off)}: no address is set" if off else ""))
        self.attempt = number("ATTEMPT", 1, 1, 1000, int)  # every call bears it, the first one too
        self.event("running", pid=os.getpid())
        self.seconds = number("FLUSH_SECONDS", 120, 0, 3600)
        self.keep_epochs = number("KEEP_EPOCHS", 0, 0, 10**6, int)
        beat = number("HEARTBEAT_SECONDS", 10, 0.05, 3600)
        threading.Thread(target=self._beat, args=(beat,), daemon=True).start()
        self.bucket = s3.from_environment()

    def _stop(self, number):
        """Noted only: check() raises where nothing is left half done. From here on the end may take 5 seconds."""
        self.stopped_by = self.stopped_by or number
        self.give_up_at = min(self.give_up_at, time.monotonic() + 5)

    def check(self):
        if self.stopped_by:
            raise Cancelled

    def wait_for(self, work, *given):
        """Do what may hang for long on a thread of its own, so that a stop is noticed at once."""
        failures = []

        def do():
            try:
                work(*given)
            except Exception as error:  # noqa: BLE001 - raised again below
                failures.append(error)

        thread = threading.Thread(target=do, daemon=True)
        thread.start()
        while thread.is_alive():
            self.check()
            thread.join(0.05)
        if failures:
            raise failures[0]

    # what the backend and MLflow are told

    def call(self, kind, keep=True, **body):
        with self.lock:  # number and place in the queue are given together, so that they agree
            return self._call(kind, keep, body)

    def _call(self, kind, keep, body):
        self.seq += 1
        body = plain({"attempt": self.attempt, "seq": self.seq, **body})
        if self.backend:
            self.backend.put(self.seq, (kind, body), keep)
        return body

    def event(self, type, message="", **data):
        if message:
            say(message)
        self.call("event", type=type, message=message, data=data)

    def enter(self, phase):
        self.phase = {"phase": phase}
        self.call("heartbeat", keep=False, **self.phase)

    def log_params(self, params):
        say("settings: " + ", ".join(f"{name}={value}" for name, value in params.items()))
        self._log(params=params)

    def end_epoch(self, epoch, epochs, metrics):
        """Tell an epoch's numbers to all three: log, backend and MLflow."""
        say(f"epoch {epoch}/{epochs}  " + "  ".join(f"{name} {value:.4g}" for name, value in metrics.items()))
        self.phase = {"phase": "training", "epoch": epoch, "epochs": epochs, "progress": epoch / epochs}
        self.metrics = metrics
        self.call("heartbeat", keep=False, metrics=metrics, **self.phase)
        validated = {name: value for name, value in metrics.items() if name.startswith("val/")}
        self.event("validation", epoch=epoch, metrics=validated)
        self._log(metrics=metrics, step=epoch)

    def _log(self, **entry):
        if self.mlflow:
            self.mlflow.put(next(self.tickets), {"time": time.time_ns() // 10**6, **entry})

    def _beat(self, seconds):
        while not self.told.wait(seconds):
            with self.lock:  # or a heartbeat could follow `done`
                if self.backend and not self.backend.calls and not self.told.is_set():  # a waiting call tells as much
                    self._call("heartbeat", False, self.phase)

    def _send(self, call):
        if not self.token:
            return
        kind, body = call
        try:
            answer = ask(f"{self.url}/v1/jobs/{self.id}/{kind}", body, self.token)
        except urllib.error.HTTPError as error:
            if error.code != 401:
                raise
            self.token = ""
            say("WARNING the backend refuses this run's token (401): it is told no more, training goes on")
            return
        self.token = answer.get("token") or self.token
        if answer.get("cancel"):
            self._stop(signal.SIGTERM)

    # what the storage gets, in the background

    def upload(self, name, epoch, body):
        """checkpoints/job-{id}/{name}; it is announced once it is complete."""
        home = f"checkpoints/job-{self.id}/"

        def send():
            self.bucket.put(home + name, body)
            if name == "best.pt" or self.checkpoint is None:
                self.checkpoint = home + name
            self.event("checkpoint", key=home + name, kind=name.removesuffix(".pt"), epoch=epoch, bytes=len(body))
            if name.startswith("epoch-"):
                kept = sorted(self.bucket.keys(home + "epoch-"), key=lambda key: (len(key), key))
                for key in kept[: -self.keep_epochs]:
                    self.bucket.delete(key)

        self.storage.put(name, send)  # while the storage is away, the newest best.pt and last.pt wait, and no more
        if name.startswith("epoch-"):
            self.storage.drop(f"epoch-{epoch - self.keep_epochs}.pt")

    def upload_sample(self, epoch, index, jpeg, truth=None, found=None):
        """A validation picture: as it is in epoch 0, later with what was found drawn on it."""
        home = f"samples/job-{self.id}/epoch-"
        where = {"key": f"{home}{epoch}/{index}.jpg", "plain": f"{home}0/{index}.jpg"}

        def send():
            self.bucket.put(where["key"], jpeg, "image/jpeg")
            if epoch:
                self.event("sample", epoch=epoch, index=index, truth=[truth], found=[found], **where)

        self.storage.put(f"{'sample' if epoch else 'plain'} {index}", send, keep=False)

    # the end

    def _fault(self, error):
        kind, message = type(error).__name__, str(error)
        if getattr(error, "errno", 0) == errno.ENOSPC or shutil.disk_usage(self.folder).free < 2**20:
            kind, message = "DiskFull", f"no space is left on the disk ({self.folder}): {error}"
        trail = "".join(traceback.format_exception(error))
        return {"type": kind, "message": message[-5_000:], "traceback": trail[-20_000:]}

    def _finish(self, status, code, fault):
        """Send what waits, for a while; then `done` and its receipt. Returns the exit code."""
        self.phase = {**self.phase, "phase": "uploading"}  # heartbeats go on
        end = time.monotonic() + (5 if status == "cancelled" else self.seconds)

        def until(least=0.0, most=math.inf):
            now = time.monotonic()
            return lambda: max(now + least, min(now + most, end, self.give_up_at))

        if not self.storage.empty(until()):
            lost = f"{' and '.join(self.storage.calls)} could not be uploaded: {self.storage.error or 'too slow'}"
            if status == "succeeded" and "best.pt" in self.storage.calls:
                status, code = ("cancelled", 128 + self.stopped_by) if self.stopped_by else ("failed", 1)
                fault = None if self.stopped_by else {"type": "CheckpointUpload", "message": lost, "traceback": ""}
            self.event("warning", f"WARNING {lost}")
        self._log(end={"succeeded": "FINISHED", "failed": "FAILED"}.get(status, "KILLED"))
        if self.mlflow and not self.mlflow.empty(until(least=1, most=10)):
            self.event("warning", f"WARNING MLflow misses the last {len(self.mlflow.calls)} entries")
        shutil.rmtree(self.folder, ignore_errors=True)
        with self.lock:
            self.told.set()
        outcome = {"checkpoint": self.checkpoint, "mlflow_run_id": self.tracking.run_id, "error": fault}
        body = self.call("done", status=status, metrics=self.metrics, **outcome)
        receipt = f"DONE {json.dumps(body)}"
        say(receipt)  # before the last wait, which may be cut short
        if self.backend and not self.backend.empty(until(least=2)):  # even where the storage took all the time
            say(f"WARNING the backend did not take the last {len(self.backend.calls)} calls: the receipt decides")
            say(receipt)
        return code
