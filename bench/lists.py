"""The job list and the job page with 10,000 jobs in the database: time at the server for each, on SQLite."""

import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.real.installation import Installation, installation
from trainyard.contract.keys import new_job_id
from trainyard.db.engine import Database
from trainyard.db.migrate import upgrade
from trainyard.db.tables import events, jobs, points, projects, series

JOBS, EPOCHS, METRICS, RUNS = 10_000, 10, 6, 100
SUMMARY = {"last": 0.5, "last_step": EPOCHS, "min": 0.1, "min_step": 1, "max": 0.9, "max_step": 4}
STATES = ["SUCCEEDED", "SUCCEEDED", "SUCCEEDED", "FAILED", "CANCELLED"]


def fill(path: Path) -> list[str]:
    """10,000 ended jobs, each with 10 epochs of 6 metrics and its events: 600,000 points, 140,000 events."""
    database = Database(f"sqlite:///{path}")
    upgrade(database)
    rng, now = random.Random(1), time.time()
    ids = [f"{new_job_id('job')}{number:05d}"[:40] for number in range(JOBS)]

    def store(conn: sa.Connection) -> None:
        conn.execute(projects.insert().values(id="default", name="Default", created_at=now))
        for start in range(0, JOBS, 1000):
            part = [(number, ids[number]) for number in range(start, start + 1000)]
            keyed = [(number * METRICS + metric + 1, job, metric) for number, job in part for metric in range(METRICS)]
            conn.execute(jobs.insert(), [_job(job, now - JOBS + number, rng) for number, job in part])
            conn.execute(
                series.insert(), [{"id": key, "job_id": job, "name": f"m/{m}"} | SUMMARY for key, job, m in keyed]
            )
            told = [(key, step) for key, _, _ in keyed for step in range(EPOCHS)]
            conn.execute(points.insert(), [_point(key, step, now) for key, step in told])
            conn.execute(events.insert(), [_event(job, seq, now) for _, job in part for seq in range(14)])

    database.write(store)
    database.close()
    return ids


def _point(key: int, step: int, at: float) -> dict[str, Any]:
    return {"series_id": key, "step": step, "value": 1 / (step + 1), "at": at}


def _job(job_id: str, at: float, rng: random.Random) -> dict[str, Any]:
    state = rng.choice(STATES)
    return {
        "id": job_id, "project_id": "default", "request_hash": "", "name": f"yolo11n {job_id[-5:]}",
        "tags": [rng.choice(["a", "b", "c"])], "notes": "", "execution": "local", "task": "classify", "model": "mlp",
        "framework": rng.choice(["sklearn", "timm"]), "dataset_id": rng.choice(["digits", "cats"]),
        "params": {"epochs": EPOCHS}, "priority": 0, "attached": False, "callbacks": True, "state": state,
        "attempt": 1, "reason": "Completed", "message": "", "evidence": {}, "trace_id": "t", "claim": 1, "seq": 14,
        "phase": "", "created_at": at, "started_at": at, "finished_at": at + 60, "closed_at": at + 61,
    }  # fmt: skip


def _event(job_id: str, seq: int, at: float) -> dict[str, Any]:
    told = {"project_id": "default", "job_id": job_id, "at": at, "type": "heartbeat", "attempt": 1, "seq": seq}
    return told | {"message": "", "data": {"epoch": seq, "metrics": {"m/1": 0.5}}}


def timed(made: Installation, path: Callable[[], str]) -> list[float]:
    taken: list[float] = []
    for _ in range(RUNS):
        wanted = path()
        start = time.perf_counter()
        json.loads(made.ask("GET", wanted))
        taken.append((time.perf_counter() - start) * 1000)
    return sorted(taken)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="ty-bench-") as folder:
        path = Path(folder) / "filled.db"
        ids = fill(path)
        print(f"{JOBS:,} jobs, {JOBS * METRICS * EPOCHS:,} points, {path.stat().st_size >> 20} MB")
        with installation(Path(folder), database_url=f"sqlite:///{path}") as made:
            made.run("up", "--detach")
            rng = random.Random(2)
            pages: dict[str, Callable[[], str]] = {
                "newest 50": lambda: "/v1/jobs?limit=50",
                "50 from the middle": lambda: f"/v1/jobs?limit=50&before={time.time() - JOBS / 2:.3f}_zzz",
                "failed, one framework": lambda: "/v1/jobs?state=FAILED&framework=timm",
                "by tag": lambda: "/v1/jobs?tag=b",
                "search, few hits": lambda: f"/v1/jobs?search={rng.randrange(JOBS):05d}",
                "one job": lambda: f"/v1/jobs/{rng.choice(ids)}",
                "its curves": lambda: f"/v1/jobs/{rng.choice(ids)}/metrics",
                "its events": lambda: f"/v1/jobs/{rng.choice(ids)}/events",
            }
            print(f"{'page':26} median ms   p95 ms   max ms")
            for name, make in pages.items():
                taken = timed(made, make)
                print(f"{name:26} {statistics.median(taken):9.1f} {taken[int(RUNS * 0.95)]:8.1f} {taken[-1]:8.1f}")


if __name__ == "__main__":
    main()
