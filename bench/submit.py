"""From submitting a job to its first line, and to its end seen through the API; against plain `python script.py`.

Interleaved in one run. The trainer is one print; what is measured is everything around it.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.real.installation import Installation, installation

RUNS = 30
SCRIPT = "import sys, time; print(repr(time.time()), flush=True)\n"
TOML = """framework = "trivial"
title = "Trivial"
callbacks = false
[tasks.classify]
models = ["none"]
default_model = "none"
best_metric = "none"
[params.epochs]
type = "int"
default = 1
"""


def plain(script: Path) -> tuple[float, float]:
    start = time.time()
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    return float(done.stdout) - start, time.time() - start


def through_us(made: Installation) -> tuple[float, float]:
    start = time.time()
    job = json.loads(made.ask("POST", "/v1/jobs", {"framework": "trivial"}))["id"]
    while json.loads(made.ask("GET", f"/v1/jobs/{job}"))["finished_at"] is None:
        time.sleep(0.003)
    end = time.time()
    lines = made.ask("GET", f"/v1/jobs/{job}/log").decode().splitlines()
    first = next(float(line) for line in lines if not line.startswith("["))
    return first - start, end - start


def show(name: str, values: list[float]) -> None:
    ordered = sorted(values)
    print(f"{name:40} {statistics.median(ordered) * 1000:8.0f} {ordered[0] * 1000:8.0f} {ordered[-1] * 1000:8.0f}")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="ty-bench-") as name:
        folder = Path(name) / "trainer-trivial"
        folder.mkdir()
        (folder / "train.py").write_text(SCRIPT)
        (folder / "trainer.toml").write_text(TOML)
        with installation(Path(name), trainers_dir=name) as made:
            made.run("up", "--detach")
            through_us(made)
            pairs = [(plain(folder / "train.py"), through_us(made)) for _ in range(RUNS)]
    print(f"{RUNS} pairs, ms                                median      min      max")
    show("python script.py → first line", [a[0] for a, _ in pairs])
    show("submit → first line", [b[0] for _, b in pairs])
    show("  more than plain python", [b[0] - a[0] for a, b in pairs])
    show("python script.py → end", [a[1] for a, _ in pairs])
    show("submit → end seen through the API", [b[1] for _, b in pairs])
    show("  more than plain python", [b[1] - a[1] for a, b in pairs])


if __name__ == "__main__":
    main()
