"""Real storage, a recorded backend, and trainers in environments of their own, made once and kept."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from filelock import FileLock

from tests.contract import pictures
from tests.contract.running import JOB, ROOT, TOKEN, TRACE, Run, Starter
from tests.real.go import built_trainer
from tests.real.s3server import S3Server, free_ports
from trainyard.conformance.gate import Gate
from trainyard.conformance.recorder import Recorder
from trainyard.executors.local.recipes import lock_of
from trainyard.stack.probe import http_status
from trainyard.uv import find_uv, uv_environment


@dataclass(frozen=True)
class Storage:
    """A bucket of a real S3 server, and the variables that lead a trainer to it."""

    client: Any
    bucket: str
    variables: dict[str, str]

    def keys(self, prefix: str) -> list[str]:
        listed = self.client.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [one["Key"] for one in listed.get("Contents", [])]

    def has(self, key: str) -> bool:
        return key in self.keys(key)


@pytest.fixture(scope="session")
def storage(s3_server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Storage:
    client = boto3.client(
        "s3",
        endpoint_url=s3_server.endpoint,
        aws_access_key_id=s3_server.access_key,
        aws_secret_access_key=s3_server.secret_key,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 5, "mode": "standard"}),
    )
    client.create_bucket(Bucket="contract")
    names = {"ENDPOINT": s3_server.endpoint, "ACCESS_KEY": s3_server.access_key, "SECRET_KEY": s3_server.secret_key}
    variables = {f"MINIO_{name}": value for name, value in names.items()} | {"MINIO_BUCKET": "contract"}
    made = Storage(client, "contract", {"STORAGE_TYPE": "minio"} | variables)
    _fill(made, tmp_path_factory.mktemp("datasets"))
    return made


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
    """The Python of an environment with exactly these requirements, from their lock: made once, found by its hash."""
    lock = lock_of(requirements)
    source = lock or requirements
    wanted = source.read_bytes() + sys.version.encode()
    cache = Path(os.getenv("TRAINYARD_TEST_CACHE") or Path.home() / ".cache" / "trainyard-tests")
    folder = cache / f"{requirements.parent.name}-{hashlib.sha256(wanted).hexdigest()[:12]}"
    cache.mkdir(parents=True, exist_ok=True)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    with FileLock(f"{folder}.lock"):
        if not (folder / "ready").exists():
            uv, env = find_uv(ROOT / ".trainyard"), uv_environment()
            assert uv, "no uv: ./trainyard installs it"
            subprocess.run([uv, "venv", "--clear", "--quiet", "--python", sys.executable, folder], check=True, env=env)
            install = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, "-r", source]
            subprocess.run([*install, *(["--require-hashes"] if lock else [])], check=True, env=env)
            (folder / "ready").touch()
    return python


class Patient(Recorder):
    """Waits for what trainers do on a machine that is busy with others."""

    def wait_for(self, what: Callable[[Recorder], Any], seconds: float = 120) -> Any:
        return super().wait_for(what, seconds)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    made = Patient().up()
    yield made
    made.close()
    assert not made.problems, "these calls break the contract"


@pytest.fixture
def gate_to_storage(storage: Storage) -> Iterator[Gate]:
    gate = Gate(storage.variables["MINIO_ENDPOINT"])
    yield gate
    gate.close()


@pytest.fixture(scope="session")
def mlflow_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_mlflow(tmp_path_factory.mktemp("mlflow")) as url:
        yield url


@contextmanager
def running_mlflow(folder: Path) -> Generator[str]:
    """A real MLflow server, in an environment of its own."""
    python = environment(ROOT / "src" / "trainyard" / "stack" / "mlflow.lock")
    (port,) = free_ports(1)
    argv = [python, "-m", "mlflow", "server", "--host=127.0.0.1", f"--port={port}", "--workers=1"]
    argv += [f"--backend-store-uri=sqlite:///{folder / 'mlflow.db'}", "--allowed-hosts=*"]
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log, cwd=folder, env=os.environ | quiet, process_group=0)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 120
        while http_status(f"{url}/health") != 200:
            assert process.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()[-3000:]
            time.sleep(0.1)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # the server and its worker
        process.wait()


MakeStarter = Callable[..., Starter]


@pytest.fixture
def starter(storage: Storage, recorder: Recorder, tmp_path: Path) -> Iterator[MakeStarter]:
    """`starter("trainer-sklearn")` gives what starts that trainer, with all variables that the platform sets."""
    running: list[Run] = []
    variables = storage.variables | {
        "CONTRACT_VERSION": "1",
        "JOB_ID": JOB,
        "TRACE_ID": TRACE,
        "ATTEMPT": "1",
        "PROJECT_ID": "default",
        "BACKEND_BASE_URL": recorder.url,
        "CALLBACK_TOKEN": TOKEN,
        "DATASET_ID": "shapes",
        "EPOCHS": "3",
        "BATCH_SIZE": "8",
        "SEED": "1",
    }

    def make(trainer: str, script: str = "train.py") -> Starter:
        requirements = ROOT / trainer / "requirements.txt"
        python = environment(requirements) if requirements.is_file() else Path(sys.executable)
        return Starter(python, ROOT / trainer / script, tmp_path, variables, running)

    yield make
    for run in running:
        if run.process.poll() is None:
            run.process.kill()
            run.process.wait()
    for key in storage.keys("checkpoints/") + storage.keys("samples/"):
        storage.client.delete_object(Bucket=storage.bucket, Key=key)


@pytest.fixture(params=["trainer-template", "trainer-sklearn"])
def start(request: pytest.FixtureRequest, starter: MakeStarter) -> Starter:
    """Each of the two trainers that need no torch."""
    return starter(request.param)


@pytest.fixture
def template(starter: MakeStarter) -> Starter:
    """The trainer that starts fastest, for what utils.py and job.py do in all of them alike."""
    return starter("trainer-template")


MakeProbe = Callable[[str], Run]


@pytest.fixture
def probe(template: Starter, tmp_path: Path) -> MakeProbe:
    """Runs a few lines as train(job), beside copies of what job.py needs: for what no real trainer does on demand."""

    def make(lines: str) -> Run:
        folder = tmp_path / "probe"
        folder.mkdir()
        for name in ("utils.py", "job.py", "samples.py", "pictures.py", "surroundings.py"):
            shutil.copy(template.script.parent / name, folder)
        body = textwrap.indent(textwrap.dedent(lines).strip(), "    ")
        script = folder / "train.py"
        head = "import time\nimport utils\nfrom job import Job"
        script.write_text(f"{head}\ndef train(job):\n{body}\nJob().run(train)\n")
        return Starter(template.python, script, tmp_path, template.variables, template.running)()

    return make


@pytest.fixture(params=["plain", "go"])
def stranger(request: pytest.FixtureRequest, starter: MakeStarter, storage: Storage) -> Iterator[Starter]:
    """Each of the two trainers that hold none of our code: one in Python's standard library alone, one in Go."""
    made = starter(f"tests/trainers/trainer-{request.param}")
    yield replace(made, command=(built_trainer(), "train")) if request.param == "go" else made
    for key in storage.keys("samples/"):
        storage.client.delete_object(Bucket=storage.bucket, Key=key)
