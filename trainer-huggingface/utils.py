"""What train.py calls: settings from the environment, dataset and checkpoints in S3, progress to the backend.

Every trainer holds the same copies of this file and of job, samples, pictures, predictor and surroundings; origin:
trainer-template/.
"""

import contextlib
import os
import shutil
import tempfile
import threading
import time
import zipfile
import zlib
from functools import cache
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

DOTENV = Path(__file__).with_name(".env")
if "CALLBACK_TOKEN" not in os.environ and DOTENV.is_file():  # run by hand; what is set already wins
    for line in DOTENV.read_text(encoding="utf-8").splitlines():
        name, sign, text = line.strip().removeprefix("export ").partition("=")
        if sign and not name.startswith("#"):
            os.environ.setdefault(name.strip(), text.split(" #")[0].strip().strip("'\""))

TRACE = os.getenv("TRACE_ID") or os.urandom(8).hex()
S3_NAMES = {
    "minio": ("MINIO_ENDPOINT", "MINIO_ACCESS_KEY", "MINIO_SECRET_KEY", "MINIO_BUCKET"),
    "r2": ("R2_ENDPOINT", "R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY", "R2_BUCKET"),
}
PATIENCE = {"connect_timeout": 5, "read_timeout": 30, "retries": {"mode": "standard", "total_max_attempts": 4}}
S3_CONFIG = Config(request_checksum_calculation="when_required", s3={"addressing_style": "path"}, **PATIENCE)  # for R2
current = None  # the Job that runs, set by job.py


class BadConfiguration(ValueError):
    """A variable is missing or wrong: one line says which, and the exit code is 2."""


def _say(text, file=None):
    print(f"[TRACE:{TRACE}] " + str(text).strip().replace("\n", f"\n[TRACE:{TRACE}] "), file=file, flush=True)


def check_required_env(**meanings):
    """Stop where one of these variables is missing: check_required_env(DATASET_ID="the dataset's id")."""
    for name in meanings:
        if not os.getenv(name, "").strip():
            raise BadConfiguration(f"{name} is not set: it should be {meanings[name]}")


def get_env_int(name, default, low=-1e300, high=1e300):
    return get_env_float(name, default, low, high, int)


def get_env_float(name, default, low=-1e300, high=1e300, kind=float):
    text, word = os.getenv(name, "").strip() or str(default), "a whole number" if kind is int else "a number"
    with contextlib.suppress(ValueError):
        if low <= kind(text) <= high:  # NaN isn't
            return kind(text)
    raise BadConfiguration(f"{name}={text} is not valid: it should be {word} from {low:g} to {high:g}")


@cache
def get_storage_client():
    """A boto3 client for MinIO, R2 or any other S3 server, and the bucket's name."""
    kind = os.getenv("STORAGE_TYPE") or "minio"
    if kind not in S3_NAMES:
        raise BadConfiguration(f"STORAGE_TYPE={kind} is not valid: it should be minio (any S3 server) or r2")
    meanings = ("the storage's address, http://…", "its access key", "its secret key", "its bucket")
    check_required_env(**dict(zip(S3_NAMES[kind], meanings, strict=True)))
    endpoint, key, secret, bucket = (os.environ[name] for name in S3_NAMES[kind])
    where = {"endpoint_url": endpoint, "region_name": "auto" if kind == "r2" else "us-east-1", "config": S3_CONFIG}
    return boto3.client("s3", aws_access_key_id=key, aws_secret_access_key=secret, **where), bucket  # for any thread


@contextlib.contextmanager
def _storage_for(key):
    try:
        yield get_storage_client()
    except ClientError as error:
        missing = error.response["ResponseMetadata"].get("HTTPStatusCode") == 404
        why = "it is not there; upload it, or check the id" if missing else error
        raise FileNotFoundError(f"the storage does not give {key}: {why}") from None


def download_dataset():
    """The unpacked dataset DATASET_ID: a folder of this run, or with DATASET_CACHE_DIR one that runs share."""
    check_required_env(DATASET_ID="the id of a dataset in the storage")
    key = f"datasets/{os.environ['DATASET_ID']}.zip"
    with _storage_for(key) as (client, bucket):
        etag = client.head_object(Bucket=bucket, Key=key)["ETag"].strip('"')
    folder = Path(os.getenv("DATASET_CACHE_DIR") or current.folder) / f"dataset-{etag}"  # named by its content
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix="unpacking-", dir=folder.parent))
        try:
            _unpack(download_checkpoint(key, current.folder / "dataset.zip"), fresh)
            fresh.rename(folder)
        except OSError:
            if not folder.exists():  # else another run was faster
                raise
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return folder


def _unpack(archive, folder):
    try:
        with zipfile.ZipFile(archive) as bundle:
            for entry in bundle.infolist():
                path = entry.filename.replace("\\", "/")
                if path[:1] == "/" or path[1:2] == ":" or ".." in path.split("/") or entry.external_attr >> 28 == 0o12:
                    raise ValueError(f"{entry.filename!r} points out of it")
            if sum(entry.file_size for entry in bundle.infolist()) > max(2**30, 100 * archive.stat().st_size):
                raise ValueError("it would unpack to more than 100 times its size")
            bundle.extractall(folder)
        archive.unlink()
    except (zipfile.BadZipFile, ValueError, RuntimeError, EOFError, zlib.error) as error:
        raise ValueError(f"the dataset {os.environ['DATASET_ID']} is no sound zip, upload it again: {error}") from error


def download_checkpoint(key, path):
    """Fetch an object of the storage, such as the checkpoint that RESUME_FROM names, into a file."""
    with _storage_for(key) as (client, bucket):
        client.download_file(bucket, key, str(path))
    return Path(path)


def upload_checkpoint(path, name, epoch=None, move=False):
    """Send a copy of this file (move: itself) to checkpoints/job-{id}/{name}, in the background; told once complete."""
    copy = current.folder / f"upload-{time.monotonic_ns():020}-{name}"
    (os.replace if move else shutil.copyfile)(path, copy)
    current.upload(copy, name, epoch)


def notify_status(phase, epoch=None, epochs=None, metrics=None, step=None):
    """Tell a phase, or an epoch's end with its metrics (MLflow gets them too). Raises Cancelled if asked to stop."""
    numbers, done = {name: float(value) for name, value in (metrics or {}).items()}, epoch and epochs and epoch / epochs
    current.phase = {"phase": phase, "epoch": epoch, "epochs": epochs, "step": step, "progress": done and min(1, done)}
    current.call("heartbeat", metrics=numbers, **current.phase)
    if numbers:
        current.record(epoch, epochs, numbers)
    current.check()


def send_validation_result(epoch, metrics):
    """What validation measured after this epoch; unlike a heartbeat it is kept however long the backend is away."""
    current.event("validation", epoch=epoch, metrics={name: float(value) for name, value in metrics.items()})


class Spool(threading.Thread):
    """Calls to a server that may be away: this thread sends them in order, keeps them and retries while it is."""

    def __init__(self, server, deliver, limit=10_000):
        super().__init__(daemon=True)
        self.server, self.deliver, self.limit, self.calls, self.error = server, deliver, limit, {}, None
        self.changed, self.closing = threading.Condition(), threading.Event()
        self.start()

    def put(self, key, call, keep=True):  # replaces a call that waits under the same key
        with self.changed:
            if len(self.calls) >= self.limit:
                self.calls.pop(next((old for old, (_, kept) in self.calls.items() if not kept), None), None)
            self.calls[key] = (call, keep)
            self.changed.notify()

    def run(self):
        delay = 0.25
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self.calls or self.closing.is_set())
                if not self.calls:
                    return
                key, item = next(iter(self.calls.items()))
            try:
                self.deliver(item[0])
                self.error, delay = None, 0.25
            except Exception as error:  # whatever a server does, this thread goes on
                code = getattr(error, "code", 0) or getattr(error, "get_http_status_code", int)()
                final = code in range(400, 500) and code not in (408, 429)
                if final or self.error is None:
                    _say(f"WARNING {self.server} {'refused a call' if final else 'is away, its calls wait'}: {error}")
                if not final:
                    self.error, delay = error, min(delay * 2, 15)
                    time.sleep(0.5 if self.closing.wait(delay) else 0)
                    continue
            with self.changed:
                if self.calls.get(key) is item:
                    del self.calls[key]

    def close(self):
        """Let the thread end once nothing waits any more."""
        with self.changed:
            self.closing.set()
            self.changed.notify()
