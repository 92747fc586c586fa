"""Other content of the same name is its next version, the same content is the same dataset; and what lies in the store
already becomes a dataset without being uploaded.
"""

import hashlib
import io
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.real.backend import Backend, wait_for
from tests.real.postgres import fresh_database
from tests.real.s3server import S3Server
from tests.real.stored import store_of
from tests.real.zips import folders, write_zip, yolo
from trainyard.datasets.service import DatasetService
from trainyard.db.engine import Database
from trainyard.db.migrate import upgrade
from trainyard.db.tables import projects
from trainyard.storage.store import Store


def upload(backend: Backend, path: Path, **query: str) -> tuple[int, dict[str, Any]]:
    answer = backend.http.post("/v1/datasets", params=query, content=path.read_bytes(), timeout=60)
    return answer.status_code, answer.json()


def test_the_same_name_again_is_the_next_version_and_the_same_content_what_is_known(
    shared: Backend, tmp_path: Path
) -> None:
    first, second = (write_zip(tmp_path / f"{n}.zip", folders(8000 + 100 * n)) for n in range(2))
    status, one = upload(shared, first, name="My pets")
    assert (status, one["id"], one["version"]) == (201, "my-pets", 1)
    status, two = upload(shared, second, name="My pets")
    assert (status, two["id"], two["version"]) == (201, "my-pets-v2", 2)
    for path, known in ((first, one), (second, two)):
        status, again = upload(shared, path, name="by another name")
        assert (status, again["id"], again["name"]) == (200, known["id"], "My pets")
    shared.ask("POST", "/v1/projects", json={"id": "elsewhere", "name": "Elsewhere"})
    status, other = upload(shared, first, name="My pets", project_id="elsewhere")
    assert (status, other["id"], other["version"]) == (201, "my-pets-2", 1)  # another project's is not shown


def test_versions_that_come_at_once_are_numbered_one_after_another(shared: Backend, tmp_path: Path) -> None:
    paths = [write_zip(tmp_path / f"{n}.zip", folders(9000 + 100 * n)) for n in range(4)]

    def as_race(path: Path) -> dict[str, Any]:
        return upload(shared, path, name="race")[1]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(as_race, paths))
    assert sorted((answer["version"], answer["id"]) for answer in answers) == [
        (1, "race"),
        (2, "race-v2"),
        (3, "race-v3"),
        (4, "race-v4"),
    ]
    for path, answer in zip(paths, answers, strict=True):
        assert shared.http.get(f"/v1/datasets/{answer['id']}/file").content == path.read_bytes()


@pytest.mark.parametrize("remove_meanwhile", [False, True])
def test_two_backends_never_write_the_same_object(
    postgres_url: str, s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remove_meanwhile: bool
) -> None:
    """One is in the middle of writing a dataset, or of removing it, when the other wants the same id."""
    paths = [write_zip(tmp_path / f"{n}.zip", folders(9500 + 100 * n)) for n in range(2)]
    with fresh_database(postgres_url) as url:
        databases, settings = [Database(url) for _ in paths], s3_server.settings(tmp_path)
        stores = [Store.from_settings(settings) for _ in paths]
        stores[0].ensure_bucket()
        upgrade(databases[0])
        row = projects.insert().values(id="default", name="Default", created_at=0)
        databases[0].write(lambda conn: conn.execute(row))
        services = [DatasetService(*parts) for parts in zip(stores, databases, strict=True)]
        call = "delete" if remove_meanwhile else "put_file"
        if remove_meanwhile:
            services[0].add("default", "race", paths[0])
        begun, may_go_on, real = threading.Event(), threading.Event(), getattr(stores[0], call)

        def slow(*args: Any) -> Any:
            begun.set()
            assert may_go_on.wait(90)
            return real(*args)

        monkeypatch.setattr(stores[0], call, slow)
        with ThreadPoolExecutor(2) as pool:
            if remove_meanwhile:
                first = pool.submit(services[0].remove, "race")
            else:
                first = pool.submit(services[0].add, "default", "race", paths[0])
            assert begun.wait(90)
            second = pool.submit(services[1].add, "default", "race", paths[1])
            wait_for("the other's turn", lambda: second.done() or waits_for_a_turn(databases[1]))
            may_go_on.set()
            first.result(120)
            second.result(120)
        for dataset in (kept := services[1].list()):
            content = b"".join(services[1].download(dataset.id))
            assert hashlib.sha256(content).hexdigest() == dataset.sha256, dataset.id
        for database in databases:
            database.close()
    assert sorted(one.id for one in kept) == (["race"] if remove_meanwhile else ["race", "race-v2"])


def waits_for_a_turn(database: Database) -> bool:
    """Those of the one writer are another kind: they are over in no time."""
    query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with database.read() as conn:
        return conn.execute(sa.text(query)).scalar_one() > 0


def test_pictures_in_the_store_become_a_dataset(shared: Backend) -> None:
    store, files = store_of(shared), yolo(8500)
    for name, content in files.items():
        store.put_stream(f"imports/team/boxes/{name}", [content.encode() if isinstance(content, str) else content])
    store.put_stream("imports/team/boxes-2/other.txt", [b"not a part of it"])
    assert shared.ask("GET", "/v1/store/prefixes")["prefixes"] == ["imports/team/"]
    found = shared.ask("GET", "/v1/store/prefixes", params={"prefix": "imports/team/"})
    assert found["prefixes"] == ["imports/team/boxes-2/", "imports/team/boxes/"]
    assert (found["pictures"], found["complete"]) == (9, True)
    body = {"prefix": "imports/team/boxes", "name": "", "project_id": "default"}
    answer = shared.http.post("/v1/datasets/register", json=body)
    assert (answer.status_code, answer.json()["id"], answer.json()["tasks"]) == (201, "boxes", ["detect"])
    again = shared.http.post("/v1/datasets/register", json=body | {"prefix": "imports/team/boxes/"})
    assert (again.status_code, again.json()["id"]) == (200, "boxes")
    with zipfile.ZipFile(io.BytesIO(shared.http.get("/v1/datasets/boxes/file").content)) as archive:
        assert set(archive.namelist()) == set(files)


def test_a_zip_in_the_store_is_taken_as_it_is(shared: Backend, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", folders(8700))
    store_of(shared).put_file("imports/zips/Fruit.zip", path)
    found = shared.ask("GET", "/v1/store/prefixes", params={"prefix": "imports/zips/"})
    assert found["prefixes"] == ["imports/zips/Fruit.zip"]
    dataset = shared.ask("POST", "/v1/datasets/register", json={"prefix": "imports/zips/Fruit.zip"})
    assert (dataset["id"], dataset["name"]) == ("fruit", "Fruit")
    assert shared.http.get("/v1/datasets/fruit/file").content == path.read_bytes()


def test_a_long_registration_holds_up_no_upload(make_backend: Callable[..., Backend], tmp_path: Path) -> None:
    begun, gate = tmp_path / "begun", tmp_path / "gate"
    slow = f"""
import time
from pathlib import Path
import trainyard.api.platform as platform
from trainyard.storage.store import Store
platform.UPLOADS_AT_ONCE, fetch = 1, Store.open_read
def slow(self, key, *args, **given):
    if key.startswith("imports/"):
        Path({str(begun)!r}).touch()
        while not Path({str(gate)!r}).exists():
            time.sleep(0.02)
    return fetch(self, key, *args, **given)
Store.open_read = slow
"""
    backend = make_backend().start(before=slow)
    store = store_of(backend)
    for name, content in folders(8900).items():
        store.put_stream(f"imports/slow/{name}", [content.encode() if isinstance(content, str) else content])
    with ThreadPoolExecutor(1) as pool:
        registered = pool.submit(backend.http.post, "/v1/datasets/register", json={"prefix": "imports/slow/"})
        try:
            wait_for("the registration", begun.exists)
            assert upload(backend, write_zip(tmp_path / "a.zip", folders(8950)), name="quick")[0] == 201
            assert not registered.done()
        finally:
            gate.touch()
        assert registered.result().status_code == 201


def test_nothing_outside_the_import_area_is_registered_or_shown(shared: Backend) -> None:
    for prefix in ("datasets/", "imports", "/imports/a", "imports/", "imports/\n", ""):
        answer = shared.http.post("/v1/datasets/register", json={"prefix": prefix})
        assert answer.status_code == 422, prefix
        if prefix != "imports/":
            assert shared.http.get("/v1/store/prefixes", params={"prefix": prefix}).status_code == 422, prefix
    for prefix in ("imports/nothing/", "imports/../datasets/", "imports/a/../../datasets/cats-dogs-classes.zip"):
        answer = shared.http.post("/v1/datasets/register", json={"prefix": prefix})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    store_of(shared).put_stream("imports/words/a.txt", [b"no pictures"])
    answer = shared.http.post("/v1/datasets/register", json={"prefix": "imports/words/"})
    assert answer.status_code == 422
    assert "no pictures" in answer.json()["error"]["message"]


def test_a_sample_belongs_to_the_project_it_was_loaded_into(shared: Backend) -> None:
    shared.ask("POST", "/v1/projects", json={"id": "sampled", "name": "Sampled"})
    here = shared.ask("POST", "/v1/samples/cats-dogs-classes")
    there = shared.ask("POST", "/v1/samples/cats-dogs-classes", params={"project_id": "sampled"})
    again = shared.ask("POST", "/v1/samples/cats-dogs-classes", params={"project_id": "sampled"})
    assert (here["project_id"], there["project_id"]) == ("default", "sampled")
    assert there["id"] == again["id"] != here["id"]
