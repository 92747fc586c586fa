"""COCO datasets through the running backend: what is stored is YOLO, and it is the same dataset every time."""

import hashlib
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.real.backend import Backend
from tests.real.shell import Shell
from tests.unit.coco_made import described, picture, zipped
from trainyard.contract.vocabulary import Task
from trainyard.datasets.inspect import inspect


def pets() -> dict[str, Any]:
    """Two dogs' corners and a cat, in pictures of 200 x 80 points."""
    images = [{"id": n, "file_name": f"{n}.jpg", "width": 200, "height": 80} for n in (1, 2, 3)]
    boxes = [(1, 3, [50, 20, 100, 40]), (1, 7, [0, 0, 20, 8]), (2, 7, [190, 70, 20, 20])]
    annotations = [{"image_id": image, "category_id": kind, "bbox": box} for image, kind, box in boxes]
    train = described(images=images[:2], annotations=annotations)
    val = described(images=images[2:], annotations=[])
    files: dict[str, Any] = {"annotations/instances_train.json": train, "annotations/instances_val.json": val}
    for number, split in ((1, "train"), (2, "train"), (3, "val")):
        files[f"images/{split}/{number}.jpg"] = picture(200, 80)
    return files


def upload(backend: Backend, path: Path, dataset_id: str) -> Any:
    return backend.http.post(f"/v1/datasets?dataset_id={dataset_id}", content=path.read_bytes())


def spooled(backend: Backend) -> list[Path]:
    return list(backend.folder.rglob("*.upload"))


def test_a_coco_zip_is_stored_as_yolo(shared: Backend, tmp_path: Path) -> None:
    given = zipped(tmp_path / "pets.zip", pets())
    before = given.read_bytes()
    added = upload(shared, given, "coco-pets").json()
    assert (added["tasks"], added["summary"]["classes"]) == (["detect"], ["cat", "dog"])
    assert added["summary"]["converted_from"] == "coco"
    assert (added["summary"]["boxes"], added["summary"]["boxes_clipped"]) == (3, 1)

    stored = tmp_path / "stored.zip"
    stored.write_bytes(shared.http.get("/v1/datasets/coco-pets/file").content)
    assert (added["bytes"], added["sha256"]) == (
        stored.stat().st_size,
        hashlib.sha256(stored.read_bytes()).hexdigest(),
    )
    found = inspect(stored, 10**9)
    assert (found.tasks, found.summary["splits"]) == ([Task.DETECT], {"train": 2, "val": 1})
    with zipfile.ZipFile(stored) as archive, zipfile.ZipFile(given) as original:
        for name in original.namelist():
            assert archive.read(name) == original.read(name)
        # the cat: its middle is 100, 40 of 200 x 80, its size 100 x 40; the first dog's is 10, 4 and 20 x 8
        assert archive.read("labels/train/1.txt").decode().splitlines() == [
            "0 0.500000 0.500000 0.500000 0.500000",
            "1 0.050000 0.050000 0.100000 0.100000",
        ]
        # the second one ends at the picture's edge: 10 x 10 are left of it, around 195, 75
        assert archive.read("labels/train/2.txt") == b"1 0.975000 0.937500 0.050000 0.125000\n"
        assert archive.read("labels/val/3.txt") == b""
        assert yaml.safe_load(archive.read("data.yaml")) == {
            "names": ["cat", "dog"],
            "train": "images/train",
            "val": "images/val",
        }
    assert given.read_bytes() == before
    again = upload(shared, given, "coco-pets").json()
    # its check goes on meanwhile; the rest is the same upload, the same dataset
    assert again | {"check": None} == added | {"check": None}
    assert spooled(shared) == []


def test_nothing_of_a_refused_coco_zip_is_kept(shared: Backend, tmp_path: Path) -> None:
    files = pets()
    files["annotations/instances_train.json"]["annotations"][1]["bbox"] = [1, 2, "3", 4]
    refused = upload(shared, zipped(tmp_path / "bad.zip", files), "coco-bad")
    assert refused.status_code == 422
    assert "instances_train.json: annotations[1].bbox[2] is '3'" in refused.text
    assert shared.http.get("/v1/datasets/coco-bad").status_code == 404
    assert spooled(shared) == []


@pytest.mark.parametrize("exported", [True, False])
def test_the_cli_packs_a_coco_folder_as_it_is(shared: Backend, tmp_path: Path, exported: bool) -> None:
    folder = tmp_path / f"cli-coco-{exported}".lower()
    names = [f"{number}.jpg" for number in range(5)]
    name = "_annotations.coco.json" if exported else "annotations/instances_default.json"
    with zipfile.ZipFile(zipped(tmp_path / "a.zip", {name: described(*names)})) as archive:
        archive.extractall(folder)
    (folder / "images").mkdir()
    for one in names:
        (folder / "images" / one).write_bytes(picture(100, 50))
    added = Shell(shared, tmp_path).json("datasets", "add", str(folder))
    assert (added["tasks"], added["summary"]["splits"]) == (["detect"], {"train": 4, "val": 1})
    assert "a fifth" in Shell(shared, tmp_path).run("datasets", "show", added["id"]).out
