"""The trainer in Go, built once a session where its tests and the conformance kit's look for it."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

TRAINER_GO = Path(__file__).parents[1] / "trainers" / "trainer-go"


@cache
def built_trainer() -> Path:
    """The program that its trainer.toml names. Nothing is downloaded, and no C compiler is needed."""
    assert shutil.which("go"), "no Go on the PATH: apt-get install golang-go"
    program = TRAINER_GO / "trainer"
    alone = {"GOTOOLCHAIN": "local", "GOPROXY": "off", "CGO_ENABLED": "0"}
    build = ["go", "build", "-buildvcs=false", "-o", program, "."]
    subprocess.run(build, cwd=TRAINER_GO, check=True, env=os.environ | alone)
    return program
