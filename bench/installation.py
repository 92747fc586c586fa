"""A whole installation in a folder of its own: S3, backend and MLflow as `up` starts them."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Installation:
    folder: Path
    env: dict[str, str]
    url: str
    mlflow_url: str

    @property
    def token(self) -> str:
        return (self.folder / "secrets" / "token").read_text()

    @property
    def signing_key(self) -> str:
        return (self.folder / "secrets" / "signing_key").read_text()

    def cli(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "trainyard.cli.main", *words]
        return subprocess.run(command, env=self.env, text=True, capture_output=True, check=True)


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@contextmanager
def installation(*, mlflow: bool, **settings: str) -> Generator[Installation]:
    with tempfile.TemporaryDirectory(prefix="ty-bench-") as folder:
        port, s3, tracking = free_ports(3)
        env = dict(os.environ) | {
            "TRAINYARD_DATA_DIR": folder,
            "TRAINYARD_PORT": str(port),
            "TRAINYARD_S3_PORT": str(s3),
            "TRAINYARD_MLFLOW_PORT": str(tracking),
            **{f"TRAINYARD_{name.upper()}": value for name, value in settings.items()},
        }
        made = Installation(Path(folder), env, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{tracking}")
        made.cli("up", "--detach")
        try:
            if mlflow:
                _wait(f"{made.mlflow_url}/health")
            yield made
        finally:
            made.cli("down", "--force")


def _wait(url: str) -> None:
    end = time.monotonic() + 180
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit(f"{url} did not answer")
