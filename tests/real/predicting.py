"""A job with a checkpoint that behaves as a test says, and pictures to show it."""

import base64
import io
import json
import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import psutil
from PIL import Image

from tests.real.backend import TESTS, Backend
from trainyard.settings import Settings
from trainyard.storage.client import Address
from trainyard.storage.store import Store


def trainers(folder: Path, *, warm: bool = True) -> Path:
    """A folder with the probe in it, whose predict.py runs in the tests' own environment, which has boto3."""
    made = folder / "trainers"
    shutil.copytree(TESTS / "trainers" / "trainer-probe", made / "trainer-probe")
    with (made / "trainer-probe" / "trainer.toml").open("a") as file:
        file.write(f"\n[predict]\nwarm = {str(warm).lower()}\n")
    (made / "venv-probe").symlink_to(sys.prefix)
    return made


def store_of(backend: Backend) -> Store:
    given = {name.removeprefix("TRAINYARD_").lower(): backend.env[name] for name in backend.env if "_S3_" in name}
    return Store(Address.from_settings(Settings(_env_file=None, data_dir=backend.folder / "data", **given)))


def job_with(
    backend: Backend, checkpoint: bytes | dict[str, Any] | None = None, kind: str = "best", **given: Any
) -> str:
    """An ended job with this checkpoint: what its predict.py is to do."""
    job_id = backend.submit(epochs=1, **given)
    backend.wait_closed(job_id)
    put_checkpoint(backend, job_id, {"label": "pid"} if checkpoint is None else checkpoint, kind)
    return job_id


def put_checkpoint(backend: Backend, job_id: str, checkpoint: bytes | dict[str, Any], kind: str = "best") -> None:
    data = checkpoint if isinstance(checkpoint, bytes) else json.dumps(checkpoint).encode()
    store_of(backend).put_stream(f"checkpoints/job-{job_id}/{kind}.pt", [data])


def picture(
    width: int = 64, height: int = 48, format: str = "PNG", colour: tuple[int, ...] = (200, 30, 30), **given: Any
) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(file, format, **given)
    return file.getvalue()


def body(*pictures: bytes, **given: Any) -> dict[str, Any]:
    told = [{"name": f"{number}.png", "data": base64.b64encode(one).decode()} for number, one in enumerate(pictures)]
    return {"pictures": told or [{"name": "a.png", "data": base64.b64encode(picture()).decode()}], **given}


def ask(backend: Backend, job_id: str, *pictures: bytes, **given: Any) -> dict[str, Any]:
    return backend.ask("POST", f"/v1/jobs/{job_id}/predict", json=body(*pictures, **given), timeout=120)


def refused(backend: Backend, job_id: str, *pictures: bytes, **given: Any) -> tuple[int, dict[str, Any]]:
    """The status and what was said."""
    return refused_body(backend, job_id, body(*pictures, **given))


def refused_body(backend: Backend, job_id: str, wanted: object) -> tuple[int, dict[str, Any]]:
    answer = backend.http.post(f"/v1/jobs/{job_id}/predict", json=wanted, timeout=httpx2.Timeout(120))
    assert not answer.is_success, answer.text[:500]
    return answer.status_code, answer.json()["error"]


def labels(answer: dict[str, Any]) -> list[str]:
    return [one["label"] for one in answer["predictions"]]


def predictors(backend: Backend) -> list[psutil.Process]:
    """Every live process that has a predictor's home of this backend, whoever its parent is."""
    homes, found = str(backend.folder / "data" / "predictors"), []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            told = process.pid != os.getpid() and process.environ().get("HOME", "")
            if told and told.startswith(homes) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def left_in_store(backend: Backend) -> list[str]:
    return [found.key for found in store_of(backend).list("predictions/")]
