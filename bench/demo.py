"""From `./trainyard demo` in a clean clone to the first live metric: with empty caches, then without the downloads.

The first run of each pair downloads everything into an empty cache; the second is a new clone with a new home that
finds the downloads there.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.real.installation import ROOT, free_block

BUDGET_SECONDS = {"sklearn": 30, "ultralytics": 90}


def clone(folder: Path) -> Path:
    target = folder / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(target)], check=True)
    first = free_block()
    ports = {"S3_PORT": first, "PORT": first + 10, "MLFLOW_PORT": first + 11}
    (target / ".env").write_text("".join(f"TRAINYARD_{name}={port}\n" for name, port in ports.items()))
    return target


def one_run(trainer: str, cache: Path) -> tuple[float, float]:
    """Seconds to the first epoch's line, and to the end."""
    folder = Path(tempfile.mkdtemp(prefix="ty-bench-"))
    try:
        target = clone(folder)
        env = {name: value for name, value in os.environ.items() if not name.startswith("TRAINYARD_")}
        env |= {"HOME": str(folder), "UV_CACHE_DIR": str(cache), "PYTHONDONTWRITEBYTECODE": ""}
        began, first = time.monotonic(), 0.0
        command = ["./trainyard", "demo", "--trainer", trainer]
        with subprocess.Popen(command, cwd=target, env=env, stdout=subprocess.PIPE, text=True) as demo:
            assert demo.stdout is not None
            for line in demo.stdout:
                if line.startswith("epoch") and not first:
                    first = time.monotonic() - began
        whole = time.monotonic() - began
        subprocess.run(["./trainyard", "down", "--force"], cwd=target, env=env, check=True, capture_output=True)
        if demo.returncode != 0:
            raise SystemExit(f"the demo ended with {demo.returncode}")
        return first, whole
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    rows: list[str] = []
    for trainer in sys.argv[1:] or BUDGET_SECONDS:
        with tempfile.TemporaryDirectory(prefix="ty-cache-") as cache:
            for kind in ("empty caches, downloads and all", "downloads in the cache"):
                first, whole = one_run(trainer, Path(cache))
                rows.append(f"{trainer:12} {kind:33} {first:8.0f} s {whole:8.0f} s")
    print(f"{'trainer':12} {'':33} first metric    end")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
