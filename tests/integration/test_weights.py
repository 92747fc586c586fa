"""Pretrained weights: into the store whole or not at all, listed, replaced on purpose, removed; by API and by CLI."""

import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.real.backend import Backend
from tests.real.shell import Shell
from tests.real.stored import store_of
from trainyard.cli.weights import found_by, stored_name
from trainyard.errors import InvalidInput


def put(backend: Backend, name: str, body: Any = b"weights", **query: Any) -> Any:
    headers = {"Content-Type": "application/octet-stream"}
    return backend.http.put(f"/v1/weights/{name}", content=body, headers=headers, params=query)


def names(backend: Backend) -> list[str]:
    return [one["name"] for one in backend.ask("GET", "/v1/weights")["items"]]


def stored(backend: Backend, name: str) -> bytes:
    return b"".join(store_of(backend).open_read(f"weights/{name}"))


def told(backend: Backend) -> list[tuple[str, dict[str, Any]]]:
    """Type and data of every event of weights so far."""
    found: list[tuple[str, dict[str, Any]]] = []
    put(backend, "the-end")
    with backend.http.stream("GET", "/v1/events", params={"after": 0}) as answer:
        for line in answer.iter_lines():
            event = json.loads(line[6:]) if line.startswith("data: ") else {"type": ""}
            if event["type"].startswith("weights_"):
                if event["data"]["name"] == "the-end":
                    return found
                found.append((event["type"], event["data"]))
    raise AssertionError("the stream ended")


@pytest.fixture
def shell(shared: Backend, tmp_path: Path) -> Shell:
    return Shell(shared, tmp_path)


# -- API ------------------------------------------------------------------------------------------------------------


def test_weights_are_added_listed_and_removed_and_the_log_tells_of_it(backend_on: Backend) -> None:
    assert put(backend_on, "yolo11n.pt").status_code == 201
    assert put(backend_on, "google--vit-base.zip", b"another").status_code == 201
    assert backend_on.ask("GET", "/v1/weights")["items"] == [
        {"name": "google--vit-base.zip", "key": "weights/google--vit-base.zip", "bytes": 7},
        {"name": "yolo11n.pt", "key": "weights/yolo11n.pt", "bytes": 7},
    ]
    assert stored(backend_on, "yolo11n.pt") == b"weights"
    assert backend_on.http.delete("/v1/weights/yolo11n.pt").status_code == 204
    assert backend_on.http.delete("/v1/weights/yolo11n.pt").status_code == 404
    assert names(backend_on) == ["google--vit-base.zip"]
    assert told(backend_on) == [
        ("weights_added", {"name": "yolo11n.pt", "bytes": 7, "replaced": False}),
        ("weights_added", {"name": "google--vit-base.zip", "bytes": 7, "replaced": False}),
        ("weights_removed", {"name": "yolo11n.pt"}),
    ]


def test_weights_are_replaced_only_on_purpose(shared: Backend) -> None:
    put(shared, "same.pt", b"first")
    refused = put(shared, "same.pt", b"second")
    assert refused.status_code == 409
    assert "replace" in refused.json()["error"]["hint"]
    assert stored(shared, "same.pt") == b"first"
    assert put(shared, "same.pt", b"second", replace=True).status_code == 200
    assert stored(shared, "same.pt") == b"second"


def test_of_two_who_add_one_name_at_once_one_is_refused(shared: Backend) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: (number, put(shared, "race.pt", b"%d" % number)), range(8)))
    taken = [number for number, answer in answers if answer.status_code == 201]
    assert [answer.status_code for _, answer in answers].count(409) == 7
    assert stored(shared, "race.pt") == b"%d" % taken[0]


@pytest.mark.parametrize(
    "name", ["..", ".hidden", "a%2fb", "..%2f..%2fdatasets%2fx.zip", "a b", "a%00b", "x" * 201, "ä"]
)
def test_a_name_that_could_leave_its_place_is_refused(shared: Backend, name: str) -> None:
    before = store_keys(shared)
    assert put(shared, name).status_code in (404, 405, 422)
    assert shared.http.delete(f"/v1/weights/{name}").status_code in (404, 405, 422)
    assert store_keys(shared) == before


def test_an_empty_file_is_refused(shared: Backend) -> None:
    answer = put(shared, "empty.pt", b"")
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "file")
    assert "empty.pt" not in names(shared)


def test_large_weights_go_through_a_file_and_more_than_allowed_is_refused(make_backend: Callable[..., Backend]) -> None:
    """Beyond the limit of other requests (1 MiB here), up to that of uploads; nothing of a refused one is kept."""
    backend = make_backend(max_upload_mb="20", max_request_mb="1").start()
    large = os.urandom(1 << 20) * 18  # two parts

    def pieces(count: int) -> Iterator[bytes]:
        for _ in range(count):
            yield bytes(1 << 20)

    assert put(backend, "large.bin", large).status_code == 201
    assert stored(backend, "large.bin") == large
    assert put(backend, "hidden-length.bin", pieces(19)).status_code == 201
    refused = put(backend, "too-large.bin", pieces(21))
    assert refused.status_code == 413
    assert "TRAINYARD_MAX_UPLOAD_MB" in refused.json()["error"]["hint"]
    assert names(backend) == ["hidden-length.bin", "large.bin"]
    assert not list((backend.folder / "data" / "spool").iterdir())
    for other in ("/v1/weights", "/v1/weights/a/b", "/v1/projects"):
        answer = backend.http.put(other, content=bytes(2 << 20), headers={"Content-Type": "application/octet-stream"})
        assert answer.status_code == 413, other


def store_keys(backend: Backend) -> list[str]:
    return [one.key for one in store_of(backend).list("")]


# -- CLI ------------------------------------------------------------------------------------------------------------


def test_a_file_is_added_listed_and_removed(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "yolo11s.pt").write_bytes(b"weights")
    said = shell.run("weights", "add", str(tmp_path / "yolo11s.pt")).out
    assert "under weights/yolo11s.pt" in said
    assert "ultralytics and timm find it there for the model yolo11s." in said
    assert "yolo11s (ultralytics, timm)" in shell.run("weights", "list").out
    again = shell.run("weights", "add", "yolo11s.pt", code=1)
    assert "--replace takes their place" in again.err
    (tmp_path / "yolo11s.pt").write_bytes(b"better ones")
    shell.run("weights", "add", "yolo11s.pt", "--replace")
    assert stored(shell.backend, "yolo11s.pt") == b"better ones"
    shell.run("weights", "remove", "yolo11s.pt")
    assert "yolo11s.pt" not in names(shell.backend)
    assert "There are no weights yolo11s.pt" in shell.run("weights", "remove", "yolo11s.pt", code=1).err


def test_a_folder_of_hugging_face_becomes_a_zip_under_its_models_name(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "download"
    (folder / ".cache").mkdir(parents=True)
    for name in ("config.json", "model.safetensors", ".cache/junk"):
        (folder / name).write_bytes(name.encode() * 100)
    added = shell.json("weights", "add", str(folder), "--name", "google/vit-base")
    assert added["key"] == "weights/google--vit-base.zip"
    with zipfile.ZipFile(io.BytesIO(stored(shell.backend, "google--vit-base.zip"))) as archive:
        assert sorted(archive.namelist()) == ["config.json", "model.safetensors"]
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
    assert "google/vit-base (huggingface)" in shell.run("weights", "list").out


def test_a_link_into_a_hub_s_cache_keeps_its_name_and_its_ending(shell: Shell, tmp_path: Path) -> None:
    blob, link = tmp_path / "blobs" / "5f0c93", tmp_path / "snapshots" / "main" / "model.safetensors"
    for path in (blob, link):
        path.parent.mkdir(parents=True)
    blob.write_bytes(b"weights")
    link.symlink_to(blob)
    assert shell.json("weights", "add", str(link))["key"] == "weights/model.safetensors"
    named = shell.json("weights", "add", str(link), "--name", "timm/resnet18.a1_in1k")
    assert named["key"] == "weights/timm--resnet18.a1_in1k.safetensors"
    assert stored(shell.backend, "timm--resnet18.a1_in1k.safetensors") == b"weights"


def test_what_is_no_model_is_said_before_anything_is_sent(shell: Shell, tmp_path: Path) -> None:
    before = names(shell.backend)
    (tmp_path / "pictures").mkdir()
    assert "no config.json" in shell.run("weights", "add", "pictures", code=2).err
    assert "There is no" in shell.run("weights", "add", "nowhere.pt", code=2).err
    (tmp_path / "empty.pt").touch()
    assert "The file is empty" in shell.run("weights", "add", "empty.pt", code=1).err
    assert "is no name of weights" in shell.run("weights", "remove", "../jobs", code=2).err
    assert names(shell.backend) == before


@pytest.mark.parametrize(
    ("file", "name", "folder", "expected"),
    [
        ("yolo11n.pt", None, False, "yolo11n.pt"),
        ("model.safetensors", "timm/resnet18.a1_in1k", False, "timm--resnet18.a1_in1k.safetensors"),
        ("resnet18.a1_in1k.bin", None, False, "resnet18.a1_in1k.bin"),
        ("model.safetensors", "resnet18.safetensors", False, "resnet18.safetensors"),
        ("vit-base", None, True, "vit-base.zip"),
        ("vit.v2", None, True, "vit.v2.zip"),
        ("vit.zip", "google/vit", False, "google--vit.zip"),
        ("weights", "plain", False, "plain"),
    ],
)
def test_weights_lie_under_the_models_name_with_the_files_ending(
    file: str, name: str | None, folder: bool, expected: str
) -> None:
    assert stored_name(Path(file), name, folder=folder) == expected


def test_names_that_no_key_takes_are_refused() -> None:
    for name in ("../x", "/x", "a b", "ä", "x" * 250):
        with pytest.raises(InvalidInput, match="can't be the name"):
            stored_name(Path("a.pt"), name, folder=False)


def test_it_is_said_who_finds_the_weights() -> None:
    assert found_by("google--vit-base.zip") == "huggingface finds it there for the model google/vit-base."
    assert "None of trainyard's own trainers looks for such files" in found_by("model.onnx")
