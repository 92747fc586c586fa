"""The sample dataset: the same bytes everywhere, boxes where the animals are, both layouts of the same pictures."""

import hashlib
import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from trainyard.contract.vocabulary import Task
from trainyard.datasets.inspect import inspect
from trainyard.datasets.sample.write import SAMPLES, write_sample

PINNED = {
    Task.DETECT: "a6ebe167a35a1ae546952a319aa3d84d1bef6b47d8c369a38b8e289ec0799626",
    Task.CLASSIFY: "33f3f9d5fc00572bb81c07df30cbdb8a26561262b196d7281609af40bc0a3559",
}


@pytest.fixture(scope="module")
def zips(tmp_path_factory: pytest.TempPathFactory) -> dict[Task, Path]:
    folder = tmp_path_factory.mktemp("sample")
    paths = {task: folder / f"{dataset_id}.zip" for dataset_id, task in SAMPLES.items()}
    for task, path in paths.items():
        write_sample(path, task)
    return paths


def pictures(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name.rpartition("/")[2]: archive.read(name) for name in archive.namelist() if name.endswith(".jpg")}


@pytest.mark.parametrize("task", list(PINNED))
def test_the_bytes_are_the_pinned_ones(zips: dict[Task, Path], task: Task) -> None:
    """They change with the drawing, and with Pillow's JPEG: then look at the pictures and pin them anew."""
    assert hashlib.sha256(zips[task].read_bytes()).hexdigest() == PINNED[task]


def test_writing_again_gives_the_same_bytes(zips: dict[Task, Path], tmp_path: Path) -> None:
    write_sample(tmp_path / "again.zip", Task.DETECT)
    assert (tmp_path / "again.zip").read_bytes() == zips[Task.DETECT].read_bytes()


def test_both_layouts_hold_the_same_fifty_pictures(zips: dict[Task, Path]) -> None:
    detect, classify = pictures(zips[Task.DETECT]), pictures(zips[Task.CLASSIFY])
    assert detect == classify
    assert len(detect) == 50
    assert len(set(detect.values())) == 50


def test_both_layouts_are_found_fit_for_their_task(zips: dict[Task, Path]) -> None:
    detect = inspect(zips[Task.DETECT], 10**9)
    assert detect.tasks == [Task.DETECT]
    assert detect.summary["classes"] == ["cat", "dog"]
    assert detect.summary["splits"] == {"train": 40, "val": 10}
    assert detect.summary["labels"] == 50
    classify = inspect(zips[Task.CLASSIFY], 10**9)
    assert classify.tasks == [Task.CLASSIFY]
    assert classify.summary["splits"] == {"train": 40, "val": 10}
    assert classify.summary["per_class"] == {"cat": 25, "dog": 25}


def test_every_box_lies_inside_its_picture_and_is_of_the_pictures_kind(zips: dict[Task, Path]) -> None:
    boxes = 0
    with zipfile.ZipFile(zips[Task.DETECT]) as archive:
        for name in archive.namelist():
            if not name.endswith(".txt"):
                continue
            for line in archive.read(name).decode().splitlines():
                kind, *numbers = line.split()
                x, y, width, height = map(float, numbers)
                assert kind == ("0" if "cat" in name else "1")
                assert 0 <= x - width / 2 < x + width / 2 <= 1.000001
                assert 0 <= y - height / 2 < y + height / 2 <= 1.000001
                assert width > 0.05
                assert height > 0.1
                boxes += 1
    assert boxes > 60  # some pictures hold two or three


def test_pictures_are_small_files_of_sensible_size(zips: dict[Task, Path]) -> None:
    for name, content in pictures(zips[Task.CLASSIFY]).items():
        with Image.open(io.BytesIO(content)) as image:
            assert all(320 <= side <= 640 for side in image.size), name
        assert len(content) < 60_000, name


def test_a_disk_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "taken.zip"
    target.mkdir()  # a folder can't be replaced by a file
    with pytest.raises(OSError):
        write_sample(target, Task.DETECT)
    assert list(tmp_path.iterdir()) == [target]
