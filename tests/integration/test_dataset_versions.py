"""Other content of the same name is its next version, the same content is the same dataset; and what lies in the store
already becomes a dataset without being uploaded.
"""

import io
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.real.backend import Backend
from tests.real.stored import store_of
from tests.real.zips import folders, write_zip, yolo


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
