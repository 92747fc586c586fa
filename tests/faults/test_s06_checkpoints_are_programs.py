"""S6: a checkpoint is a pickle, so loading one runs what its maker wrote: where, and with what in reach?"""

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.real.backend import TOKEN, Backend, wait_for
from tests.real.predicting import ask, job_with, labels, predictors, put_checkpoint, trainers

CANARIES = {
    "TRAINYARD_SIGNING_KEY": "canary-signing-key-canary",
    "AWS_SECRET_ACCESS_KEY": "canary-of-the-administrators-shell",
    "MLFLOW_TRACKING_PASSWORD": "canary-mlflow",
    "GITHUB_TOKEN": "canary-github",
}
TELL = """
import json, os, sys
told = {"pid": os.getpid(), "argv": sys.argv, "environ": dict(os.environ), "cwd": os.getcwd()}
told["open"] = [os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")]
json.dump(told, open(%r, "a")); open(%r, "a").write(chr(10))
"""


class Canary:
    """Unpickled, it writes down what the process that did so can see; then it is an ordinary checkpoint."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (TELL % (self._path, self._path),)


class Checkpoint(dict[str, Any]):
    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (list(self.items()),)


def test_s6_a_checkpoint_is_unpickled_in_its_trainers_process_without_a_secret_of_the_backend(
    make_backend: Callable[..., Backend], tmp_path: Path
) -> None:
    backend = make_backend(
        trainers_dir=str(trainers(tmp_path)), database_url=f"sqlite:///{tmp_path}/canary-database.db"
    )
    backend.env |= CANARIES
    backend.start().with_sample()
    told = tmp_path / "told"
    job_id = job_with(backend, pickle.dumps(Checkpoint(label="pid", canary=Canary(told))))
    (pid,) = labels(ask(backend, job_id))
    seen = [json.loads(line) for line in told.read_text().splitlines()]
    assert backend.process is not None
    assert [str(one["pid"]) for one in seen] == [pid]  # once, by the predictor
    assert int(pid) not in (backend.process.pid, os.getpid())
    (one,) = seen
    everything = json.dumps(one)
    for secret in (*CANARIES.values(), TOKEN, "canary-database"):
        assert secret not in everything
    assert not [name for name in one["environ"] if name.startswith(("TRAINYARD_", "CALLBACK_", "AWS_"))]
    assert one["environ"]["CUDA_VISIBLE_DEVICES"] == ""
    homes = backend.folder / "data" / "predictors"
    assert Path(one["environ"]["HOME"]).parent == homes
    assert one["environ"]["TMPDIR"] == one["environ"]["HOME"]
    assert not [path for path in one["open"] if "canary-database" in path or path.startswith(str(backend.folder))]


def test_s6_what_a_checkpoint_starts_ends_with_its_predictor(
    make_backend: Callable[..., Backend], tmp_path: Path
) -> None:
    backend = make_backend(trainers_dir=str(trainers(tmp_path))).start().with_sample()

    class Fork:
        def __reduce__(self) -> tuple[Any, ...]:
            return exec, ("import os, time\nif not os.fork(): time.sleep(3600)",)

    job_id = job_with(backend, pickle.dumps(Checkpoint(label="pid", started=Fork())))
    ask(backend, job_id)
    assert len(predictors(backend)) == 2
    put_checkpoint(backend, job_id, {"label": "pid"})
    ask(backend, job_id)
    wait_for("the one before to end with what it started", lambda: len(predictors(backend)) == 1)
