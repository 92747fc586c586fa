"""Who checks which dataset, and when: on real databases, with the real store and the real processes."""

import os
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from tests.faults.test_s07_picture_bombs import jpeg_of_many_scans
from tests.real.backend import wait_for
from tests.real.s3server import S3Server
from tests.real.zips import BOX, folders, write_zip, yolo
from trainyard.contract.keys import dataset_key
from trainyard.datasets import checking, repository, standings
from trainyard.datasets.checking import DatasetChecks
from trainyard.datasets.model import CheckState, Standing
from trainyard.datasets.service import DatasetService
from trainyard.db.engine import Database
from trainyard.db.migrate import upgrade
from trainyard.db.tables import dataset_checks, datasets, events, projects
from trainyard.errors import StorageUnavailable
from trainyard.storage.store import Download, Store

Checks = Callable[..., DatasetChecks]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    upgrade(database)
    database.write(lambda conn: conn.execute(projects.insert().values(id="default", name="Default", created_at=0)))
    yield database
    database.close()


@pytest.fixture
def store(s3_server: S3Server, tmp_path: Path) -> Store:
    store = Store.from_settings(s3_server.settings(tmp_path / "settings"))
    store.ensure_bucket()
    return store


@pytest.fixture
def checks(store: Store, database: Database, tmp_path: Path) -> Iterator[Checks]:
    made: list[DatasetChecks] = []

    def make(store: Store = store, **given: Any) -> DatasetChecks:
        options = {"at_once": 1, "max_pixels": 50_000_000, **given}
        made.append(DatasetChecks(store, database, tmp_path / "checks", "here", **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def add(store: Store, database: Database, path: Path, dataset_id: str) -> None:
    DatasetService(store, database).add("default", None, path, dataset_id)


def row_of(database: Database, dataset_id: str) -> Any:
    with database.read() as conn:
        return conn.execute(sa.select(dataset_checks).where(dataset_checks.c.dataset_id == dataset_id)).one()


def standing(database: Database, dataset_id: str) -> Standing:
    with database.read() as conn:
        return standings.standings(conn, [dataset_id])[dataset_id]


def ended(database: Database, dataset_id: str, seconds: float = 120) -> Standing:
    def look() -> Standing | None:
        found = standing(database, dataset_id)
        return found if found.state in (CheckState.DONE, CheckState.FAILED) else None

    return wait_for(f"{dataset_id} to be checked", look, seconds)


def told(database: Database, dataset_id: str) -> list[float]:
    """Progress as events told it."""
    with database.read() as conn:
        found = conn.execute(sa.select(events.c.data).where(events.c.type == "dataset_checking").order_by(events.c.id))
        return [data["progress"] for data in found.scalars() if data["dataset_id"] == dataset_id]


def put_row(database: Database, dataset_id: str) -> None:
    """A dataset as an older backend adds it: its check is not known."""
    row: dict[str, Any] = {
        "name": dataset_id,
        "tasks": [],
        "summary": {},
        "bytes": 1,
        "sha256": "",
        "created_at": 1.0,
        "version": 1,
    }
    row |= {"id": dataset_id, "project_id": "default"}
    database.write(lambda conn: conn.execute(datasets.insert().values(**row)))


# -- the queue ------------------------------------------------------------------------------------------------------


def test_what_is_put_back_is_in_nobodys_way_until_its_time_has_come(database: Database) -> None:
    def take() -> standings.Claim | None:
        return database.write(lambda conn: standings.take(conn, "here"))

    for dataset_id in ("first", "second"):
        put_row(database, dataset_id)
        database.write(lambda conn, name=dataset_id: standings.queue(conn, name))
    first = take()
    assert first is not None
    assert first.dataset_id == "first"
    database.write(lambda conn: standings.put_back(conn, first, 60))
    second = take()
    assert second is not None
    assert second.dataset_id == "second"
    assert take() is None
    database.write(lambda conn: standings.put_back(conn, second, -1))
    assert (again := take()) is not None
    assert again.dataset_id == "second"


def test_what_an_older_backend_adds_and_removes_beside_this_one_is_checked_all_the_same(database: Database) -> None:
    put_row(database, "unknown")
    taken = database.write(lambda conn: standings.take(conn, "here"))
    assert taken is not None
    assert taken.dataset_id == "unknown"
    put_row(database, "another")
    database.write(lambda conn: standings.queue(conn, "another"))
    assert row_of(database, "another").state == CheckState.WAITING
    database.write(lambda conn: repository.delete(conn, "unknown"))  # and leaves its row here
    put_row(database, "unknown")
    database.write(lambda conn: standings.queue(conn, "unknown"))
    assert row_of(database, "unknown").claim > taken.number


def test_a_dataset_that_can_not_be_fetched_waits_longer_each_time_while_others_are_checked(
    store: Store, database: Database, checks: Checks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Lame(Store):
        def open_read(self, key: str) -> Download:
            if key == dataset_key("lame"):
                tried.append(time.monotonic())
                raise StorageUnavailable("It can't be read.")
            return super().open_read(key)

    tried: list[float] = []
    monkeypatch.setattr(checking, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(checking, "PUT_OFF_SECONDS", 0.5)
    add(store, database, write_zip(tmp_path / "1.zip", yolo(1)), "lame")
    for number in range(3):
        add(store, database, write_zip(tmp_path / "2.zip", yolo(100 + 20 * number)), f"sound-{number}")
    lame = Lame.__new__(Lame)
    lame.__dict__.update(store.__dict__)
    checks(lame).start()
    for number in range(3):
        assert ended(database, f"sound-{number}").state is CheckState.DONE
    wait_for("four tries", lambda: len(tried) >= 4)
    pauses = [later - earlier for earlier, later in pairwise(tried)]
    assert pauses[0] >= 0.5
    assert pauses[1] >= 1
    assert pauses[2] >= 2
    assert standing(database, "lame").state is not CheckState.FAILED


def test_a_thread_that_checks_outlives_a_database_that_refuses_everything(
    store: Store, database: Database, checks: Checks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, database, write_zip(tmp_path / "1.zip", yolo(1)), "pets")
    store.delete(dataset_key("pets"))  # so that its check fails
    refused, really = threading.Event(), standings.tell

    def tell(conn: sa.Connection, claim: standings.Claim, **values: Any) -> bool:
        if values.get("state") is CheckState.FAILED and not refused.is_set():
            refused.set()
            raise OperationalError("UPDATE", {}, Exception("the server closed the connection"))
        return really(conn, claim, **values)

    monkeypatch.setattr(standings, "tell", tell)
    monkeypatch.setattr(standings, "SILENT_SECONDS", 1.0)
    monkeypatch.setattr(checking, "LOOK_SECONDS", 0.2)
    checks().start()
    assert ended(database, "pets").state is CheckState.FAILED
    assert refused.is_set()


# -- one check ------------------------------------------------------------------------------------------------------


def slow_zip(path: Path) -> Path:
    """Its check says nothing for seconds: a picture in it takes all the time it is given."""
    files = yolo(500) | {"images/train/a.jpg": jpeg_of_many_scans(), "labels/train/a.txt": BOX}
    return write_zip(path, files)


def test_a_claim_is_kept_while_the_process_says_nothing(
    store: Store, database: Database, checks: Checks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "RENEW_SECONDS", 0.1)
    monkeypatch.setattr(standings, "SILENT_SECONDS", 4.0)
    add(store, database, slow_zip(tmp_path / "slow.zip"), "slow")
    checks(picture_seconds=6.0).start()
    wait_for("its turn", lambda: standing(database, "slow").state is CheckState.CHECKING)
    stolen = False
    while standing(database, "slow").state is CheckState.CHECKING:
        stolen |= database.write(lambda conn: standings.take(conn, "elsewhere")) is not None
        assert not stolen
        time.sleep(0.2)
    assert (ended(database, "slow").state, standing(database, "slow").errors) == (CheckState.DONE, 1)
    assert row_of(database, "slow").claim == 1


def test_a_check_is_told_of_in_a_few_events_however_often_its_row_is_written(
    store: Store, database: Database, checks: Checks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "TELL_SECONDS", 0.0)
    written, really = [0], standings.tell

    def tell(conn: sa.Connection, claim: standings.Claim, **values: Any) -> bool:
        written[0] += 1
        return really(conn, claim, **values)

    monkeypatch.setattr(standings, "tell", tell)
    path = tmp_path / "large.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("filling.bin", os.urandom(24 << 20))  # fetched chunk by chunk
        for name, content in yolo(800).items():
            archive.writestr(name, content)
    add(store, database, path, "large")
    checks().start()
    ended(database, "large")
    assert written[0] > 12
    progress = told(database, "large")
    assert progress[0] == 0
    assert all(later - earlier >= checking.NEWS_SHARE for earlier, later in pairwise(progress))


def test_bytes_that_are_not_those_that_were_uploaded_are_trained_on_by_nobody(
    store: Store, database: Database, checks: Checks, tmp_path: Path
) -> None:
    add(store, database, write_zip(tmp_path / "1.zip", yolo(1)), "pets")
    store.put_file(dataset_key("pets"), write_zip(tmp_path / "2.zip", folders(1)))
    one = checks()
    one.start()
    found = ended(database, "pets")
    assert found.state is CheckState.FAILED
    (why,) = found.refusals
    assert "is not what was uploaded" in why
    assert one.report("pets")[1]["message"] == why
    store.put_file(dataset_key("pets"), tmp_path / "1.zip")
    one.again("pets")
    found = wait_for("a look at the right ones", lambda: s if (s := ended(database, "pets")).pictures else None)
    assert (found.state, found.refusals) == (CheckState.DONE, [])
