"""frontend/run.py, for tests: the page's own scripts with the node of the tests' packages."""

import functools
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FRONTEND = ROOT / "frontend"


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(FRONTEND / "run.py"), *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=280,
    )


@functools.cache
def built(folder: Path) -> Path:
    """The page, built from the present sources into a folder."""
    made = run("build", PAGE_OUT=str(folder))
    assert made.returncode == 0, made.stdout + made.stderr
    return folder
