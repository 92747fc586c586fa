"""One run from `running` to `done`: signals, callbacks, heartbeat, MLflow, uploads, receipt line and exit code.

A trainer ends with `Job().run(train)`. Nothing in here waits for a server while training goes on.
"""

import errno
import functools
import itertools
import json
import math
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
import urllib.error
import urllib.request
from pathlib import Path

import surroundings
import utils
from botocore.exceptions import ClientError
from utils import TRACE, BadConfiguration, Spool, get_env_float, get_env_int, get_storage_client

# read when mlflow is imported, which happens in its spool's thread: that spool is what tries again
os.environ |= {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ENABLE_ASYNC_LOGGING": "false"}


class Cancelled(BaseException):
    """Raised in the main thread by SIGTERM, SIGINT or the backend's wish; no `except Exception` swallows it."""


class Job:
    """What a run knows of itself, and its way to the backend (call, event, warn), to MLflow (track) and to the end."""

    def __init__(self):
        self.id = os.getenv("JOB_ID") or f"local-{time.strftime('%Y%m%d-%H%M%S')}-{os.urandom(2).hex()}"
        self.url, self.token = os.getenv("BACKEND_BASE_URL", "").rstrip("/"), os.getenv("CALLBACK_TOKEN", "")
        self.attempt, self.seq, self.flush, self.entries = 1, 0, 120.0, itertools.count()
        self.phase, self.metrics, self.checkpoint, self.run_id = {"phase": "starting"}, {}, None, None
        self.pid, self.signal, self.keep = os.getpid(), 0, 0
        self.waiting, self.sending, self.shown = {}, None, set()  # checkpoints to upload, the one under way; samples
        self.is_main = int(os.getenv("RANK") or 0) == 0  # of several processes (torchrun) one speaks for all
        self.ending, self.told = threading.Event(), threading.Event()  # training is over; `done` is on its way
        self.lock = threading.RLock()  # an RLock, because a signal may interrupt its holder, the main thread
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.id}-"))  # all that is temporary; removed at the end
        self.backend = Spool("the backend", self._send) if self.url and self.token and self.is_main else None
        self.mlflow = Spool("MLflow", self._track) if os.getenv("MLFLOW_TRACKING_URI") and self.is_main else None
        self.storage = Spool("the storage", lambda work: work())
        utils.current = self

    def run(self, train):
        """Call train(job); tell its end by `done`, receipt and exit code. Does not return."""
        try:
            status, code, fault = self._outcome(train)
        except Cancelled:
            fault = _fault_of_another()
            status, code = ("failed", 1) if fault else ("cancelled", 128 + self.signal)
        self.ending.set()
        for child in multiprocessing.active_children():  # those that load data: they may hold files of the folder
            child.kill()
        if self.is_main:
            code = self._finish(status, code, fault)
        _leave("fault.json", json.dumps(fault))  # null: it was not at fault
        shutil.rmtree(self.folder, ignore_errors=True)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # all is told: neither an upload that hangs nor a second of tidying up holds the end up

    def _outcome(self, train):
        try:
            self._start()
            train(self)
        except Cancelled:
            raise
        except BaseException as error:
            if not isinstance(error, SystemExit) or error.code:  # sys.exit() without a code is a good end
                if self.signal:  # a library has made something else of Cancelled
                    raise Cancelled from error
                code = 2 if isinstance(error, BadConfiguration) else 1
                fault = _fault_of_another(1) or self._fault(error)  # another's end breaks what both share
                self.say(fault["message"].replace("\n", " ") if code == 2 else fault["traceback"], sys.stderr)
                self.ending.set()  # from here on a signal changes nothing
                return "failed", code, fault
        self.ending.set()
        return "succeeded", 0, None

    def _start(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        if os.name == "posix":  # elsewhere nobody can ask whether it lives
            _leave("pid", str(self.pid))
        off = [name for name, on in (("callbacks", self.backend), ("MLflow", self.mlflow)) if not on]
        self.say(f"job {self.id} starts" + (f" without {' and '.join(off)}: no address is set" if off else ""))
        self.attempt, self.keep = get_env_int("ATTEMPT", 1, 1), get_env_int("KEEP_EPOCHS", 0, 0)
        self.event("running", pid=self.pid)
        surroundings.tell(self)
        self.flush = get_env_float("FLUSH_SECONDS", 120, 0)
        seconds = get_env_float("HEARTBEAT_SECONDS", 10, 0.05)
        threading.Thread(target=self._beat, args=(seconds,), daemon=True).start()

    def _beat(self, seconds):
        while not self.told.wait(seconds):
            with self.lock:  # or a heartbeat could follow `done`
                if self.backend and not self.backend.calls and not self.told.is_set():  # a waiting call tells as much
                    self.call("heartbeat", **self.phase)

    def _stop(self, number, frame):
        if os.getpid() != self.pid:
            os._exit(128 + number)  # a worker forked from the trainer: its end is nobody's `done`
        first, self.signal = not self.signal, number
        if first:  # a second one finds the end under way, or a library that swallowed the first: check() is for that
            self.check()

    def check(self):
        """Raise Cancelled if this run was asked to stop: for batch loops, as a library may have swallowed the first."""
        if self.signal and not self.ending.is_set():
            raise Cancelled(signal.Signals(self.signal).name)

    def say(self, text, file=None):
        if self.is_main or file:
            utils._say(text, file)

    def event(self, type, message="", **data):
        """Tell the backend; the message, if any, is the log's too."""
        if message:
            self.say(message)
        self.call("event", type in ("validation", "checkpoint"), type=type, message=message, data=data)

    def warn(self, text):
        self.event("warning", f"WARNING {text}")

    def call(self, kind, keep=False, **body):
        """Queue one callback: its number and its place in the queue are given together, so that they agree."""
        with self.lock:
            self.seq += 1
            body = _plain({"attempt": self.attempt, "seq": self.seq, **body})
            if self.backend:
                self.backend.put(self.seq, (kind, json.dumps(body, default=str).encode()), keep)
        return body

    def _send(self, call):
        if not self.token:
            return
        head = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/v1/jobs/{self.id}/{call[0]}", call[1], head)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            if error.code != 401:
                error.msg += f" {error.read(300).decode(errors='replace')}"
                raise
            self.token = ""
            self.say("WARNING the backend refuses this run's token (401): it is told no more, training goes on")
            return
        self.token = answer.get("token") or self.token
        if answer.get("cancel") and not self.signal:
            _interrupt(signal.SIGTERM)

    def log_params(self, params):
        """The run's settings, for its log and MLflow."""
        self.say("settings: " + ", ".join(f"{name}={value}" for name, value in params.items()))
        self._log(params=params)

    def record(self, epoch, epochs, metrics):
        """An epoch's metrics, for the log, MLflow and, unless better ones follow, `done`."""
        self.say(f"epoch {epoch}/{epochs}  " + "  ".join(f"{name} {value:.4g}" for name, value in metrics.items()))
        self.metrics = metrics
        self._log(metrics=metrics, step=epoch)

    def artifact(self, path):
        """Show a file, such as a plot, with the run in MLflow. Do not change it afterwards."""
        self._log(artifact=str(path))

    def _log(self, metrics=None, params=None, step=0, artifact=None, end=None):
        if self.mlflow:
            call = metrics or {}, params or {}, step, artifact, end, time.time_ns() // 10**6
            self.mlflow.put(next(self.entries), call)

    def _track(self, call):
        import mlflow  # two seconds, which training need not wait for

        metrics, params, step, artifact, end, stamp = call
        client = mlflow.MlflowClient()
        if not self.run_id:
            name = os.getenv("MLFLOW_EXPERIMENT_NAME") or "project-default"
            known = client.get_experiment_by_name(name)
            experiment = known.experiment_id if known else client.create_experiment(name)
            mine = client.search_runs([experiment], f"tags.job_id = '{self.id}'", max_results=1)  # an earlier attempt's
            tags = {"job_id": self.id, "trace_id": TRACE}
            tags |= {"resumed_from": os.environ["RESUME_FROM"]} if os.getenv("RESUME_FROM") else {}
            run = mine[0] if mine else client.create_run(experiment, tags=tags, run_name=f"job-{self.id}")
            self.run_id = run.info.run_id
            self.event("mlflow_run", run_id=self.run_id, experiment_id=experiment)
        values = [mlflow.entities.Metric(name, value, stamp, step) for name, value in metrics.items()]
        texts = [mlflow.entities.Param(name, str(value)) for name, value in params.items()]
        client.log_batch(self.run_id, values, texts)
        if artifact:
            client.log_artifact(self.run_id, artifact)
        if end:
            client.set_terminated(self.run_id, end)

    def upload(self, copy, name, epoch):
        """Queue a checkpoint; the file is ours from here on. While the storage is away newer ones take its place."""
        if not self.is_main:
            copy.unlink()
            return
        key = f"epoch-{epoch}.pt" if name == "last.pt" and self.keep and epoch else name
        with self.lock:
            old = self.waiting.get(key) if key == name else self.waiting.pop(f"epoch-{epoch - self.keep}.pt", None)
            self.waiting[key] = copy
            if old and old != self.sending:  # what is being sent is needed to its end, however long that takes
                old.unlink(missing_ok=True)
        self.storage.put(key, functools.partial(self._upload, copy, name, epoch))

    def _upload(self, copy, name, epoch):
        with self.lock:
            if not copy.exists():  # a newer one took its place
                return
            self.sending = copy
        try:
            self._store(copy, name, epoch)
            with self.lock:
                self.waiting = {key: file for key, file in self.waiting.items() if file != copy}
        finally:
            with self.lock:
                self.sending = None
                if copy not in self.waiting.values():
                    copy.unlink(missing_ok=True)

    def _store(self, copy, name, epoch):
        client, bucket = get_storage_client()
        place, size = f"checkpoints/job-{self.id}/", copy.stat().st_size
        client.upload_file(str(copy), bucket, place + name)
        if name == "best.pt" or self.checkpoint is None:
            self.checkpoint = place + name
        self._announce(place + name, epoch, size)
        if name == "last.pt" and self.keep and epoch:
            kept = f"{place}epoch-{epoch}.pt"
            client.copy({"Bucket": bucket, "Key": place + name}, bucket, kept)  # inside the storage
            self._announce(kept, epoch, size)
            found = client.list_objects_v2(Bucket=bucket, Prefix=f"{place}epoch-").get("Contents", [])
            numbers = sorted(int(Path(one["Key"]).stem.removeprefix("epoch-")) for one in found)
            for number in [number for number in numbers if number <= epoch][: -self.keep]:
                client.delete_object(Bucket=bucket, Key=f"{place}epoch-{number}.pt")

    def inherit_best(self, key):
        """Where this run goes on from another job's checkpoint, that job's best.pt is its best so far, too: it becomes
        its own, inside the storage. False where there is none."""
        client, bucket = get_storage_client()
        own, best = f"checkpoints/job-{self.id}/best.pt", f"{key.rpartition('/')[0]}/best.pt"
        try:
            size = client.head_object(Bucket=bucket, Key=best)["ContentLength"]
        except ClientError:
            return False
        if self.is_main and best != own:
            client.copy({"Bucket": bucket, "Key": best}, bucket, own)
            self._announce(own, None, size)
        self.checkpoint = own
        return True

    def _announce(self, key, epoch, size):
        self.event("checkpoint", key=key, kind=Path(key).stem, epoch=epoch, bytes=size)

    def _fault(self, error):
        text = "".join(traceback.format_exception(error))[-20_000:]
        if getattr(error, "errno", 0) == errno.ENOSPC or shutil.disk_usage(self.folder).free < 2**20:
            return {
                "type": "DiskFull",
                "message": f"no space is left on the disk ({self.folder}): {error}",
                "traceback": text,
            }
        return {"type": type(error).__name__, "message": str(error)[-5_000:], "traceback": text}

    def _finish(self, status, code, fault):
        self.phase = {**self.phase, "phase": "uploading"}  # heartbeats go on: it may take minutes
        patient = status != "cancelled"  # whoever cancels will not wait for long
        seconds = self.flush if patient else min(self.flush, 5)
        if not self._drained(self.storage, seconds, patient):
            lost = f"{' and '.join(self.storage.calls)} could not be uploaded: {self.storage.error}"
            if status == "succeeded" and "best.pt" in self.storage.calls:
                status, code, fault = "failed", 1, {"type": "CheckpointUpload", "message": lost, "traceback": ""}
                if self.signal:
                    status, code, fault = "cancelled", 128 + self.signal, None
            self.warn(lost)
        self._log(end={"succeeded": "FINISHED", "failed": "FAILED"}.get(status, "KILLED"))
        if self.mlflow and not self._drained(self.mlflow, min(seconds, 10), patient):
            self.warn(f"MLflow misses the last {len(self.mlflow.calls)} entries: {self.mlflow.error}")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.told.set()
        end = {"checkpoint": self.checkpoint, "mlflow_run_id": self.run_id, "error": fault}
        receipt = f"DONE {json.dumps(self.call('done', True, status=status, metrics=self.metrics, **end), default=str)}"
        self.say(receipt)  # before the last flush, which may be cut short
        if self.backend and not self._drained(self.backend, seconds, patient):
            self.say(f"WARNING the backend did not take the last {len(self.backend.calls)} calls: the receipt decides")
            self.say(receipt)
        return code

    def _drained(self, spool, seconds, patient):
        """Whether all that waits was taken: in so many seconds, if patient longer while its server takes calls, and
        in 5 once the run is asked to stop."""
        end = time.monotonic() + seconds
        spool.close()
        while spool.is_alive() and (time.monotonic() < end or (patient and spool.error is None)):
            if patient and self.signal:
                patient, end = False, min(end, time.monotonic() + 5)
            spool.join(0.05)
        return not spool.calls


def _plain(value):
    """As JSON has it: NaN, Infinity and -Infinity as text."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return json.dumps(value) if isinstance(value, float) and not math.isfinite(value) else value


def _interrupt(number):
    """Wake the main thread with a signal, out of a read or a wait too."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident, number)
    else:
        signal.raise_signal(number)


def _leave(name, text):
    """Under torchrun: a word for the other processes, beside the file that torchrun names."""
    if os.getenv("TORCHELASTIC_ERROR_FILE"):
        path = Path(os.environ["TORCHELASTIC_ERROR_FILE"]).with_name(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        draft.write_text(text)
        draft.replace(path)


def _fault_of_another(patience=0.0):
    """torchrun stops all processes when one fails: then the main was not cancelled, and this is why it ends."""
    mine, give_up = os.getenv("TORCHELASTIC_ERROR_FILE"), time.monotonic() + patience
    while mine:
        others = [place for place in sorted(Path(mine).parent.parent.glob("*")) if place != Path(mine).parent]
        gone = [place for place in others if (place / "pid").exists() and not _lives(int((place / "pid").read_text()))]
        notes = [json.loads(note.read_text()) for note in (place / "fault.json" for place in others) if note.exists()]
        if faults := [fault for fault in notes if fault]:
            return faults[0]
        if killed := [place.name for place in gone if not (place / "fault.json").exists()]:
            which = f"process {killed[0]} of {os.getenv('WORLD_SIZE')}"
            text = f"{which} was killed. The system does that when memory runs out: a smaller BATCH_SIZE needs less"
            return {"type": "ProcessKilled", "message": text, "traceback": ""}
        if time.monotonic() > give_up:
            return None
        time.sleep(0.05)
    return None


def _lives(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True
