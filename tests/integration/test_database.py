"""The writer and the tables, on real SQLite and real PostgreSQL."""

import asyncio
import functools
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from trainyard.callbacks.service import CallbackService, Incoming
from trainyard.callbacks.token import Claims, Tokens
from trainyard.contract.callbacks import Heartbeat
from trainyard.contract.vocabulary import Reason, State
from trainyard.db.engine import Database
from trainyard.db.migrate import config, upgrade
from trainyard.db.tables import events, jobs, metadata, points, projects, series
from trainyard.errors import Conflict, NotFound, Unavailable
from trainyard.events import log as event_log
from trainyard.events import metrics
from trainyard.events.metrics import Point, SeriesIds
from trainyard.jobs import repository
from trainyard.jobs.model import Job
from trainyard.jobs.transition import move


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    upgrade(database)
    database.write(lambda conn: conn.execute(projects.insert().values(id="default", name="Default", created_at=0)))
    yield database
    database.close()


def put_job(database: Database, job_id: str = "job-20261121-101112-abcd", state: State = State.PENDING) -> Job:
    values: dict[str, Any] = {
        "id": job_id, "project_id": "default", "request_hash": "", "name": "n", "tags": [], "notes": "",
        "execution": "local", "framework": "sklearn", "task": "classify", "model": "sgd", "params": {},
        "priority": 0, "attached": False, "callbacks": True, "state": state, "attempt": 1, "message": "",
        "evidence": {}, "trace_id": "t", "claim": 0, "seq": 0, "phase": "", "created_at": time.time(),
    }  # fmt: skip
    database.write(lambda conn: repository.insert(conn, values))
    with database.read() as conn:
        return repository.get(conn, job_id)


def count(database: Database, table: sa.Table) -> int:
    with database.read() as conn:
        return conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def test_the_migrations_make_exactly_the_tables_that_the_code_uses(database: Database) -> None:
    with database.engine.connect() as conn:
        assert compare_metadata(MigrationContext.configure(conn), metadata) == []


def test_migrations_go_back_and_forth_again(database: Database) -> None:
    with database.engine.connect() as plain:
        conn = plain.execution_options(immediate=True)
        with conn.begin():
            settings = config()
            settings.attributes["connection"] = conn
            command.downgrade(settings, "base")
            assert "jobs" not in sa.inspect(conn).get_table_names()
    upgrade(database)
    assert count(database, jobs) == 0


def test_one_failing_write_takes_nothing_of_the_others_with_it(database: Database) -> None:
    gate, results = threading.Event(), []

    def slow(_conn: sa.Connection) -> None:
        gate.wait(60)  # everything below queues up behind this one and is committed together

    def good(name: str) -> None:
        database.write(lambda conn: conn.execute(projects.insert().values(id=name, name=name, created_at=1)))
        results.append(name)

    def bad() -> None:
        with pytest.raises(NotFound):
            database.write(lambda conn: (conn.execute(projects.delete()), repository.get(conn, "none"))[1])
        results.append("refused")

    def clash() -> None:
        with pytest.raises(sa.exc.IntegrityError):
            database.write(lambda conn: conn.execute(projects.insert().values(id="default", name="", created_at=1)))
        results.append("clashed")

    first = threading.Thread(target=database.write, args=(slow,))
    rest = [threading.Thread(target=good, args=(f"p{number}",)) for number in range(5)]
    rest += [threading.Thread(target=bad), threading.Thread(target=clash)]
    for thread in (first, *rest):
        thread.start()
    gate.set()
    for thread in (first, *rest):
        thread.join(120)
    assert sorted(results) == ["clashed", "p0", "p1", "p2", "p3", "p4", "refused"]
    assert count(database, projects) == 6


def test_what_waits_together_is_handled_in_one_call(database: Database) -> None:
    sizes: list[int] = []

    class Service:
        def handle(self, _conn: sa.Connection, items: Sequence[int]) -> list[int]:
            sizes.append(len(items))
            return [item * 2 for item in items]

    service = Service()

    async def many() -> list[int]:
        return await asyncio.gather(*(database.writer.submit(service.handle, number) for number in range(200)))

    assert asyncio.run(many()) == [number * 2 for number in range(200)]
    assert max(sizes) > 50
    assert sum(sizes) == 200


def test_eight_threads_write_without_a_lock_error(database: Database) -> None:
    job = put_job(database)
    failures: list[Exception] = []

    def work() -> None:
        try:
            for _ in range(50):
                database.write(lambda conn: event_log.append(conn, project_id="default", type="x", job_id=job.id))
                with database.read() as conn:
                    event_log.after(conn, 0, limit=10)
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures
    assert count(database, events) == 400


def test_an_end_is_written_once_whatever_races(database: Database) -> None:
    job = put_job(database, state=State.RUNNING)
    barrier, won = threading.Barrier(3), []

    def end(then: State, reason: Reason) -> None:
        barrier.wait(10)
        told = {"job_id": job.id, "project_id": "default", "attempt": 1, "now": State.RUNNING}
        if database.write(lambda conn: move(conn, then=then, reason=reason, **told)):
            won.append(then)

    ends = [(State.SUCCEEDED, Reason.COMPLETED), (State.FAILED, Reason.KILLED), (State.CANCELLED, Reason.TIMEOUT)]
    threads = [threading.Thread(target=end, args=pair) for pair in ends]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(won) == 1
    with database.read() as conn:
        assert repository.get(conn, job.id).state == won[0]
        terminal = [entry for entry in event_log.after(conn, 0, limit=100) if entry.type == "state"]
    assert len(terminal) == 1


def test_an_older_attempt_moves_nothing(database: Database) -> None:
    job = put_job(database, state=State.RUNNING)
    assert not database.write(
        lambda conn: move(
            conn,
            job_id=job.id,
            project_id="default",
            attempt=2,
            now=State.RUNNING,
            then=State.FAILED,
            reason=Reason.KILLED,
        )
    )


def test_a_move_that_the_table_forbids_is_a_loud_bug(database: Database) -> None:
    job = put_job(database)
    with pytest.raises(ValueError, match="PENDING can't become RUNNING"):
        database.write(
            lambda conn: move(
                conn, job_id=job.id, project_id="default", attempt=1, now=State.PENDING, then=State.RUNNING
            )
        )


def test_two_claimants_of_one_job_get_one_yes(database: Database) -> None:
    job = put_job(database, state=State.QUEUED)
    answers = [database.write(lambda conn: repository.claim(conn, job, "node")) for _ in range(2)]
    assert answers == [True, False]


def test_a_lease_has_one_holder(database: Database) -> None:
    first, second = put_job(database), put_job(database, "job-20261121-101112-efgh")
    database.write(lambda conn: repository.lease(conn, first, ["n/gpu/0"], 1.0))
    with pytest.raises(sa.exc.IntegrityError):
        database.write(lambda conn: repository.lease(conn, second, ["n/gpu/0"], 1.0))
    database.write(lambda conn: repository.free_leases(conn, first.id))
    database.write(lambda conn: repository.lease(conn, second, ["n/gpu/0"], 1.0))
    with database.read() as conn:
        assert repository.leased(conn, "n/") == {"n/gpu/0": second.id}


def test_metrics_keep_points_and_a_true_summary(database: Database) -> None:
    job, ids = put_job(database), SeriesIds()
    told = [(3, 0.5), (1, 0.9), (2, float("nan")), (4, float("inf")), (3, 0.4)]
    for step, value in told:  # out of order, with a correction of step 3
        point = Point(job.id, "loss", step, value, 1.0)
        database.write(functools.partial(metrics.record, ids=ids, new=[point]))
    with database.read() as conn:
        assert metrics.curves(conn, job.id, [], 100) == {
            "loss": {"steps": [1, 2, 3, 4], "values": [0.9, "NaN", 0.4, "Infinity"]}
        }
        summary = metrics.summaries(conn, [job.id])[job.id]["loss"]
        assert metrics.curves(conn, job.id, ["loss"], 2)["loss"]["steps"] == [3, 4]
    assert (summary["last"], summary["last_step"]) == ("Infinity", 4)
    assert (summary["min"], summary["min_step"]) == (0.4, 3)
    assert (summary["max"], summary["max_step"]) == ("Infinity", 4)
    assert count(database, points) == 4
    assert count(database, series) == 1


def test_a_second_backend_on_the_same_sqlite_file_refuses_to_start(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path / 'one.db'}"
    first = Database(url)
    try:
        code = f"from trainyard.db.engine import Database; Database({url!r})"
        second = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
        assert second.returncode != 0
        assert "Another backend is using" in second.stderr
        with pytest.raises(Conflict, match="Another backend"):
            Database(url)
    finally:
        first.close()
    Database(url).close()


def test_a_failure_of_the_database_takes_back_what_was_in_its_transaction(database: Database) -> None:
    """As a full disk does it on SQLite: the transaction is gone, whatever savepoints there were."""
    gate, stored, failed = threading.Event(), list[str](), list[str]()

    def slow(_conn: sa.Connection) -> None:
        gate.wait(60)

    def put(name: str) -> None:
        database.write(lambda conn: conn.execute(projects.insert().values(id=name, name=name, created_at=1)))
        stored.append(name)

    def breaks(conn: sa.Connection) -> None:
        conn.exec_driver_sql("ROLLBACK")  # what the database does by itself then
        conn.exec_driver_sql("SELECT * FROM no_such_table")

    def broken() -> None:
        with pytest.raises(Unavailable, match="can't be written to"):
            database.write(breaks)
        failed.append("broken")

    first = threading.Thread(target=database.write, args=(slow,))
    rest = [threading.Thread(target=put, args=("before",)), threading.Thread(target=broken)]
    rest.append(threading.Thread(target=put, args=("after",)))
    first.start()
    for thread in rest:
        thread.start()
        time.sleep(0.05)  # in this order, all behind the first
    gate.set()
    for thread in (first, *rest):
        thread.join(120)
    assert (sorted(stored), failed) == (["after", "before"], ["broken"])
    with database.read() as conn:
        kept = set(conn.execute(sa.select(projects.c.id)).scalars())
    assert {"before", "after"} <= kept


def test_a_commit_that_fails_takes_no_other_jobs_series(database: Database) -> None:
    """A series made in a transaction that was not stored does not exist, and its number may become another's."""
    ids = ["job-20261121-101112-aaaa", "job-20261121-101112-bbbb"]
    for job_id in ids:
        put_job(database, job_id, State.RUNNING)
    service = CallbackService(database, Tokens("k" * 40, 3600))

    def call(job_id: str) -> Incoming:
        return Incoming(Claims(job_id, 1, 9e9), Heartbeat(attempt=1, seq=1, epoch=1, metrics={"loss": 0.5}), 1.0)

    def stored_and_taken_back(conn: sa.Connection) -> None:
        service._store(conn, [call(ids[0])])
        raise sa.exc.OperationalError("COMMIT", None, Exception("disk is full"))

    with pytest.raises(Exception, match="disk is full"):
        database.write(stored_and_taken_back)
    for job_id in reversed(ids):
        database.write(functools.partial(service._store, batch=[call(job_id)]))
    with database.read() as conn:
        for job_id in ids:
            assert metrics.curves(conn, job_id, [], 10) == {"loss": {"steps": [1], "values": [0.5]}}
