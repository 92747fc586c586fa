"""`trainyard datasets check`: of a path without any backend, of a dataset through it."""

import json
import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from tests.real.backend import Backend, wait_for
from tests.real.shell import CLI, Shell
from tests.real.zips import folders, picture, write_zip, yolo

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def shell(shared: Backend, tmp_path: Path) -> Shell:
    return Shell(shared, tmp_path)


def unpacked(folder: Path, files: dict[str, bytes | str]) -> str:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(folder)


def test_a_folder_is_checked_here_and_errors_are_named(shell: Shell, tmp_path: Path) -> None:
    files = yolo(6000)
    files["images/train/0.png"] = b"broken"
    files["labels/train/1.txt"] = "9 .5 .5 .4 .4\n"
    folder = unpacked(tmp_path / "pets", files)
    said = shell.run("datasets", "check", folder, code=1, TRAINYARD_URL=NOWHERE).out
    for words in ("error", "images/train/0.png", "labels/train/1.txt:1", "Not ready:", "9 pictures in", "2 errors"):
        assert words in said
    report = json.loads(shell.run("datasets", "check", folder, "--json", code=1, TRAINYARD_URL=NOWHERE).out)
    assert [problem["code"] for problem in report["problems"]] == ["class_out_of_range", "unreadable_picture"]
    assert report["splits"]["train"]["pictures"] == 6
    assert not list(tmp_path.glob("trainyard-*"))


def test_sound_ones_and_warnings_end_with_0(shell: Shell, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "fruit.zip", folders(6100, splits=("",)))
    said = shell.run("datasets", "check", str(path), TRAINYARD_URL=NOWHERE).out
    assert "There is no validation split" in said
    assert "0 errors, 1 warning." in said
    assert path.read_bytes() == write_zip(tmp_path / "again.zip", folders(6100, splits=("",))).read_bytes()


def test_coco_is_checked_as_it_would_be_converted(shell: Shell, tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {}
    for split in ("train", "valid"):
        described = {
            "images": [{"id": n, "file_name": f"{n}.png", "width": 32, "height": 24} for n in range(3)],
            "categories": [{"id": 1, "name": "cat"}],
            "annotations": [
                {"id": n, "image_id": n, "category_id": 1, "bbox": [2, 2, 9, 9], "iscrowd": 0} for n in range(3)
            ],
        }
        files[f"{split}/_annotations.coco.json"] = json.dumps(described)
        files |= {f"{split}/{n}.png": picture(6200 + n + len(split)) for n in range(3)}
    path = write_zip(tmp_path / "coco.zip", files)
    before = path.read_bytes()
    report = json.loads(shell.run("datasets", "check", str(path), "--json", code=1, TRAINYARD_URL=NOWHERE).out)
    assert [(split, found["boxes"]) for split, found in report["splits"].items()] == [("train", 3), ("val", 3)]
    assert [problem["code"] for problem in report["problems"]] == ["duplicate_across"]  # one seed is in both
    assert path.read_bytes() == before


def test_what_is_no_dataset_is_said_in_a_sentence(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "words.zip").write_text("no zip")
    assert (
        "not a complete zip"
        in shell.run("datasets", "check", str(tmp_path / "words.zip"), code=2, TRAINYARD_URL=NOWHERE).err
    )
    (tmp_path / "empty").mkdir()
    assert (
        "holds no files" in shell.run("datasets", "check", str(tmp_path / "empty"), code=2, TRAINYARD_URL=NOWHERE).err
    )
    assert "There is no ./nowhere" in shell.run("datasets", "check", "./nowhere", code=2, TRAINYARD_URL=NOWHERE).err


def test_a_dataset_of_the_backend_is_asked_for_by_its_id(shell: Shell, tmp_path: Path) -> None:
    files = yolo(6300)
    files["images/val/6.png"] = b"broken"
    shell.run("datasets", "add", str(write_zip(tmp_path / "there.zip", files)))
    said = shell.run("datasets", "check", "there", code=1).out
    assert "images/val/6.png" in said
    before = shell.backend.ask("GET", "/v1/datasets/there/check")["checked_at"]
    shell.run("datasets", "check", "there", "--again", code=1)
    assert shell.backend.ask("GET", "/v1/datasets/there/check")["checked_at"] > before
    assert "1 error " in shell.run("datasets", "list").out
    assert "There is no dataset nowhere" in shell.run("datasets", "check", "nowhere", code=1).err


def test_ctrl_c_ends_the_checker_too(tmp_path: Path) -> None:
    files = yolo(6400) | {f"images/train/large-{n}.jpg": picture(n, (3000, 2000), "JPEG") for n in range(60)}
    path = write_zip(tmp_path / "large.zip", files)
    env = os.environ | {"TRAINYARD_DATA_DIR": str(tmp_path / "data")}
    process = subprocess.Popen([*CLI, "datasets", "check", str(path)], env=env, stdin=subprocess.DEVNULL)
    parent = psutil.Process(process.pid)
    started = wait_for(
        "the checker and its reader", lambda: found if len(found := parent.children(recursive=True)) == 2 else None
    )
    process.send_signal(signal.SIGINT)
    assert process.wait(120) == 130
    wait_for("both to be gone", lambda: not [child for child in started if child.is_running()])
