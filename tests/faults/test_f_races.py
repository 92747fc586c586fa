"""Two want to change a job at the same moment: whoever is second changes nothing, and what is told is true."""

import asyncio
import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.faults.invariants import closed, states
from tests.faults.yard import GRACE, Yard
from tests.real.backend import TESTS, wait_for
from tests.unit.jobs_made import LIMITS, a_job
from trainyard.callbacks.service import Call, CallbackService
from trainyard.callbacks.token import Tokens
from trainyard.contract.callbacks import Done, Event, Heartbeat
from trainyard.contract.vocabulary import DoneStatus, Execution, Reason, State
from trainyard.db.engine import Database
from trainyard.db.migrate import upgrade
from trainyard.db.tables import events, projects
from trainyard.events import metrics
from trainyard.executors.base import Alive
from trainyard.jobs import repository
from trainyard.jobs.checkpoints import Checkpoints
from trainyard.jobs.decide import decide
from trainyard.jobs.launch import apply_ending
from trainyard.jobs.model import Job
from trainyard.jobs.service import JobService
from trainyard.jobs.trainers import Catalog
from trainyard.jobs.transition import Ending
from trainyard.storage.client import Address
from trainyard.storage.store import Store

DEAD = Ending(State.FAILED, Reason.KILLED, "It was killed.")
TOKENS = Tokens("a-signing-key-for-tests-that-is-long-enough", 3600)


class Racers:
    """What changes a job, on one database; on PostgreSQL the trainers' calls come in at another backend."""

    def __init__(self, url: str) -> None:
        self.here = Database(url)
        upgrade(self.here)
        self.here.write(lambda conn: conn.execute(projects.insert().values(id="default", name="", created_at=0)))
        self.there = self.here if self.here.is_sqlite else Database(url)
        self.calls = CallbackService(self.there, TOKENS)
        self.numbers = itertools.count()
        checkpoints = Checkpoints(Store(Address("", "", "", "", "")), self.here)
        catalog = Catalog(TESTS / "trainers")
        self.jobs = JobService(self.here, catalog, checkpoints, Execution.LOCAL, lambda _: None, lambda: None)

    def close(self) -> None:
        for database in {self.here, self.there}:
            database.close()

    def store(self, number: int, **values: Any) -> Job:
        job = a_job(id=f"job-20261121-101112-{number:04d}", request_hash="", **values)
        self.here.write(lambda conn: repository.insert(conn, asdict(job) | {"resources": {}}))
        return job

    def job(self, job_id: str) -> Job:
        with self.here.read() as conn:
            return repository.get(conn, job_id)

    def take(self, job: Job, *calls: Call) -> list[State]:
        """The states that these calls are answered with; all of them are sent at once."""

        async def send() -> list[State]:
            token = TOKENS.sign(job.id, 1)
            return [
                answer.state for answer in await asyncio.gather(*(self.calls.take(job.id, token, c) for c in calls))
            ]

        return asyncio.run(send())

    def end(self, job: Job, ending: Ending) -> bool:
        """As the reconciler does it: by what it knew of the job when it looked."""
        return self.here.write(lambda conn: apply_ending(conn, job, ending))

    def told(self, job: Job) -> list[tuple[str, dict[str, Any]]]:
        query = sa.select(events.c.type, events.c.data).where(events.c.job_id == job.id).order_by(events.c.id)
        with self.here.read() as conn:
            return [(row.type, row.data) for row in conn.execute(query)]

    def states(self, job: Job) -> list[str]:
        return [data["to"] for kind, data in self.told(job) if kind == "state"]


@pytest.fixture
def racers(database_url: str) -> Iterator[Racers]:
    found = Racers(database_url)
    yield found
    found.close()


def at_once(seed: int, *racing: Callable[[], Any]) -> list[Any]:
    """Let them start together, but for a random moment each."""
    barrier, chance = threading.Barrier(len(racing)), random.Random(seed)
    pauses = [chance.choice((0.0, chance.random() * 0.003)) for _ in racing]

    def start(one: Callable[[], Any], pause: float) -> Any:
        barrier.wait(60)
        time.sleep(pause)
        return one()

    with ThreadPoolExecutor(len(racing)) as pool:
        return [one.result() for one in [pool.submit(start, *pair) for pair in zip(racing, pauses, strict=True)]]


def test_f19_cancel_races_done_and_the_death_of_the_process(racers: Racers) -> None:
    for seed in range(500):
        chance = random.Random(seed)
        job = racers.store(seed, state=chance.choice((State.QUEUED, State.RUNNING)))
        done = Done(attempt=1, seq=9, status=chance.choice(list(DoneStatus)))
        racing: list[Callable[[], Any]] = [
            lambda j=job: racers.jobs.cancel(j.id),
            lambda j=job, d=done: racers.take(j, d),
        ]
        if seed % 2:
            racing.append(lambda j=job: racers.end(j, DEAD))
        cancelled, (answered,), *reaped = at_once(seed, *racing)
        check_the_truth(racers, job, done, cancelled, answered, bool(reaped and reaped[0]))


def check_the_truth(racers: Racers, job: Job, done: Done, cancelled: Job, answered: State, reaped: bool) -> None:
    after, told = racers.job(job.id), racers.told(job)
    ends = [number for number, (kind, data) in enumerate(told) if kind == "state" and State(data["to"]).is_terminal]
    asked = [number for number, (kind, _) in enumerate(told) if kind == "cancel_requested"]
    assert len(ends) == 1, told
    assert answered == after.state
    assert cancelled.state in (after.state, State.QUEUED, State.RUNNING)
    assert all(number < ends[0] for number in asked), "asked to stop what had ended"
    by_user = Reason.CANCELLED_BY_USER if asked else Reason.CANCELLED_BY_SIGNAL
    expected = {
        DoneStatus.SUCCEEDED: (State.SUCCEEDED, Reason.COMPLETED),
        DoneStatus.FAILED: (State.FAILED, Reason.TRAINER_ERROR),
        DoneStatus.CANCELLED: (State.CANCELLED, by_user),
    }[done.status]
    assert (after.state, after.reason) == ((State.FAILED, Reason.KILLED) if reaped else expected)


def test_f19_what_a_real_trainer_said_last_is_what_its_job_ended_as(yard: Yard) -> None:
    chance = random.Random(19)
    ids = [yard.submit(epochs=2, epoch_seconds=0.1) for _ in range(8)]

    def cancel_sometime(job_id: str) -> None:
        wait_for("its start", lambda: yard.job(job_id)["started_at"])
        time.sleep(chance.random() * 0.3)
        yard.ask("POST", f"/v1/jobs/{job_id}/cancel")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(cancel_sometime, ids))
    for job_id in ids:
        job = closed(yard, job_id)
        last = [line for line in yard.log_text(job_id).splitlines() if "] DONE {" in line][-1:]
        told = [event["data"] for event in yard.events(job_id) if event["type"] == "done"]  # killed before its line
        said = json.loads(last[0].partition(" DONE ")[2]) if last else (told or [{"status": "cancelled"}])[-1]
        assert job["state"] == said["status"].upper()


def test_f24_the_reaper_meets_a_late_first_heartbeat(racers: Racers) -> None:
    for seed in range(200):
        job = racers.store(seed, state=State.QUEUED, started_at=None, seen_at=None, launched_at=time.time() - 95)
        limits = replace(LIMITS, since=0.0)
        lost = decide(job, Alive(started_at=time.time() - 95, busy=False), time.time(), limits)
        assert isinstance(lost, Ending)
        ended, (answered,) = at_once(
            seed, lambda j=job, e=lost: racers.end(j, e), lambda j=job: racers.take(j, Heartbeat(attempt=1, seq=1))
        )
        expected = [State.FAILED] if ended else [State.RUNNING]
        assert racers.states(job) == expected == [answered] == [racers.job(job.id).state]


CALLS: list[Call] = [
    Event(attempt=1, seq=1, type="running"),
    *(
        Heartbeat(attempt=1, seq=seq, epoch=seq - 1, metrics={"loss": 1 / seq, "odd": float("nan")})
        for seq in range(2, 7)
    ),
    Event(attempt=1, seq=7, type="validation", data={"epoch": 3, "metrics": {"map": 0.5}}),
    Event(attempt=1, seq=8, type="checkpoint", data={"key": "of another job"}),
    Heartbeat(attempt=1, seq=9),
    Done(attempt=1, seq=10, status=DoneStatus.SUCCEEDED, mlflow_run_id="run"),
]


SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]  # a machine may be busy


@settings(max_examples=40, deadline=None, suppress_health_check=SLOW, database=None)
@given(order=st.permutations(CALLS), again=st.lists(st.sampled_from(CALLS), max_size=6), together=st.integers(1, 6))
def test_f17_calls_in_any_order_and_number_lead_to_the_same_end(
    racers: Racers, order: list[Call], again: list[Call], together: int
) -> None:
    job = racers.store(next(racers.numbers), state=State.QUEUED)
    arriving = [*order, *again]
    for start in range(0, len(arriving), together):
        racers.take(job, *arriving[start : start + together])
    after = racers.job(job.id)
    assert (after.state, after.reason, after.progress, after.mlflow_run_id) == ("SUCCEEDED", "Completed", 1.0, "run")
    assert after.checkpoint is None
    assert racers.states(job) in (["RUNNING", "SUCCEEDED"], ["SUCCEEDED"])
    kinds = sorted(kind for kind, _ in racers.told(job) if kind != "state")
    assert kinds == ["checkpoint", "done", *["heartbeat"] * 6, "running", "validation"]
    with racers.here.read() as conn:
        curves = metrics.curves(conn, job.id, [], 100)
        (summary,) = metrics.summaries(conn, [job.id]).values()
    assert curves["loss"] == {"steps": [1, 2, 3, 4, 5], "values": [1 / seq for seq in range(2, 7)]}
    assert (curves["odd"]["values"], curves["map"]["steps"]) == (["NaN"] * 5, [3])
    assert (summary["loss"]["last"], summary["loss"]["max"], summary["odd"]["last"]) == (1 / 6, 1 / 2, "NaN")


def test_f20_a_job_cancelled_while_pending_never_starts(yard_on: Yard) -> None:
    with yard_on.held_at("stored") as is_held:  # the dispatcher knows it, and goes on once it is cancelled
        job_id = yard_on.submit()
        wait_for("the point", is_held)
        assert yard_on.job(job_id)["state"] == "PENDING"
        assert yard_on.ask("POST", f"/v1/jobs/{job_id}/cancel")["state"] == "CANCELLED"
    check_never_started(yard_on, job_id, ["PENDING", "CANCELLED"])


def test_f20_a_job_cancelled_while_queued_never_starts(yard_on: Yard) -> None:
    first = yard_on.submit(epochs=100_000, gpus=1)
    job_id = yard_on.submit(gpus=1)
    yard_on.wait_state(job_id, "QUEUED")
    assert yard_on.ask("POST", f"/v1/jobs/{job_id}/cancel")["state"] == "CANCELLED"
    yard_on.ask("POST", f"/v1/jobs/{first}/cancel")
    closed(yard_on, first)
    check_never_started(yard_on, job_id, ["PENDING", "QUEUED", "CANCELLED"])


def check_never_started(yard: Yard, job_id: str, expected: list[str]) -> None:
    job = closed(yard, job_id)
    assert (job["reason"], job["launched_at"]) == ("CancelledByUser", None)
    assert states(yard, job_id) == expected
    assert not yard.run_folder(job_id).path.exists()


@pytest.mark.parametrize("point", ["claimed", "prepared", "born", "launched"])
def test_f20_a_job_cancelled_during_its_launch_leaves_nothing(yard_on: Yard, point: str) -> None:
    with yard_on.held_at(point) as is_held:
        job_id = yard_on.submit(epochs=1, epoch_seconds=300)  # no heartbeat whose answer could tell it
        wait_for("the point", is_held)
        assert yard_on.ask("POST", f"/v1/jobs/{job_id}/cancel")["cancelling"]
    at = time.monotonic()
    job = closed(yard_on, job_id)
    assert (job["state"], job["reason"]) == ("CANCELLED", "CancelledByUser")
    assert time.monotonic() - at < GRACE + 10


def test_f20_launches_that_hang_hold_up_neither_ends_nor_cancels(yard: Yard, tmp_path: Path) -> None:
    ends = yard.submit(epochs=40, gate=tmp_path / "gate")
    yard.wait_state(ends, "RUNNING")
    with yard.held_at("claimed") as is_held:
        (tmp_path / "gate").touch()
        hang = [yard.submit(epochs=100_000) for _ in range(9)]
        wait_for("the point", is_held)
        assert closed(yard, ends)["state"] == "SUCCEEDED"
        for job_id in hang:
            yard.ask("POST", f"/v1/jobs/{job_id}/cancel")
    for job_id in hang:
        assert closed(yard, job_id)["state"] == "CANCELLED"


def test_f49_one_gpu_has_one_holder_and_is_freed_on_every_way_out(yard: Yard) -> None:
    modes = ["train", "crash", "config", "no-done", "import", "receipt-only", "train", "cancel", "kill", "train"]
    endless = {"cancel": 100_000, "kill": 100_000}
    ids = [yard.submit(mode, epochs=endless.get(mode, 1), gpus=1) for mode in modes]
    for mode, job_id in zip(modes, ids, strict=True):
        if mode in ("cancel", "kill"):
            yard.wait_state(job_id, "RUNNING")
        if mode == "cancel":
            yard.ask("POST", f"/v1/jobs/{job_id}/cancel")
        elif mode == "kill":
            yard.shim(job_id).kill()
    ended = [closed(yard, job_id) for job_id in ids]
    assert [job["state"][0] for job in ended] == list("SFFFFSSCFS")
    spans = sorted((job["launched_at"], job["finished_at"]) for job in ended)
    assert all(later[0] >= earlier[1] for earlier, later in itertools.pairwise(spans))
