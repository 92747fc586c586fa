"""Real trainers to break: ours, and copies of them with a line or two changed; and a yard in which they run."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.contract.conftest import environment
from tests.contract.running import ROOT
from tests.contract.test_mlflow import history
from tests.faults.yard import Yard
from tests.real.backend import wait_for
from tests.real.proxy import Proxy
from tests.real.stored import store_of
from trainyard.conformance.gate import Gate
from trainyard.contract.keys import checkpoint_prefix
from trainyard.storage.client import make_client
from trainyard.storage.store import Store

Patch = tuple[str, str, str]  # in this file, this text, becomes that
LOOP = "        likely = predict(model, val_x)\n"  # the template's: its epoch is trained, and not yet measured
# epochs that take a moment; the first of them until MLflow knows of the run
WAIT = "        while epoch == 1 and job.mlflow and not job.run_id:\n            time.sleep(0.01)\n"
PACE = WAIT + "        time.sleep(0.3)\n"
PACED = [("train.py", "import os\n", "import os\nimport time\n"), ("train.py", LOOP, PACE + LOOP)]
SILENCE_SECONDS = 8  # allowed: the first import of its libraries may wait for a busy disk
# one C call works for longer than that, and keeps the interpreter's lock: no other thread runs
WORKED = f"deque(takewhile((time.monotonic() + {SILENCE_SECONDS + 6}).__gt__, iter(time.monotonic, None)), 0)"
HELD = f"        if epoch == 2:\n            {WORKED}\n"
LIBRARIES = "import os\nimport time\nfrom collections import deque\nfrom itertools import takewhile\n"
UNTRACKED = ("train.py", "import time\n", "import time\nos.environ.pop('MLFLOW_TRACKING_URI')\n")

# by framework, what they are made of
COPIES: dict[str, tuple[str, list[Patch]]] = {
    "sklearn": ("sklearn", []),
    "paced": ("template", PACED),
    "untracked": ("template", [*PACED, UNTRACKED]),
    "busy": ("template", [("train.py", "import os\n", LIBRARIES), ("train.py", LOOP, HELD + LOOP)]),
    "diverging": (
        "template",
        [
            ("trainer.toml", "default = 0.1\nmin = 0\nmax = 10\n", "default = 0.1\nmin = 0\nmax = 1e308\n"),
            ("train.py", '"LEARNING_RATE", 0.1, 0, 10)', '"LEARNING_RATE", 0.1, 0, 1e308)'),
            ("train.py", '"train") | measured\n', '"train") | measured | {"sum": np.abs(model["weights"]).sum()}\n'),
            ("train.py", 'if not np.isfinite(measured["val/loss"]):', "if False:"),  # it is to go on
        ],
    ),
}


def make_trainers(folder: Path) -> Path:
    """A folder of trainers, each with its environment beside it."""
    for framework, (origin, patches) in COPIES.items():
        source, copy = ROOT / f"trainer-{origin}", folder / f"trainer-{framework}"
        shutil.copytree(source, copy, ignore=shutil.ignore_patterns(".venv*", "__pycache__"))
        name = ("trainer.toml", f'framework = "{origin}"', f'framework = "{framework}"')
        for file, before, after in [name, *patches]:
            text = (copy / file).read_text()
            assert text.count(before) == 1, f"{copy / file} has changed: {before!r} is not in it once"
            (copy / file).write_text(text.replace(before, after))
        (folder / f"venv-{framework}").symlink_to(environment(source / "requirements.txt").parents[1])
    return folder


class Workshop(Yard):
    """Its backend and trainers reach the storage through `storage`, and trainers MLflow through `tracking`."""

    def __init__(self, folder: Path, s3: Mapping[str, str], mlflow_url: str, **settings: str) -> None:
        self.mlflow_url = mlflow_url
        self._s3_endpoint = s3["TRAINYARD_S3_ENDPOINT"]
        self.storage = Gate(self._s3_endpoint)
        host, _, port = mlflow_url.removeprefix("http://").partition(":")
        self.tracking = Proxy((host, int(port)))
        given = {
            "trainers_dir": str(make_trainers(folder / "trainers")),
            "s3_endpoint": self.storage.url,
            "mlflow_url": self.tracking.url,
            "silence_seconds": str(SILENCE_SECONDS),
            "stuck_seconds": "300",  # a machine may be busy
            "slots": "2",
        }
        super().__init__(folder, s3, **given | settings)

    @cached_property
    def bucket(self) -> Store:
        return store_of(self)

    def make_ready(self) -> "Workshop":
        self.storage.set("open")
        self.storage.upload_delay = 0
        self.tracking.obey()
        super().make_ready()
        return self

    def uploads_behind_the_gate(self) -> list[Any]:
        """While it is shut, nobody can drop them."""
        client = make_client(replace(self.store, endpoint=self._s3_endpoint))
        return list(client.list_multipart_uploads(Bucket=self.store.bucket).get("Uploads", []))

    def tidy(self) -> None:
        super().tidy()
        self.storage.close()
        self.tracking.close()

    def train(self, framework: str, **params: Any) -> str:
        body = {"framework": framework, "dataset_id": "cats-dogs-classes", "params": params}
        return str(self.ask("POST", "/v1/jobs", json=body)["id"])

    def wait_for_event(self, job_id: str, what: Callable[[dict[str, Any]], Any], seconds: float = 120) -> None:
        def look() -> bool:
            assert self.job(job_id)["state"] != "FAILED", self.log_text(job_id)[-3000:]
            return any(what(event) for event in self.events(job_id))

        wait_for("the event", look, seconds)

    def epoch_times(self, job_id: str) -> list[float]:
        """When each epoch was validated."""
        return [event["at"] for event in self.events(job_id) if event["type"] == "validation"]

    def tracked(self, job_id: str, metric: str) -> list[int]:
        """The epochs of which MLflow has this metric."""
        return [step for step, _ in history(self.mlflow_url, self.job(job_id)["mlflow_run_id"], metric)]

    def checkpoints(self, job_id: str) -> dict[str, int]:
        """Key → bytes, of all that can be seen."""
        return {stored.key: stored.size for stored in self.bucket.list(checkpoint_prefix(job_id))}

    def announced(self, job_id: str) -> dict[str, int]:
        """Key → bytes, as last told."""
        told = [event["data"] for event in self.events(job_id) if event["type"] == "checkpoint"]
        return {one["key"]: one["bytes"] for one in told}
