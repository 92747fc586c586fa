"""A real trainer from its training to its predictions, warm and as a program of its own: both see the same."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.contract.conftest import environment
from tests.real.backend import Backend
from tests.real.installation import ROOT
from tests.real.predicting import ask, picture, store_of
from trainyard.contract.environment import storage_variables
from trainyard.executors.local.variables import base_environment


def test_a_trained_checkpoint_sees_the_same_warm_and_cold(make_backend: Callable[..., Backend], tmp_path: Path) -> None:
    trainers = tmp_path / "trainers"
    trainers.mkdir()
    trainer = trainers / "trainer-template"
    trainer.symlink_to(ROOT / "trainer-template")
    python = environment(ROOT / "trainer-template" / "requirements.txt")
    (trainers / "venv-template").symlink_to(python.parents[1])
    backend = make_backend(trainers_dir=str(trainers)).start().with_sample()
    job_id = backend.submit(framework="template", params={"epochs": 2})
    assert backend.wait_closed(job_id, 120)["state"] == "SUCCEEDED"

    first, second = ask(backend, job_id, picture()), ask(backend, job_id, picture(), confidence=0)
    assert (first["warm"], second["warm"]) == (False, True)
    (one,) = second["predictions"]
    assert one["label"] in ("cat", "dog")
    assert one["scores"][one["label"]] == one["confidence"]

    store = store_of(backend)
    store.put_stream("predictions/by-hand.png", [picture()])
    where = store.address
    cold = subprocess.run(
        [python, trainer / "predict.py"],
        env=base_environment(os.environ)
        | storage_variables("minio", where.endpoint, where.access_key, where.secret_key, where.bucket)
        | {"CHECKPOINT": second["checkpoint"], "INPUT": "predictions/by-hand.png", "CONFIDENCE": "0"},
        capture_output=True,
        check=True,
    )
    (same,) = json.loads(cold.stdout.splitlines()[-1])["predictions"]
    assert (same["label"], same["confidence"], same["scores"]) == (one["label"], one["confidence"], one["scores"])
    store.delete("predictions/by-hand.png")
