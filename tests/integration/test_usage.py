"""What runs use: real processes that burn CPU, hold memory and write; kept over restarts, bounded, and at no cost."""

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import sqlalchemy as sa

from tests.real.backend import Backend, wait_for
from tests.real.localruns import Runs
from tests.real.manyjobs import many_jobs, store
from trainyard.contract.vocabulary import Execution
from trainyard.db.engine import Database
from trainyard.db.tables import jobs, usage
from trainyard.executors.base import RunId, Unmeasured, Usage
from trainyard.jobs.usage import UsageSampler

GREEDY = """
import os, subprocess, sys, time
child = "import time\\nheld = bytearray(150 << 20)\\nprint('held', flush=True)\\nwhile True: sum(range(10_000))"
subprocess.Popen([sys.executable, "-c", child])
with open("big", "wb") as file:
    while True:
        file.write(os.urandom(4 << 20))
        os.fsync(file.fileno())
        time.sleep(0.05)
        if file.tell() > 200 << 20:
            file.seek(0)
"""
QUICK = {"usage_seconds": "0.2"}


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    with Runs(tmp_path) as made:
        yield made


def test_a_run_is_measured_with_all_that_it_started(runs: Runs) -> None:
    run = runs.start(GREEDY)
    runs.wait_for_line(run, "held")
    first = runs.executor.usage(run)
    assert first is not None
    assert first.cpu_percent is None  # there was no look before

    def look() -> Usage | None:
        began = time.monotonic()
        wait_for("a second of work", lambda: time.monotonic() - began > 1)
        found = runs.executor.usage(run)
        assert found is not None
        return found if found.disk_written_bytes_s else None  # a disk may be busy with others for as long

    seen = wait_for("a second in which it could write", look)
    assert seen.cpu_percent is not None
    assert 5 < seen.cpu_percent <= 100 * (psutil.cpu_count() or 1) + 50
    assert seen.memory_bytes is not None
    assert 150 << 20 < seen.memory_bytes < 1 << 30
    assert seen.disk_written_bytes_s is not None
    assert seen.disk_written_bytes_s > 1 << 20
    assert seen.disk_read_bytes_s is not None
    assert (seen.memory_limit, seen.cpus) == (psutil.virtual_memory().total, len(psutil.Process().cpu_affinity() or []))
    runs.executor.clean_up(run)
    runs.end(run)
    assert runs.executor.usage(run) is None
    assert runs.executor.usage(RunId("job-none", 1, "t")) is None


def used(backend: Backend, job_id: str, **params: Any) -> dict[str, Any]:
    return backend.ask("GET", f"/v1/jobs/{job_id}/usage", params=params)


def test_the_curves_grow_while_it_runs_and_stay_over_a_kill_and_its_end(make_backend: Callable[..., Backend]) -> None:
    backend = make_backend(**QUICK).start().with_sample()
    job_id = backend.submit(epochs=10_000)
    before = wait_for("three looks", lambda: found if len((found := used(backend, job_id))["at"]) >= 3 else None)
    assert all(len(values) == len(before["at"]) for values in before["series"].values())
    assert set(before["series"]) == {"cpu_percent", "memory_bytes", "disk_read_bytes_s", "disk_written_bytes_s"}
    assert all(value and value > 1 << 20 for value in before["series"]["memory_bytes"])
    assert (before["every"], before["note"]) == (0.2, "")
    assert before["limits"]["memory_bytes"] == psutil.virtual_memory().total
    backend.kill()
    backend.start()
    newest = before["at"][-1]
    later = wait_for("a look of the next backend", lambda: used(backend, job_id, after=newest)["at"])
    assert min(later) > newest
    backend.ask("POST", f"/v1/jobs/{job_id}/cancel")
    backend.wait_closed(job_id)
    at = used(backend, job_id)["at"]
    assert at[: len(before["at"])] == before["at"]
    assert len(at) > len(before["at"])


def test_where_there_is_nothing_it_says_why(make_backend: Callable[..., Backend]) -> None:
    backend = make_backend(usage_seconds="0", slots="1").start().with_sample()
    running = backend.submit(epochs=10_000)
    backend.wait_state(running, "RUNNING")
    assert used(backend, running) | {"limits": None} == {
        "every": 0.0,
        "at": [],
        "series": {"cpu_percent": [], "memory_bytes": [], "disk_read_bytes_s": [], "disk_written_bytes_s": []},
        "limits": None,
        "note": "Nobody looks: TRAINYARD_USAGE_SECONDS is 0.",
    }
    assert backend.http.get("/v1/jobs/job-none/usage").status_code == 404


# -- the sampler alone, with time told to it ------------------------------------------------------------------------


class _Executor:
    """Says what it is told to say, and is asked."""

    def __init__(self) -> None:
        self.says: Usage | Unmeasured | None = Usage(cpu_percent=50, memory_bytes=1 << 20)
        self.asked: list[str] = []

    def usage(self, run: RunId) -> Usage | Unmeasured | None:
        self.asked.append(run.job_id)
        return self.says


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    store(database, many_jobs(5))
    yield database
    database.close()


def run_one(database: Database) -> str:
    """One of them runs, here."""
    values = {"state": "RUNNING", "closed_at": None, "finished_at": None, "node": "here"}

    def change(conn: sa.Connection) -> str:
        job_id = conn.execute(sa.select(jobs.c.id).limit(1)).scalar_one()
        conn.execute(jobs.update().where(jobs.c.id == job_id).values(**values))
        return str(job_id)

    return database.write(change)


def sampler(database: Database, executor: _Executor, seconds: float = 10, most: int = 2_000) -> UsageSampler:
    def get(_execution: Execution) -> Any:
        return executor

    return UsageSampler(database, get, "here", seconds, most)


def test_where_nothing_runs_nothing_is_written_or_asked(database: Database) -> None:
    commits: list[int] = []
    database.writer.after_commit(lambda: commits.append(1))
    executor = _Executor()
    looks = sampler(database, executor)
    assert [looks.look(1e9 + second) for second in range(100)] == [0] * 100
    assert (commits, executor.asked) == ([], [])


def test_a_long_run_is_thinned_out_evenly_and_a_restart_goes_on_so(database: Database) -> None:
    job_id, executor = run_one(database), _Executor()
    looks, began = sampler(database, executor, most=100), 1e9
    for second in range(0, 20_000, 2):
        if second == 9_000:
            looks = sampler(database, executor, most=100)
        looks.look(began + second)
    with database.read() as conn:
        at = list(conn.execute(sa.select(usage.c.at).where(usage.c.job_id == job_id).order_by(usage.c.at)).scalars())
    apart = [later - earlier for earlier, later in itertools.pairwise(at)]
    assert 50 <= len(at) <= 100 / 0.9 + 1
    assert at[0] == began
    assert began + 20_000 - at[-1] <= 320
    assert max(apart) <= 2 * 320
    assert len(executor.asked) < 600  # of 10,000 looks: it is asked only when its turn has come


def test_an_executor_that_cannot_tell_is_quoted(database: Database) -> None:
    job_id, executor = run_one(database), _Executor()
    executor.says = Unmeasured("Nobody counts there.")
    looks = sampler(database, executor)
    assert looks.look(1e9) == 0
    assert looks.of_job(job_id).note == "Nobody counts there."
    executor.says = Usage(memory_bytes=5)
    assert looks.look(1e9 + 5) == 1
    assert (looks.of_job(job_id).note, looks.of_job(job_id).series["memory_bytes"]) == ("", [5])
