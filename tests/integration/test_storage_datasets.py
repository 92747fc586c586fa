"""Adding, listing and removing datasets, with a real store, on both databases."""

import concurrent.futures
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.real.s3server import S3Server, free_ports
from trainyard.contract.vocabulary import State, Task
from trainyard.datasets.sample.write import write_sample
from trainyard.datasets.service import DatasetService
from trainyard.db.engine import Database
from trainyard.db.migrate import upgrade
from trainyard.db.tables import jobs, projects
from trainyard.errors import Conflict, InvalidInput, NotFound, StorageUnavailable, Unavailable
from trainyard.events import log as events
from trainyard.storage.store import Store


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    upgrade(made)
    for project in ("default", "other"):
        made.write(lambda conn, id=project: conn.execute(projects.insert().values(id=id, name=id, created_at=0)))
    yield made
    made.close()


@pytest.fixture
def store(s3_server: S3Server, tmp_path: Path) -> Store:
    made = Store.from_settings(s3_server.settings(tmp_path))
    made.ensure_bucket()
    return made


@pytest.fixture
def service(store: Store, database: Database) -> DatasetService:
    return DatasetService(store, database)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "cats-dogs.zip"
    write_sample(path, Task.DETECT)
    return path


def classes_zip(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(f"{name}/1.jpg", name)
    return path


def stored(store: Store) -> list[str]:
    return [found.key for found in store.list("")]


def told(database: Database) -> list[tuple[str, object]]:
    with database.read() as conn:
        return [(entry.type, entry.data["dataset_id"]) for entry in events.after(conn, 0, limit=100)]


def insert_job(database: Database, dataset_id: str, state: State) -> str:
    values: dict[str, object] = {
        column.name: {} if isinstance(column.type, sa.JSON) else "x" if isinstance(column.type, sa.String) else 0
        for column in jobs.columns
        if not column.nullable
    }
    values |= {"id": f"job-{state.lower()}", "project_id": "default", "dataset_id": dataset_id, "state": state}
    values |= {"attached": False, "callbacks": True}
    database.write(lambda conn: conn.execute(jobs.insert().values(**values)))
    return f"job-{state.lower()}"


def test_a_dataset_is_added_listed_shown_downloaded_and_removed(
    service: DatasetService, store: Store, database: Database, sample: Path
) -> None:
    added, new = service.add("default", "My Pets!", sample)
    assert new
    assert (added.id, added.name, added.tasks, added.bytes) == (
        "my-pets",
        "My Pets!",
        [Task.DETECT],
        sample.stat().st_size,
    )
    assert added.summary["classes"] == ["cat", "dog"]
    assert service.list() == service.list("default") == [service.show("my-pets")] == [added]
    assert service.list("other") == []
    assert b"".join(service.download("my-pets")) == sample.read_bytes()
    assert stored(store) == ["datasets/my-pets.zip"]
    service.remove("my-pets")
    assert service.list() == []
    assert stored(store) == []
    assert told(database) == [("dataset_added", "my-pets"), ("dataset_removed", "my-pets")]
    for call in (service.show, service.download, service.remove):
        with pytest.raises(NotFound, match="no dataset my-pets"):
            call("my-pets")


def test_the_same_content_under_the_same_id_is_the_same_dataset(
    service: DatasetService, database: Database, sample: Path
) -> None:
    first, _ = service.add("default", None, sample, "cats-dogs")
    assert service.add("default", "by another name", sample, "cats-dogs") == (first, False)
    assert len(told(database)) == 1


def test_other_content_under_a_given_id_is_a_conflict_and_changes_nothing(
    service: DatasetService, sample: Path, tmp_path: Path
) -> None:
    service.add("default", None, sample, "pets")
    with pytest.raises(Conflict, match="pets belongs to a dataset with other content"):
        service.add("default", None, classes_zip(tmp_path / "a.zip", "a", "b"), "pets")
    with pytest.raises(Conflict):
        service.add("other", None, sample, "pets")  # another project's
    assert b"".join(service.download("pets")) == sample.read_bytes()


def test_an_id_is_made_of_a_name_and_gets_a_number_where_other_names_lead_to_the_same(
    service: DatasetService, tmp_path: Path
) -> None:
    def added(name: str, *classes: str) -> str:
        return service.add("default", name, classes_zip(tmp_path / "a.zip", *classes))[0].id

    assert [added(name, name, "b") for name in ("Pets", "pets!", "PETS")] == ["pets", "pets-2", "pets-3"]
    assert added("고양이", "a", "b") == "dataset"
    assert added("x" * 200, "a", "c") == "x" * 60
    assert added("x" * 199, "a", "d") == "x" * 58 + "-2"


@pytest.mark.parametrize("dataset_id", ["../x", "a/b", "A", "", "-a", "a" * 65, "a\n", "%2e%2e", "a\0"])
def test_an_id_that_could_leave_its_place_is_refused(
    service: DatasetService, store: Store, sample: Path, dataset_id: str
) -> None:
    with pytest.raises(InvalidInput, match="can't be a dataset's id") as caught:
        service.add("default", None, sample, dataset_id)
    assert caught.value.field == "dataset_id"
    assert stored(store) == []


def test_what_is_wrong_is_said_before_anything_is_kept(
    service: DatasetService, store: Store, database: Database, sample: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 not really")
    for project, name, path, field in [
        ("default", None, tmp_path / "broken.zip", "file"),
        ("default", None, classes_zip(tmp_path / "one.zip", "only"), "file"),
        ("default", "a\0b", sample, "name"),
        ("default", "x" * 201, sample, "name"),
        ("nowhere", None, sample, "project_id"),
    ]:
        with pytest.raises(InvalidInput) as caught:
            service.add(project, name, path)
        assert caught.value.field == field
    assert stored(store) == []
    assert service.list() == told(database) == []


def test_a_dataset_in_use_is_not_removed(service: DatasetService, database: Database, sample: Path) -> None:
    service.add("default", None, sample, "pets")
    insert_job(database, "pets", State.SUCCEEDED)
    job = insert_job(database, "pets", State.QUEUED)
    with pytest.raises(Conflict, match=f"in use by {job}"):
        service.remove("pets")
    assert b"".join(service.download("pets")) == sample.read_bytes()
    database.write(lambda conn: conn.execute(jobs.update().values(state=State.CANCELLED)))
    service.remove("pets")


def test_a_store_that_is_away_leaves_no_row(
    s3_server: S3Server, database: Database, sample: Path, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    away = Store.from_settings(s3_server.settings(tmp_path, s3_endpoint=f"http://127.0.0.1:{port}"))
    service = DatasetService(away, database)
    with pytest.raises(StorageUnavailable):
        service.add("default", None, sample, "pets")
    assert service.list() == told(database) == []


def test_a_row_that_can_not_be_written_leaves_no_object(
    service: DatasetService, store: Store, database: Database, sample: Path
) -> None:
    database.writer.close()
    with pytest.raises(Unavailable, match="shutting down"):
        service.add("default", None, sample, "pets")
    assert stored(store) == []


def test_removing_while_the_store_is_away_removes_the_row_and_adding_again_works(
    service: DatasetService, s3_server: S3Server, database: Database, sample: Path, tmp_path: Path
) -> None:
    service.add("default", None, sample, "pets")
    (port,) = free_ports(1)
    away = Store.from_settings(s3_server.settings(tmp_path, s3_endpoint=f"http://127.0.0.1:{port}"))
    DatasetService(away, database).remove("pets")
    assert service.list() == []
    other = classes_zip(tmp_path / "a.zip", "a", "b")
    service.add("default", None, other, "pets")
    assert b"".join(service.download("pets")) == other.read_bytes()


def test_adding_different_content_under_one_id_at_once_keeps_one_with_its_own_bytes(
    service: DatasetService, tmp_path: Path
) -> None:
    paths = [classes_zip(tmp_path / f"{number}.zip", f"a{number}", "b") for number in range(6)]
    barrier = threading.Barrier(len(paths))

    def add(path: Path) -> Path | None:
        barrier.wait()
        try:
            service.add("default", None, path, "pets")
        except Conflict:
            return None
        return path

    with concurrent.futures.ThreadPoolExecutor(len(paths)) as pool:
        winners = [path for path in pool.map(add, paths) if path is not None]
    assert len(winners) == 1
    assert b"".join(service.download("pets")) == winners[0].read_bytes()


def test_adding_and_removing_one_id_at_once_never_leaves_a_row_without_its_object(
    service: DatasetService, store: Store, sample: Path
) -> None:
    deadline = time.monotonic() + 3

    def again_and_again(call: str) -> int:
        done = 0
        while time.monotonic() < deadline or (not done and time.monotonic() < deadline + 60):
            try:
                service.add("default", None, sample, "pets") if call == "add" else service.remove("pets")
                done += 1
            except NotFound:
                continue
        return done

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        counts = list(pool.map(again_and_again, ["add", "remove", "add"]))
    assert all(counts)
    assert stored(store) == [f"datasets/{dataset.id}.zip" for dataset in service.list()]
