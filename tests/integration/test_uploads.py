"""Uploads in pieces: what has arrived stays, whatever breaks."""

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.real.backend import TOKEN, Backend, wait_for
from tests.real.proxy import PASS, Fate, Proxy, Request
from tests.real.s3server import S3Server
from tests.real.shell import Shell
from tests.real.zips import folders, picture, write_zip, yolo
from tests.unit.coco_made import roboflow, zipped
from trainyard.datasets.model import Dataset
from trainyard.datasets.service import DatasetService
from trainyard.datasets.uploads import IDLE_SECONDS, MOST_OF_ONE, ResumableUploads
from trainyard.db.engine import Database
from trainyard.db.migrate import upgrade
from trainyard.db.tables import projects
from trainyard.errors import Conflict, NotFound, Unavailable
from trainyard.storage.store import Store

OCTETS = "application/octet-stream"
MB = 1 << 20


def begin(backend: Backend, path: Path, **given: object) -> str:
    wanted = {"bytes": path.stat().st_size, "file_name": path.name, **given}
    return str(backend.ask("POST", "/v1/uploads", json=wanted)["id"])


def send(backend: Backend, upload_id: str, offset: int, data: bytes) -> tuple[int, dict[str, Any]]:
    headers = {"Upload-Offset": str(offset), "Content-Type": OCTETS}
    answer = backend.http.patch(f"/v1/uploads/{upload_id}", content=data, headers=headers)
    return answer.status_code, answer.json()


def finish(backend: Backend, upload_id: str) -> tuple[int, dict[str, Any]]:
    answer = backend.http.post(f"/v1/uploads/{upload_id}/finish")
    return answer.status_code, answer.json()


def aged(path: Path, seconds: float) -> None:
    at = time.time() - seconds
    os.utime(path, (at, at))


def spooled(backend: Backend) -> list[str]:
    return sorted(path.suffix for path in (backend.folder / "data" / "spool").iterdir() if path.suffix != ".json")


@pytest.fixture
def proxied(shared: Backend) -> Iterator[Proxy]:
    proxy = Proxy(("127.0.0.1", shared.port))
    yield proxy
    proxy.close()


def test_pieces_become_a_dataset_and_finishing_may_be_repeated(shared: Backend, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "My fruit.zip", folders(5000))
    data = path.read_bytes()
    upload_id = begin(shared, path)
    assert send(shared, upload_id, 0, data[:1000])[1]["offset"] == 1000
    status, said = send(shared, upload_id, 0, data[:1000])  # the answer was lost, say
    assert (status, said["error"]["code"], said["error"]["details"]) == (409, "wrong_offset", {"offset": 1000})
    assert finish(shared, upload_id)[0] == 409
    assert send(shared, upload_id, 1000, data[1000:])[1]["offset"] == len(data)
    status, dataset = finish(shared, upload_id)
    assert (status, dataset["id"], dataset["name"]) == (201, "my-fruit", "My fruit")
    status, again = finish(shared, upload_id)
    assert (status, again["id"]) == (200, "my-fruit")
    assert shared.http.get("/v1/datasets/my-fruit/file").content == data
    assert send(shared, upload_id, len(data), b"")[0] == 409
    assert spooled(shared) == []


def test_a_connection_that_breaks_in_a_piece_leaves_the_offset_where_it_was(shared: Backend, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "cut.zip", folders(5100))
    data = path.read_bytes()
    upload_id = begin(shared, path)
    send(shared, upload_id, 0, data[:500])
    head = f"PATCH /v1/uploads/{upload_id} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n"
    head += f"Upload-Offset: 500\r\nContent-Type: {OCTETS}\r\nContent-Length: {len(data) - 500}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", shared.port)) as connection:
        connection.sendall(head.encode() + data[500:900])
    assert shared.ask("GET", f"/v1/uploads/{upload_id}")["offset"] == 500
    assert send(shared, upload_id, 500, data[500:])[0] == 200
    assert finish(shared, upload_id)[0] == 201


def test_an_upload_goes_on_after_the_backend_was_killed(make_backend: Callable[..., Backend], tmp_path: Path) -> None:
    backend = make_backend().start()
    path = write_zip(tmp_path / "survives.zip", folders(5200))
    data = path.read_bytes()
    upload_id = begin(backend, path, name="Survives")
    send(backend, upload_id, 0, data[:700])
    backend.kill()
    backend.start()
    assert backend.ask("GET", f"/v1/uploads/{upload_id}")["offset"] == 700
    send(backend, upload_id, 700, data[700:])
    assert finish(backend, upload_id)[1]["id"] == "survives"


def test_what_would_not_fit_or_does_not_belong_is_refused(shared: Backend, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", folders(5300))
    answer = shared.http.post("/v1/uploads", json={"bytes": 2**45})
    assert answer.status_code == 413
    answer = shared.http.post("/v1/uploads", json={"bytes": 5, "project_id": "nowhere"})
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "project_id")
    for wrong in ({"bytes": 0}, {"bytes": "many"}, {"bytes": 5, "project_id": "../x"}, {"bytes": 5, "more": 1}):
        assert shared.http.post("/v1/uploads", json=wrong).status_code == 422
    upload_id = begin(shared, path)
    assert send(shared, upload_id, 0, path.read_bytes() + b"x")[0] == 422
    assert send(shared, upload_id, 0, bytes(8 * MB + 1))[0] == 413
    assert shared.ask("GET", f"/v1/uploads/{upload_id}")["offset"] == 0
    shared.ask("DELETE", f"/v1/uploads/{upload_id}")
    for method, path_of in (("GET", ""), ("DELETE", ""), ("POST", "/finish")):
        assert shared.http.request(method, f"/v1/uploads/{upload_id}{path_of}").status_code == 404
    assert spooled(shared) == []


def test_what_is_no_dataset_is_dropped_with_the_reason(shared: Backend, tmp_path: Path) -> None:
    path = tmp_path / "words.zip"
    path.write_text("no zip at all")
    upload_id = begin(shared, path)
    send(shared, upload_id, 0, path.read_bytes())
    status, said = finish(shared, upload_id)
    assert status == 422
    assert "not a complete zip" in said["error"]["message"]
    assert shared.http.get(f"/v1/uploads/{upload_id}").status_code == 404
    assert spooled(shared) == []


def test_an_old_upload_is_gone(shared: Backend, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "old.zip", folders(5400))
    upload_id = begin(shared, path)
    spool = shared.folder / "data" / "spool"
    aged(spool / f"{upload_id}.part", IDLE_SECONDS + 1)
    begin_another = begin(shared, path)
    assert not (spool / f"{upload_id}.json").exists()
    assert shared.http.get(f"/v1/uploads/{upload_id}").status_code == 404
    shared.ask("DELETE", f"/v1/uploads/{begin_another}")
    assert spooled(shared) == []


def test_pieces_at_once_are_kept_one_after_another(shared: Backend, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "race.zip", folders(5500))
    data = path.read_bytes()
    upload_id = begin(shared, path)
    statuses: list[int] = []
    threads = [threading.Thread(target=lambda: statuses.append(send(shared, upload_id, 0, data)[0])) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [409] * 5
    assert finish(shared, upload_id)[0] == 201


def test_what_is_open_is_listed(shared: Backend) -> None:
    begun = shared.ask("POST", "/v1/uploads", json={"bytes": 5, "name": "seen"})
    (listed,) = shared.ask("GET", "/v1/uploads")["items"]
    assert listed == begun
    assert (listed["name"], listed["project_id"], bool(listed["user_id"])) == ("seen", "default", True)
    shared.ask("DELETE", f"/v1/uploads/{listed['id']}")
    assert shared.ask("GET", "/v1/uploads")["items"] == []


# -- without a server, to break what is below -----------------------------------------------------------------------


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'test.db'}")
    upgrade(made)
    made.write(lambda conn: conn.execute(projects.insert().values(id="default", name="Default", created_at=0)))
    yield made
    made.close()


@pytest.fixture
def datasets(s3_server: S3Server, database: Database, tmp_path: Path) -> DatasetService:
    store = Store.from_settings(s3_server.settings(tmp_path))
    store.ensure_bucket()
    return DatasetService(store, database)


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def uploads(datasets: DatasetService, spool: Path) -> ResumableUploads:
    return ResumableUploads(datasets, spool, 100 * MB)


def sent(uploads: ResumableUploads, data: bytes, user_id: str = "") -> str:
    begun = uploads.begin(name="kept", bytes=len(data), project_id="default", user_id=user_id)
    uploads.append(begun.id, 0, data)
    return begun.id


def rename(database: Database, old: str, new: str) -> None:
    database.write(lambda conn: conn.execute(sa.text(f"ALTER TABLE {old} RENAME TO {new}")))


@pytest.mark.parametrize("coco", [False, True])
def test_an_upload_is_kept_where_the_database_fails_and_finished_later(
    uploads: ResumableUploads, datasets: DatasetService, database: Database, tmp_path: Path, coco: bool
) -> None:
    path = zipped(tmp_path / "a.zip", roboflow()) if coco else write_zip(tmp_path / "a.zip", folders(5800))
    upload_id = sent(uploads, path.read_bytes())
    rename(database, "datasets", "away")  # found out after labels were added
    with pytest.raises(Unavailable, match="The database is away"):
        uploads.finish(upload_id)
    rename(database, "away", "datasets")
    dataset, new = uploads.finish(upload_id)
    assert new
    assert datasets.show("kept") == dataset
    assert uploads.finish(upload_id) == (dataset, False)


def test_one_user_can_not_take_all_places_and_what_is_idle_gives_its_own_back(
    uploads: ResumableUploads, spool: Path, tmp_path: Path
) -> None:
    begun = [uploads.begin(name="x", bytes=9, project_id="default", user_id="ann").id for _ in range(MOST_OF_ONE - 1)]
    complete = sent(uploads, b"all of it", "ann")
    with pytest.raises(Conflict, match="16 uploads are open that you began"):
        sent(uploads, b"one more", "ann")
    uploads.drop(sent(uploads, b"another's", "bob"))
    for upload_id in (begun[0], complete):
        aged(spool / f"{upload_id}.part", IDLE_SECONDS + 1)
    assert {one.id for one in uploads.open_ones()} == {*begun[1:], complete}
    sent(uploads, b"one more", "ann")


def test_what_can_not_be_read_right_now_is_not_taken_for_gone(uploads: ResumableUploads, spool: Path) -> None:
    upload_id = sent(uploads, b"precious")
    about = spool / f"{upload_id}.json"
    about.rename(spool / "hidden")
    about.mkdir()  # reading it is an error other than "there is none"
    with pytest.raises(Unavailable, match="can't be read right now"):
        uploads.show(upload_id)
    sent(uploads, b"another")
    about.rmdir()
    (spool / "hidden").rename(about)
    assert uploads.show(upload_id).offset == len(b"precious")


def test_what_expires_while_it_is_finished_stays(
    datasets: DatasetService, spool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = ResumableUploads(datasets, spool, 100 * MB)
    packing, may_go_on, add = threading.Event(), threading.Event(), datasets.add

    def slow(project_id: str, name: str | None, path: Path, dataset_id: str | None) -> tuple[Dataset, bool]:
        packing.set()
        assert may_go_on.wait(90)
        return add(project_id, name, path, dataset_id)

    monkeypatch.setattr(datasets, "add", slow)
    upload_id = sent(uploads, write_zip(tmp_path / "a.zip", folders(5900)).read_bytes())
    with ThreadPoolExecutor(1) as pool:
        finishing = pool.submit(uploads.finish, upload_id)
        assert packing.wait(90)
        aged(spool / f"{upload_id}.part", 10 * 24 * IDLE_SECONDS)
        with pytest.raises(NotFound):
            uploads.show(upload_id)
        sent(uploads, b"another")  # beginning it clears up
        may_go_on.set()
        assert finishing.result(90)[1]
    assert uploads.show(upload_id).became == "kept"


# -- the command line -----------------------------------------------------------------------------------------------


def large_zip(path: Path, seed: int) -> Path:
    """Three pieces."""
    files = yolo(seed)
    files |= {f"images/train/large-{n}.bmp": picture(seed + n, (2000, 1000), "BMP") for n in range(3)}
    return write_zip(path, files)


def test_the_cli_goes_on_after_broken_connections_and_lost_answers(
    shared: Backend, proxied: Proxy, tmp_path: Path
) -> None:
    fates = iter([PASS, Fate(dropped=True), Fate(cut_at=0), Fate(cut_at=20)])
    broken: list[str] = []

    def rule(request: Request) -> Fate:
        if request.method != "PATCH":
            return PASS
        fate = next(fates, PASS)
        if fate != PASS:
            broken.append(request.path)
        return fate

    proxied.rule = rule
    shell = Shell(shared, tmp_path)
    path = large_zip(tmp_path / "broken.zip", 5600)
    dataset = json.loads(shell.run("datasets", "add", str(path), "--json", TRAINYARD_URL=proxied.url).out)
    assert len(broken) == 3
    assert shared.http.get(f"/v1/datasets/{dataset['id']}/file").content == path.read_bytes()


def test_the_cli_waits_for_a_backend_that_is_started_again(
    make_backend: Callable[..., Backend], tmp_path: Path
) -> None:
    backend = make_backend().start()
    proxy = Proxy(("127.0.0.1", backend.port))
    pieces = threading.Event()

    def rule(request: Request) -> Fate:
        if request.method != "PATCH" or pieces.is_set():
            return PASS
        pieces.set()
        return Fate(delay=0.5, dropped=True)

    proxy.rule = rule
    path = large_zip(tmp_path / "restarted.zip", 5700)
    with Shell(backend, tmp_path).start("datasets", "add", str(path), "--json", TRAINYARD_URL=proxy.url) as process:
        wait_for("the first piece", pieces.is_set)
        backend.kill()
        backend.start()
        out, err = process.communicate(timeout=200)
    proxy.close()
    assert process.returncode == 0, err
    assert backend.http.get(f"/v1/datasets/{json.loads(out)['id']}/file").content == path.read_bytes()
