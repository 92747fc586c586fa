"""A real backend process for tests: started, killed, started again; and asking it over HTTP."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import psutil

TESTS = Path(__file__).parents[1]
TOKEN = "test-token-test-token"
T = TypeVar("T")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: str, look: Callable[[], T | None], seconds: float = 120) -> T:
    """The first truthy answer of `look`; fails saying what never came."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:g} s for {what}; last look: {found!r}")
        time.sleep(0.02)


class Backend:
    """One installation in a folder of its own; the process may come and go."""

    def __init__(self, folder: Path, s3: Mapping[str, str], **settings: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "backend.log"
        given = {
            "TRAINYARD_DATA_DIR": str(folder / "data"),
            "TRAINYARD_TRAINERS_DIR": str(TESTS / "trainers"),
            "TRAINYARD_PORT": str(self.port),
            "TRAINYARD_TOKEN": TOKEN,
            "TRAINYARD_SLOTS": "4",
            "TRAINYARD_GRACE_SECONDS": "3",
            "TRAINYARD_MLFLOW_URL": "http://127.0.0.1:9",
            **s3,
            **{f"TRAINYARD_{name.upper()}": value for name, value in settings.items()},
        }
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("TRAINYARD_")} | given
        self.process: subprocess.Popen[bytes] | None = None
        self.http = httpx2.Client(base_url=self.url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=90)

    def start(self, *, before: str = "", wait: bool = True) -> "Backend":
        """Start the process; `before` is Python that runs in it first (to break something for real)."""
        argv = [sys.executable, "-m", "trainyard.api"]
        if before:
            argv = [
                sys.executable,
                "-c",
                f"{before}\nfrom trainyard.api.__main__ import main; raise SystemExit(main())",
            ]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(argv, env=self.env, stdout=log, stderr=log, cwd=self.folder)
        if wait:
            wait_for("the backend", self._is_ready, 120)
        return self

    def _is_ready(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"the backend ended with {self.process.returncode}:\n{self.log.read_text()[-3000:]}")
        try:
            return self.http.get("/v1/health/ready").status_code == 200
        except httpx2.TransportError:
            return False

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def wait_until_dead(self, seconds: float = 120) -> None:
        assert self.process is not None
        self.process.wait(seconds)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(120)

    def with_sample(self) -> "Backend":
        """Checked as well, so that nothing goes on beside a test that looks at events, files or processes."""
        self.ask("POST", "/v1/samples/cats-dogs-classes")
        at = "/v1/datasets/cats-dogs-classes"
        wait_for("the sample to be checked", lambda: self.ask("GET", at)["check"]["state"] == "done", 120)
        return self

    def tidy(self) -> None:
        """End the process, and whatever a failed test left running of its jobs."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.http.close()
        mark = str(self.folder / "data" / "runs")
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if mark in " ".join(process.cmdline()) or self.url == process.environ().get("BACKEND_BASE_URL"):
                    process.kill()

    def processes_of(self, job_id: str) -> list[int]:
        """Every live process that carries the job's id in its environment."""
        found: list[int] = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.status() != psutil.STATUS_ZOMBIE and process.environ().get("JOB_ID") == job_id:
                    found.append(process.pid)
        return found

    def leases(self) -> int:
        return int(self.ask("GET", "/v1/status")["slots_in_use"])

    # -- asking ----------------------------------------------------------------------------------------------------

    def ask(self, method: str, path: str, **given: Any) -> Any:
        """The answer's JSON; fails on anything but a success."""
        answer = self.http.request(method, path, **given)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content else None

    def submit(self, mode: str = "train", *, epochs: int = 3, epoch_seconds: float = 0.05, **given: Any) -> str:
        params = {"mode": mode, "epochs": epochs, "epoch_seconds": epoch_seconds}
        body = {"framework": "probe", "dataset_id": "cats-dogs-classes", "params": params, **given}
        return str(self.ask("POST", "/v1/jobs", json=body)["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        return self.ask("GET", f"/v1/jobs/{job_id}")

    def wait_state(self, job_id: str, *states: str, seconds: float = 120) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            job = self.job(job_id)
            if job["state"] in states:
                return job
            assert job["finished_at"] is None, f"ended as {job['state']} ({job['reason']}: {job['message']})"
            return None

        return wait_for(f"{job_id} to be {' or '.join(states)}", look, seconds)

    def wait_end(self, job_id: str, seconds: float = 120) -> dict[str, Any]:
        return self.wait_state(job_id, "SUCCEEDED", "FAILED", "CANCELLED", seconds=seconds)

    def wait_closed(self, job_id: str, seconds: float = 120) -> dict[str, Any]:
        """Ended, and everything of it put away."""
        return wait_for(
            f"{job_id} to be closed", lambda: job if (job := self.job(job_id))["closed_at"] else None, seconds
        )

    def log_text(self, job_id: str) -> str:
        return str(self.http.get(f"/v1/jobs/{job_id}/log", params={"limit": 8 << 20}).text)

    def events(self, job_id: str) -> list[dict[str, Any]]:
        return list(self.ask("GET", f"/v1/jobs/{job_id}/events", params={"limit": 1000})["items"])

    def curve(self, job_id: str, name: str) -> list[float]:
        return list(self.ask("GET", f"/v1/jobs/{job_id}/metrics")["curves"][name]["values"])
