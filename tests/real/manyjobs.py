"""Thousands of ended jobs straight into a database, and the same jobs as a test's own list to compare with."""

import random
from dataclasses import dataclass
from typing import Any

from trainyard.db.engine import Database
from trainyard.db.migrate import upgrade
from trainyard.db.tables import jobs, projects, series

BEGAN = 1_700_000_000.0
STATES = ["SUCCEEDED"] * 6 + ["FAILED"] * 3 + ["CANCELLED"]
METRICS = ("train/loss", "val/loss", "val/accuracy", "lr")
FIXED: dict[str, Any] = {
    "request_hash": "", "notes": "", "task": "classify", "params": {"epochs": 3}, "priority": 0, "attached": False,
    "callbacks": True, "attempt": 1, "trace_id": "t", "claim": 1, "seq": 5, "phase": "", "resources": {},
    "keep_epochs": 0,
}  # fmt: skip


@dataclass(frozen=True)
class Many:
    """Rows of the two tables."""

    jobs: list[dict[str, Any]]
    series: list[dict[str, Any]]

    def metric(self, job_id: str, name: str, value: str) -> float | None:
        found = (row[value] for row in self.series if row["job_id"] == job_id and row["name"] == name)
        return next(found, None)


def many_jobs(count: int) -> Many:
    """The same ones each time; every fifth has no metrics, every seventh never started."""
    chance = random.Random(1)
    made = Many([], [])
    for number in range(count):
        job_id = f"job-20250101-{number:06}-abcd"
        state = chance.choice(STATES)
        at = BEGAN + number
        started = None if number % 7 == 3 else at + 1
        row = FIXED | {
            "id": job_id,
            "project_id": "default" if number % 10 else "other",
            "name": f"Run {chance.randrange(count)}" if number % 2 else f"run {chance.randrange(count)}",
            "tags": sorted(chance.sample(["a", "b", "c", "d"], chance.randrange(3))),
            "execution": chance.choice(["local", "k8s"]),
            "framework": chance.choice(["probe", "telling", "timm"]),
            "model": chance.choice(["tiny", "large"]),
            "dataset_id": f"ds-{chance.randrange(30)}" if number % 11 else None,
            "state": state,
            "reason": "TrainerError" if state == "FAILED" else None,
            "message": "a word, or two",
            "evidence": {"tail": "line\n" * 200} if state == "FAILED" else {},
            "created_at": at,
            "started_at": started,
            "finished_at": at + chance.random() * 1000 + 1,
            "closed_at": at + 2000,
        }
        made.jobs.append(row)
        for name in METRICS if number % 5 else ():
            value = chance.random()
            row = {"job_id": job_id, "name": name, "last": value, "last_step": 3, "min": value / 2, "min_step": 1}
            made.series.append(row | {"max": 3 * (1 - value), "max_step": 2})
    return made


def store(database: Database, many: Many) -> None:
    """Into an empty database, which gets its tables first."""
    upgrade(database)

    def put(conn: Any) -> None:
        for name in ("default", "other"):
            conn.execute(projects.insert().values(id=name, name=name, created_at=0))
        for table, rows in ((jobs, many.jobs), (series, many.series)):
            for start in range(0, len(rows), 500):
                conn.execute(table.insert(), rows[start : start + 500])

    database.write(put)
