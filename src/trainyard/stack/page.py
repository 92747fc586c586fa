"""The web page of a checkout: built when its sources have changed. Standard library only: the bootstrap comes here too.

An installed package brings its page with it. node comes from PyPI and stays in uv's cache: nobody installs it.
"""

import importlib.util
import sys
from pathlib import Path

LOCK = Path(__file__).resolve().parent / "build.lock"


def is_current(root: Path) -> bool:
    """Whether there is nothing to build: it is built from these very sources, or this is no checkout."""
    path = root / "frontend" / "run.py"
    if not path.is_file():
        return True
    spec = importlib.util.spec_from_file_location("trainyard_page_run", path)
    assert spec is not None and spec.loader is not None
    run = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(run)
    return run.is_built()


def build_command(root: Path, uv: str) -> list[str]:
    """What builds it, quietly; for `uv_environment()`. Needs the network where its packages are not here yet."""
    alone = ["run", "--quiet", "--no-project", "--isolated", "--with-requirements", str(LOCK)]
    return [uv, *alone, "--python", sys.executable, "python", str(root / "frontend" / "run.py"), "build"]
