"""`up` with everything installed: seconds until S3 and the backend are ready, and what the services hold when idle.

    .venv/bin/python -m bench.up [runs]

The peer in the same run is MLflow's server alone, started with its defaults, until it answers.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.real.installation import Installation, free_block
from trainyard.stack.probe import http_status
from trainyard.stack.processes import Identity, memory, start, stop
from trainyard.stack.state import Phase

IDLE_SECONDS = 10


def until(look, seconds: float = 300) -> float:
    began = time.monotonic()
    while not look():
        if time.monotonic() - began > seconds:
            raise SystemExit("it did not come up")
        time.sleep(0.02)
    return time.monotonic() - began


def one_up(place: Installation) -> tuple[float, float]:
    """Seconds until `up --detach` returns, and from then until MLflow answers."""
    began = time.monotonic()
    place.run("up", "--detach")
    ready = time.monotonic() - began
    return ready, ready + until(lambda: place.stack.services["mlflow"].phase == Phase.READY)


def mlflow_alone(place: Installation, folder: Path) -> tuple[float, int]:
    """MLflow's server with its defaults: seconds until it answers, and its memory."""
    port = free_block()
    argv = [str(place.data / "envs/mlflow/bin/python"), "-m", "mlflow", "server", "--port", str(port)]
    process = start(argv, env=dict(os.environ), cwd=folder, log=folder / "mlflow.log")
    identity = Identity.of(process.pid)
    try:
        seconds = until(lambda: http_status(f"http://127.0.0.1:{port}/health") == 200)
        time.sleep(IDLE_SECONDS)
        return seconds, memory(identity)
    finally:
        stop(identity, grace=10)
        process.wait()


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    folder = Path(tempfile.mkdtemp(prefix="bench-up-"))
    place = Installation(folder, mlflow_url="")
    try:
        one_up(place)  # installs MLflow's environment, writes databases: not what is measured
        place.run("down")
        times = []
        for _ in range(runs):
            times.append(one_up(place))
            time.sleep(IDLE_SECONDS)
            held = {name: memory(who) for name, who in place.stack.running().items()}
            supervisor = place.stack.supervisor
            held["supervisor"] = memory(supervisor) if supervisor else 0
            place.run("down")
        peer_seconds, peer_memory = mlflow_alone(place, folder)
    finally:
        place.run("down", "--force")
    ready, late = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"{os.cpu_count()} cores, median of {runs} runs; memory is PSS after {IDLE_SECONDS} s of idling\n")
    print(f"up: backend and S3 ready      {ready:6.2f} s")
    print(f"up: MLflow answers too        {late:6.2f} s")
    print(f"MLflow alone, its defaults    {peer_seconds:6.2f} s   ({peer_seconds / ready:.1f} x up)\n")
    for name, held_bytes in held.items():
        print(f"{name:<28} {held_bytes / 1e6:7.0f} MB")
    ours = sum(value for name, value in held.items() if name != "mlflow")
    print(f"{'all but MLflow':<28} {ours / 1e6:7.0f} MB")
    print(
        f"{'MLflow alone, its defaults':<28} {peer_memory / 1e6:7.0f} MB   ({peer_memory / held['mlflow']:.1f} x ours)"
    )
    subprocess.run(["rm", "-r", str(folder)], check=True)


if __name__ == "__main__":
    main()
