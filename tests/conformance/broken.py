"""Trainer-plain, broken once a clause: what is patched in a copy of it, and nothing else is wrong with that copy."""

import shutil
from pathlib import Path

from tests.contract.running import ROOT

PLAIN = ROOT / "tests" / "trainers" / "trainer-plain"

Patch = tuple[str, str, str]  # in this file, this text, becomes that

# in every copy, the sound one too: a test waits for a dead MLflow 5 s instead of 10
QUICKER: list[Patch] = [("job.py", "until(least=1, most=10)", "until(least=1, most=5)")]

_BUCKET = "        self.bucket = s3.from_environment()\n"
_PUT = "            self.bucket.put(home + name, body)\n"
_LOG = "        self._log(metrics=metrics, step=epoch)\n"
_EPOCH = '        self.call("heartbeat", keep=False, metrics=metrics, **self.phase)\n'
_RECEIPT = "        say(receipt)  # before"
_STOP = "        self.stopped_by = self.stopped_by or number\n"
_CANCELLED = "            raise Cancelled\n"
_ASK = '        return ask(f"{self.url}/api/2.0/mlflow/{path}", body)\n'
_LOOK = "look(bucket, model, keys, confidence, folder)"
_NOTHING = '{"predictions": [], "count": 0}'
_SERVE = "        serve(bucket, model, confidence, folder)\n"

_AWAY_STOPS = (
    "        try:\n    " + _ASK + "        except OSError as error:\n"
    '            if not hasattr(error, "code") and "timed out" not in str(error):\n'
    "                self.job._stop(15)\n            raise\n"
)
_HANGS = (
    "        try:\n            if epoch == 1:\n"
    '                __import__("urllib.request").request.urlopen(self.tracking.url + "/health", timeout=40).close()\n'
    "        except OSError as error:\n            say(error)\n"
)
_NEW_NUMBER = '        except TimeoutError:\n            body["seq"] += 10**6\n            raise\n'

_AGAIN = '        self.call("done", status=status, **outcome)\n'

BROKEN: dict[str, list[Patch]] = {
    "environment.alone": [
        (
            "job.py",
            _BUCKET,
            '        if os.getenv("CHECK_STRANGER"):\n            raise BadConfiguration("who?")\n' + _BUCKET,
        )
    ],
    "environment.dataset-id": [
        ("train.py", 'text("DATASET_ID", "the id of a dataset with class folders")', 'os.getenv("DATASET_ID", "")')
    ],
    "environment.storage-key": [
        ("s3.py", "[text(name, meaning) for", '[__import__("os").environ.get(name, meaning) for'),
    ],
    "environment.bad-number": [("train.py", 'number("EPOCHS", 10, 1, 10**6, int)', 'int(os.environ["EPOCHS"])')],
    "callbacks.running": [("job.py", 'self.event("running", ', 'self.event("started", ')],
    "callbacks.dataset-ready": [("train.py", 'job.event("dataset_ready", ', 'job.event("dataset", ')],
    "callbacks.order": [("job.py", "self.seq += 1", "self.seq = self.seq - 1 if self.seq else 10**6")],
    "callbacks.attempt": [("job.py", 'plain({"attempt": self.attempt, ', 'plain({"attempt": 1, ')],
    "callbacks.epochs": [("job.py", _EPOCH, "        if epoch != 2:\n    " + _EPOCH)],
    "callbacks.timer": [("job.py", "args=(beat,), daemon=True).start()", "args=(beat,), daemon=True)")],
    "callbacks.json": [
        ("outbox.py", "json.dumps(value) if isinstance(value, float)", "value if isinstance(value, float)")
    ],
    "callbacks.nan": [
        ("outbox.py", "for name, item in value.items()}", "for name, item in value.items() if item not in ODD}"),
        ("outbox.py", "def plain(value):", "ODD = (math.inf, -math.inf)\n\n\ndef plain(value):"),
    ],
    "callbacks.token": [("job.py", 'self.token = answer.get("token") or self.token', 'answer.get("token")')],
    "backend.lost-answer": [
        ("outbox.py", "final = 400", "final = isinstance(error, http.client.RemoteDisconnected) or 400")
    ],
    "backend.server-error": [("outbox.py", "400 <= code < 500", "400 <= code < 600")],
    "backend.slow-answer": [
        ("outbox.py", "timeout=10", "timeout=3 if token else 10"),
        ("job.py", "        except urllib.error.HTTPError", _NEW_NUMBER + "        except urllib.error.HTTPError"),
    ],
    "backend.away-training": [
        (
            "job.py",
            _LOG,
            _LOG + "        while self.backend.calls and not self.stopped_by:\n            time.sleep(0.01)\n",
        )
    ],
    "backend.away-delivery": [("outbox.py", "final = 400", 'final = "refused" in str(error) or 400')],
    "backend.refused-token": [("job.py", '            self.token = ""\n', "")],
    "datasets.missing": [
        ("s3.py", 'f"the storage {self.url} does not give {key}: {error}"', '"the storage is in no mood"')
    ],
    "datasets.broken": [
        ("train.py", 'f"the dataset {name} is no sound zip, upload it again: {error}"', '"cannot go on"')
    ],
    "datasets.other-task": [
        (
            "train.py",
            'f"this trainer classifies: it needs PNGs in a folder a class, found the folders {classes}"',
            '"cannot go on"',
        )
    ],
    "storage.best": [("train.py", 'job.upload("best.pt", ', 'job.upload("finest.pt", ')],
    "storage.last": [("train.py", 'job.upload("last.pt", ', 'job.upload("newest.pt", ')],
    "storage.announced": [
        ("job.py", _PUT, '            self.event("checkpoint", key=home + name, epoch=epoch)\n' + _PUT)
    ],
    "storage.keep": [
        ("job.py", "for key in kept[: -self.keep_epochs]:", "for key in []:"),
        ("job.py", 'self.storage.drop(f"epoch-{epoch - self.keep_epochs}.pt")', "pass"),
    ],
    "storage.resume": [("train.py", "model, best = resume(", "_, best = resume(")],  # it reads it, and that is all
    "storage.reset": [
        (
            "job.py",
            _PUT,
            "            try:\n    " + _PUT + "            except OSError as error:\n                say(error)\n",
        ),
        ("train.py", 'if model["accuracy"] > best:', "if best < 0:"),
    ],
    "storage.disk-full": [
        (
            "job.py",
            'kind, message = "DiskFull", f"no space is left on the disk ({self.folder}): {error}"',
            'kind, message = "Trouble", "cannot go on"',
        )
    ],
    "storage.samples": [
        ("job.py", 'put(where["key"], jpeg, "image/jpeg")', 'put(where["key"], jpeg[1:], "image/jpeg")')
    ],
    "mlflow.run": [("tracking.py", ', {"key": "trace_id", "value": TRACE}]', "]")],
    "mlflow.params": [("train.py", "    job.log_params(settings)\n", "")],
    "mlflow.metrics": [("job.py", "self._log(metrics=metrics, step=epoch)", "self._log(metrics=metrics)")],
    "mlflow.away": [("tracking.py", _ASK, _AWAY_STOPS)],
    "mlflow.hangs": [("job.py", _LOG, _LOG + _HANGS)],
    "signals.starting": [
        (
            "job.py",
            _STOP,
            '        if self.phase["phase"] == "downloading":\n            raise RuntimeError("not now")\n' + _STOP,
        )
    ],
    "signals.training": [
        (
            "job.py",
            "lambda number, _: self._stop(number)",
            # not behind the last epoch: its upload may be waited for by then, which is another clause
            'lambda number, _: self._stop(number + 100 * (number == 15 and self.phase["phase"] == "training"'
            ' and self.phase.get("progress", 0) < 1))',
        )
    ],
    "signals.uploading": [("job.py", "        self.give_up_at = min(self.give_up_at, time.monotonic() + 5)\n", "")],
    "signals.interrupt": [
        ("job.py", _CANCELLED, "            raise Cancelled if self.stopped_by == 15 else RuntimeError\n")
    ],
    "signals.answer": [("job.py", 'answer.get("cancel")', 'answer.get("cancelled")')],
    "signals.after-done": [("job.py", "        return code\n", "        return 143 if self.stopped_by else code\n")],
    "ends.success": [
        (
            "job.py",
            "sys.exit(self._finish(status, code, fault))",
            "sys.exit(self._finish(status, code, fault) or self.keep_epochs)",
        )
    ],
    "ends.receipt": [("job.py", _RECEIPT, '        say(receipt)\n        say("bye")  # before')],
    "ends.lines": [
        ("settings.py", 'print(f"[TRACE:{TRACE}] " +', 'print(f"[TRACE:{TRACE}] " * str(words).startswith("DONE ") +'),
        ("settings.py", '.replace("\\n", f"\\n[TRACE:{TRACE}] ")', ""),
    ],
    "ends.failed-code": [("job.py", '"failed", 1, self._fault(error)', '"failed", 0, self._fault(error)')],
    "ends.failed-done": [("job.py", '"traceback": trail[-20_000:]', '"traceback": ""')],
    "ends.done-once": [("job.py", _RECEIPT, _AGAIN + _RECEIPT)],
    "predict.cold": [("predict.py", f"print(json.dumps({_LOOK}))", f"print(json.dumps({_LOOK} | {_NOTHING}))")],
    "predict.warm": [("predict.py", '{"ready": True}', '{"ready": "yes"}')],
    "predict.warm-error": [("predict.py", 'answer = {"error": ', 'answer = {"fault": ')],
    "predict.warm-end": [("predict.py", _SERVE, _SERVE + "        sys.exit(5)\n")],
    "clean.files": [("job.py", _BUCKET, _BUCKET + '        (Path.home() / ".cache").mkdir(exist_ok=True)\n')],
    "clean.processes": [
        (
            "job.py",
            _BUCKET,
            _BUCKET + '        if self.keep_epochs:\n            os.spawnlp(os.P_NOWAIT, "sleep", "sleep", "60")\n',
        )
    ],
    "clean.secrets": [("job.py", 'say(f"job {self.id} starts"', 'say(f"job {self.id} starts with {self.token}"')],
}


def make_copy(folder: Path, patches: list[Patch]) -> Path:
    """A trainer-plain with these patches in this folder."""
    copy = shutil.copytree(PLAIN, folder / PLAIN.name, ignore=shutil.ignore_patterns("__pycache__"))
    for file, old, new in [*QUICKER, *patches]:
        text = (copy / file).read_text()
        assert text.count(old) == 1, f"{file} has {old!r} {text.count(old)} times"
        (copy / file).write_text(text.replace(old, new))
    return copy
