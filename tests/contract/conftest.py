"""Real storage, a recorded backend, and trainers in environments of their own, made once and kept."""

import hashlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pictures
import pytest
from botocore.config import Config
from filelock import FileLock
from recorder import Recorder
from running import JOB, ROOT, TOKEN, TRACE, Run, Starter


@dataclass(frozen=True)
class Storage:
    """A bucket of a real S3 server, and the variables that lead a trainer to it."""

    client: Any
    bucket: str
    variables: dict[str, str]

    def keys(self, prefix: str) -> list[str]:
        return [one["Key"] for one in self.client.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])]

    def has(self, key: str) -> bool:
        return key in self.keys(key)


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def wait_until(answers: Callable[[], object], process: subprocess.Popen[bytes], log: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        if answers():
            return
        time.sleep(0.05)
    raise AssertionError(f"a service did not start:\n{log.read_text(errors='replace')[-3000:]}")


def http_status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status
    except urllib.error.HTTPError as answer:
        answer.close()
        return answer.code
    except OSError:
        return 0


@pytest.fixture(scope="session")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    folder = tmp_path_factory.mktemp("s3")
    access, secret = secrets.token_hex(8), secrets.token_hex(16)
    identity = {"name": "test", "credentials": [{"accessKey": access, "secretKey": secret}], "actions": ["Admin"]}
    (folder / "keys.json").write_text(json.dumps({"identities": [identity]}))
    (folder / "data").mkdir()
    inner = ("master.port", "master.port.grpc", "filer.port", "filer.port.grpc", "volume.port", "volume.port.grpc")
    port, *others = free_ports(len(inner) + 2)
    argv = [Path(sys.executable).with_name("weed"), "mini", f"-dir={folder / 'data'}", f"-s3.config={folder / 'keys.json'}"]
    argv += ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-disableHttp", "-webdav=false", "-admin.ui=false"]
    argv += ["-master.telemetry=false", "-s3.port.iceberg=0", "-s3.port.lance=0", f"-s3.port={port}"]
    argv += [f"-{name}={number}" for name, number in zip((*inner, "s3.port.grpc"), others, strict=True)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log, cwd=folder)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: http_status(url) == 403, process, folder / "log")  # strangers are refused: the keys are loaded
        client = boto3.client(
            "s3",
            endpoint_url=url,
            aws_access_key_id=access,
            aws_secret_access_key=secret,
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 5, "mode": "standard"}),
        )
        client.create_bucket(Bucket="contract")
        names = {"ENDPOINT": url, "ACCESS_KEY": access, "SECRET_KEY": secret, "BUCKET": "contract"}
        variables = {"STORAGE_TYPE": "minio"} | {f"MINIO_{name}": value for name, value in names.items()}
        made = Storage(client, "contract", variables)
        _fill(made, folder)
        yield made
    finally:
        process.kill()
        process.wait(10)


def _fill(storage: Storage, folder: Path) -> None:
    broken = folder / "broken.zip"
    broken.write_bytes(pictures.class_folders(folder / "whole.zip").read_bytes()[:3000])
    made = {
        "shapes": pictures.class_folders(folder / "shapes.zip"),
        "unsplit": pictures.class_folders(folder / "unsplit.zip", split=False),
        "boxes": pictures.boxes(folder / "boxes.zip"),
        "slipping": pictures.slipping(folder / "slipping.zip"),
        "linking": pictures.linking(folder / "linking.zip"),
        "bombing": pictures.bombing(folder / "bombing.zip"),
        "broken": broken,
    }
    for name, path in made.items():
        storage.client.upload_file(str(path), storage.bucket, f"datasets/{name}.zip")


def environment(requirements: Path) -> Path:
    """The Python of an environment with exactly these requirements: made once, then found by their hash."""
    wanted = requirements.read_bytes() + sys.version.encode()
    cache = Path(os.getenv("TRAINYARD_TEST_CACHE") or Path.home() / ".cache" / "trainyard-tests")
    folder = cache / f"{requirements.parent.name}-{hashlib.sha256(wanted).hexdigest()[:12]}"
    cache.mkdir(parents=True, exist_ok=True)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    with FileLock(f"{folder}.lock"):
        if not (folder / "ready").exists():
            subprocess.run(["uv", "venv", "--clear", "--quiet", "--python", sys.executable, folder], check=True)
            subprocess.run(["uv", "pip", "install", "--quiet", "--python", python, "-r", requirements], check=True)
            (folder / "ready").touch()
    return python


@pytest.fixture
def backend() -> Iterator[Recorder]:
    made = Recorder().up()
    yield made
    made.down()


@pytest.fixture
def starter(storage: Storage, backend: Recorder, tmp_path: Path) -> Iterator[Callable[..., Starter]]:
    """`starter("trainer-sklearn")` gives what starts that trainer, with all variables that the platform sets."""
    running: list[Run] = []
    variables = storage.variables | {
        "CONTRACT_VERSION": "1",
        "JOB_ID": JOB,
        "TRACE_ID": TRACE,
        "ATTEMPT": "1",
        "PROJECT_ID": "default",
        "BACKEND_BASE_URL": backend.url,
        "CALLBACK_TOKEN": TOKEN,
        "DATASET_ID": "shapes",
        "EPOCHS": "3",
        "SEED": "1",
    }

    def make(trainer: str, script: str = "train.py", **more: str) -> Starter:
        python = environment(ROOT / trainer / "requirements.txt")
        return Starter(trainer, python, tmp_path, variables | more, script, running)

    yield make
    for run in running:
        if run.process.poll() is None:
            run.process.kill()
            run.process.wait()
    for key in storage.keys("checkpoints/"):
        storage.client.delete_object(Bucket=storage.bucket, Key=key)


@pytest.fixture(params=["trainer-template", "trainer-sklearn"])
def start(request: pytest.FixtureRequest, starter: Callable[..., Starter]) -> Starter:
    """Starts each of the two trainers that need no torch: what holds for them holds for whoever copies utils.py."""
    return starter(request.param)
