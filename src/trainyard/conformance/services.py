"""A real S3 server and a real MLflow for one check: on free ports, in a temporary folder, started side by side."""

import os
import random
import subprocess
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
from pydantic import SecretStr

from trainyard.conformance import pictures
from trainyard.contract.keys import dataset_key
from trainyard.contract.vocabulary import Task
from trainyard.errors import ServiceFailed
from trainyard.settings import Settings
from trainyard.stack.ports import is_free
from trainyard.stack.processes import Identity, last_lines, start, stop
from trainyard.stack.service import Command, Service
from trainyard.stack.step_1_storage import Storage
from trainyard.stack.step_3_mlflow import Mlflow
from trainyard.storage.store import Store

SHAPES = "check-shapes-{}"  # what a trainer of this task learns from
BULKY = "check-bulky-{}"  # the same, larger than the small disk
BROKEN = "check-broken"
MISSING = "check-missing"
PICTURES = ("check/ball.png", "check/box.png")  # to predict
SMALL_DISK = 1 << 20


class _Storage(Storage):
    """The stack's step, in a temporary folder whose path may be longer than a socket's may."""

    def command(self) -> Command:
        command = super().command()
        home = f"={command.cwd}{os.sep}"
        argv = [part.replace(home, "=") if "localSocket" in part else part for part in command.argv]
        return replace(command, argv=argv)


class _Mlflow(Mlflow):
    """The stack's step, in the environment that the stack has made for it."""

    def __init__(self, settings: Settings, environment: Path) -> None:
        super().__init__(settings)
        self._where = environment

    @property
    def environment(self) -> Path:
        return self._where

    def command(self) -> Command:
        command = super().command()
        argv = [part for part in command.argv if not part.startswith("--allowed-hosts")]
        return replace(command, argv=[*argv, "--allowed-hosts=*"])  # trainers come through a gate, on another port


class Services:
    """Both begin to start at once; `storage()` and `tracking()` block until theirs answers, or raise ServiceFailed."""

    def __init__(self, folder: Path, mlflow_environment: Path) -> None:
        self.folder = folder
        first = _free_run(11)
        self.settings = Settings(
            _env_file=None,  # pyright: ignore[reportCallIssue] - pydantic-settings takes it, its stub doesn't say so
            data_dir=folder,
            storage_type="minio",
            s3_endpoint="",
            s3_port=first,
            s3_access_key="check-key-3f9a7c51",
            s3_secret_key=SecretStr("check-secret-b81d52f6e0c94a73"),
            s3_bucket="check",
            mlflow_url="",
            mlflow_port=first + 10,
        )
        self._processes: list[tuple[Service, subprocess.Popen[bytes]]] = []
        self._closed = False
        steps = _Storage(self.settings), _Mlflow(self.settings, mlflow_environment)
        self._pool = ThreadPoolExecutor(2)
        self._storage: Future[Store] = self._pool.submit(self._start_storage, steps[0])
        self._mlflow: Future[str] = self._pool.submit(self._start_mlflow, steps[1])

    def storage(self) -> Store:
        """The bucket, with the datasets in it."""
        return self._storage.result()

    def tracking(self) -> str:
        """MLflow's address."""
        return self._mlflow.result()

    def close(self) -> None:
        """End both, however far they have come."""
        self._closed = True
        self._pool.shutdown(wait=True)
        for service, process in self._processes:
            with suppress(psutil.NoSuchProcess):  # it has ended by itself
                stop(Identity.of(process.pid), grace=3)
            process.wait()
            service.clean()

    def _start_storage(self, step: Service) -> Store:
        self._start(step)
        store = Store.from_settings(self.settings)
        folder = self.folder / "datasets"
        folder.mkdir()
        for task in Task:
            whole = pictures.dataset(task, folder / f"{task}.zip")
            store.put_file(dataset_key(SHAPES.format(task)), whole)
            store.put_file(
                dataset_key(BULKY.format(task)), pictures.bulky(task, folder / f"bulky-{task}.zip", 2 * SMALL_DISK)
            )
        store.put_stream(dataset_key(BROKEN), [(folder / f"{Task.CLASSIFY}.zip").read_bytes()[:3000]])
        for kind, key in enumerate(reversed(PICTURES)):
            store.put_stream(key, [pictures.one_scene(kind)])
        return store

    def _start_mlflow(self, step: Service) -> str:
        step.prepare(lambda: self._closed, rebuild=False)
        self._start(step)
        return step.url

    def _start(self, step: Service) -> None:
        command = step.command()
        process = start(command.argv, env=command.env, cwd=command.cwd, log=step.log)
        self._processes.append((step, process))
        deadline = time.monotonic() + step.start_seconds
        while not step.answers():
            if process.poll() is not None or time.monotonic() > deadline or self._closed:
                raise ServiceFailed(f"{step.title} did not start. Its last words: {last_lines(step.log)}")
            time.sleep(0.05)
        step.confirm()


def mlflow_environment(settings: Settings) -> Path:
    """Where the stack keeps MLflow's environment; it is made at the first start."""
    return Mlflow(settings).environment


def _free_run(count: int) -> int:
    """The first of so many free ports in a row, below those that the system gives away by itself."""
    numbers = random.Random()  # noqa: S311 - which ports is no secret
    for _ in range(1000):
        first = numbers.randrange(20_000, 30_000)
        if all(is_free(port) for port in range(first, first + count)):
            return first
    raise ServiceFailed(f"There are no {count} free ports in a row between 20000 and 30000 on this machine.")
