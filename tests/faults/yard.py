"""An installation to break things in: a backend of little patience whose trainers reach it through a proxy."""

import json
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx2
import psutil
import sqlalchemy as sa

from tests.real.backend import TESTS, Backend, wait_for
from tests.real.proxy import Proxy
from trainyard.callbacks.token import Tokens
from trainyard.executors.local.run_folder import RunFolder
from trainyard.settings import load_settings
from trainyard.storage.client import Address, make_client

SILENCE, STUCK, GRACE = 3.0, 12.0, 1.0


class Yard(Backend):
    def __init__(self, folder: Path, s3: Mapping[str, str], **settings: str) -> None:
        self.proxy = Proxy(("127.0.0.1", 0))
        given = {
            "url": self.proxy.url,
            "silence_seconds": str(SILENCE),
            "stuck_seconds": str(STUCK),
            "grace_seconds": str(GRACE),
            "heartbeat_seconds": "0.5",
            "slots": "12",
            "gpus": "0",  # one, that only jobs ask for which are to wait for each other
        }
        super().__init__(folder, s3, **given | settings)
        self.proxy.target = ("127.0.0.1", self.port)

    def start(self, *, before: str = "", wait: bool = True) -> "Yard":
        """With the points of points.py in it."""
        points = f"import sys\nsys.path.insert(0, {str(TESTS.parent)!r})\nimport tests.faults.points\n"
        super().start(before=points + before, wait=wait)
        return self

    def crash_at(self, point: str) -> None:
        """The backend dies as soon as it comes to this point."""
        (self.folder / f"{point}.crash").touch()

    @contextmanager
    def held_at(self, point: str) -> Generator[Callable[[], bool]]:
        """The backend stops at this point until the block is left; gives a look whether it did."""
        hold, reached = self.folder / f"{point}.hold", self.folder / f"{point}.reached"
        reached.unlink(missing_ok=True)  # left where it was touched while the block before was left
        hold.touch()
        try:
            yield reached.exists
        finally:
            hold.unlink()
            reached.unlink(missing_ok=True)

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def make_ready(self) -> "Yard":
        """Running, obedient and idle, whatever the test before left."""
        self.proxy.obey()
        if not self.is_running():
            self.start()
        open_jobs = self.ask("GET", "/v1/jobs", params={"state": "PENDING,QUEUED,RUNNING", "limit": 200})["items"]
        for job in open_jobs:
            self.ask("POST", f"/v1/jobs/{job['id']}/cancel")
        for job in open_jobs:
            self.wait_closed(job["id"])
        return self

    def tidy(self) -> None:
        super().tidy()
        self.proxy.close()
        while left := [process for process in psutil.process_iter() if self._is_ours(process)]:
            for process in left:  # until there are none: one may just have been starting another
                with suppress(psutil.Error):
                    process.kill()
            psutil.wait_procs(left, timeout=1)

    def _is_ours(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error):
            alive = process.status() != psutil.STATUS_ZOMBIE
            return alive and process.environ().get("BACKEND_BASE_URL") == self.proxy.url
        return False

    def submit(
        self,
        mode: str = "train",
        *,
        epochs: int = 3,
        epoch_seconds: float = 0.05,
        gate: Path | None = None,
        patience: float = 120,
        gpus: int = 0,
        key: str | None = None,
        **given: Any,
    ) -> str:
        params = {"mode": mode, "epochs": epochs, "epoch_seconds": epoch_seconds, "patience": patience}
        params["gate"] = str(gate or "")
        body = {"framework": "probe", "dataset_id": "cats-dogs-classes", "params": params, "gpus": gpus}
        headers = {"Idempotency-Key": key} if key else {}
        return str(self.ask("POST", "/v1/jobs", json=body | given, headers=headers)["id"])

    # -- below the API ---------------------------------------------------------------------------------------------

    @property
    def database(self) -> str:
        return self.env.get("TRAINYARD_DATABASE_URL") or f"sqlite:///{self.folder / 'data' / 'trainyard.db'}"

    def rows(self, query: sa.Select[Any]) -> list[Any]:
        """What stands in the database itself."""
        engine = sa.create_engine(self.database)
        try:
            with engine.connect() as conn:
                return list(conn.execute(query).all())
        finally:
            engine.dispose()

    @cached_property
    def store(self) -> Address:
        given = {name.removeprefix("TRAINYARD_").lower(): value for name, value in self.env.items() if "_S3_" in name}
        return Address.from_settings(load_settings(_env_file=None, data_dir=self.folder / "data", **given))

    @cached_property
    def _s3(self) -> Any:
        return make_client(self.store)

    def open_uploads(self) -> list[Any]:
        return list(self._s3.list_multipart_uploads(Bucket=self.store.bucket).get("Uploads", []))

    def tokens(self, lifetime: float = 3600) -> Tokens:
        return Tokens((self.folder / "data" / "secrets" / "signing_key").read_text().strip(), lifetime)

    def call(self, job_id: str, kind: str, *, token: str | None = None, **body: Any) -> httpx2.Response:
        """A callback as the job's trainer would send it."""
        headers = {"Authorization": f"Bearer {token or self.tokens().sign(job_id, 1)}"}
        return self.http.post(f"/v1/jobs/{job_id}/{kind}", headers=headers, json={"attempt": 1, **body})

    def run_folder(self, job_id: str) -> RunFolder:
        return RunFolder(self.folder / "data" / "runs" / job_id / "a1")

    def shim(self, job_id: str) -> psutil.Process:
        record = wait_for("who supervises it", self.run_folder(job_id).shim)
        return psutil.Process(record.pid)

    def trainer(self, job_id: str) -> psutil.Process:
        """The process that runs train.py."""

        def look() -> int | None:  # it may speak before its supervisor has noted its pid
            record = self.run_folder(job_id).shim()
            return record and record.child

        return psutil.Process(wait_for("the trainer's pid", look))

    def starts(self, job_id: str) -> int:
        """How often the job's trainer was started."""
        return self.log_text(job_id).count("probe starts")

    def doctor_shim(self, job_id: str, **changes: Any) -> None:
        """Write something false into the record of who supervises the run."""
        path = self.run_folder(job_id).path / "shim.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))
