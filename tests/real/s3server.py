"""A real S3 server on free loopback ports, with keys of its own, stopped by its pid."""

import json
import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trainyard.settings import Settings
from trainyard.storage.client import Address, make_client
from trainyard.storage.store import Store


@dataclass(frozen=True)
class S3Server:
    """A real S3 server of this test session."""

    endpoint: str
    access_key: str
    secret_key: str
    pid: int

    def settings(self, data_dir: Path, **given: object) -> Settings:
        return Settings(
            _env_file=None,  # type: ignore[call-arg]
            **{
                "data_dir": data_dir,
                "s3_endpoint": self.endpoint,
                "s3_access_key": self.access_key,
                "s3_secret_key": self.secret_key,
                "s3_bucket": f"test-{secrets.token_hex(4)}",
                **given,
            },
        )


@contextmanager
def own_bucket(server: S3Server, folder: Path) -> Generator[dict[str, str]]:
    """A bucket on it as a backend's variables. Removed with all that is in it."""
    settings = server.settings(folder / "data")
    address = Address.from_settings(settings)
    Store(address).ensure_bucket()
    access_key, secret_key = settings.s3_keys
    yield {
        "TRAINYARD_S3_ENDPOINT": settings.s3_endpoint,
        "TRAINYARD_S3_ACCESS_KEY": access_key,
        "TRAINYARD_S3_SECRET_KEY": secret_key,
        "TRAINYARD_S3_BUCKET": settings.s3_bucket,
    }
    make_client(address, quick=False).delete_bucket(Bucket=address.bucket)


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def weed_command(folder: Path, keys: Path, port: int, listen: str = "127.0.0.1") -> list[str]:
    names = ["master.port", "master.port.grpc", "filer.port", "filer.port.grpc", "volume.port", "volume.port.grpc"]
    names += ["s3.port.grpc", "admin.port", "admin.port.grpc"]
    others = [number for number in free_ports(len(names) + 1) if number != port]
    ports = [f"-{name}={number}" for name, number in zip(names, others, strict=False)]
    # -disableHttp: without it the filer serves every file to anybody, keys or not
    off = ["-disableHttp", "-webdav=false", "-admin.ui=false", "-master.telemetry=false"]
    off += ["-s3.port.iceberg=0", "-s3.port.lance=0"]
    off += ["-volume.max=5000"]  # each bucket takes one at least; by itself it allows one for each free GB of the disk
    local = ["-ip=127.0.0.1", f"-ip.bind={listen}", f"-dir={folder}", f"-s3.config={keys}", f"-s3.port={port}"]
    return [str(Path(sys.executable).with_name("weed")), "mini", *local, *ports, *off]


@contextmanager
def running_s3(folder: Path, listen: str = "127.0.0.1") -> Generator[S3Server]:
    """`listen`: 0.0.0.0 where others than this machine are to reach it, too; its keys keep strangers out."""
    access, secret = secrets.token_hex(8), secrets.token_hex(16)
    identity = {"name": "test", "credentials": [{"accessKey": access, "secretKey": secret}], "actions": ["Admin"]}
    keys = folder / "keys.json"
    keys.write_text(json.dumps({"identities": [identity]}))
    (port,) = free_ports(1)
    data = folder / "data"
    data.mkdir()
    with (folder / "weed.log").open("wb") as log:
        process = subprocess.Popen(weed_command(data, keys, port, listen), stdout=log, stderr=log, cwd=folder)
    try:
        _wait_until_it_answers(f"http://127.0.0.1:{port}", process, folder / "weed.log")
        yield S3Server(f"http://127.0.0.1:{port}", access, secret, process.pid)
    finally:
        process.kill()
        process.wait(60)
        for port in re.findall(r"port(?:\.grpc)?=(\d+)", " ".join(process.args)):
            for name in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):  # where it puts them, whatever it is told
                name.unlink(missing_ok=True)


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=10).close()
            return
        except urllib.error.HTTPError as answer:
            answer.close()
            if answer.code == 403:  # it refuses strangers: keys are loaded
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"the S3 server did not start:\n{log.read_text(errors='replace')[-3000:]}")
