"""`trainyard predict`: tables, JSON and files, for one picture and for folders."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import backends
from tests.real.backend import Backend
from tests.real.predicting import job_with, picture, put_checkpoint, trainers
from tests.real.s3server import S3Server
from tests.real.shell import Shell, ends

BOX = {"label": "cat", "box": [0.25, 0.25, 0.75, 0.75]}


@pytest.fixture(scope="module")
def asked(s3_server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    folder = tmp_path_factory.mktemp("asked")
    with backends(s3_server, folder) as make:
        yield make(trainers_dir=str(trainers(folder)), max_predict_mb="1").start().with_sample()


@pytest.fixture
def shell(asked: Backend, tmp_path: Path) -> Shell:
    (tmp_path / "street.png").write_bytes(picture(400, 200))
    return Shell(asked, tmp_path)


def test_one_picture_is_a_table_of_what_was_found(shell: Shell) -> None:
    job_id = job_with(shell.backend, BOX)
    said = shell.run("predict", "last", "street.png")
    assert said.out.splitlines()[0] == "street.png  400x200"
    assert said.out.splitlines()[2].split() == ["cat", "90.0", "%", "100,", "50,", "300,", "150"]
    assert f"1 picture shown to checkpoints/job-{job_id}/best.pt" in said.err
    assert "\x1b" not in said.out + said.err


def test_a_classifiers_scores_are_listed_and_nothing_found_is_said(shell: Shell) -> None:
    job_id = job_with(shell.backend, {"label": "고양이", "scores": {"[dog]": 0.1, "고양이": 0.9}})
    said = shell.run("predict", job_id, "street.png")
    assert [line.split() for line in said.out.splitlines()[2:]] == [["고양이", "90.0", "%"], ["[dog]", "10.0", "%"]]
    assert "nothing found" in shell.run("predict", job_id, "street.png", "--confidence", "0.99").out


def test_saved_pictures_lie_beside_what_was_there_and_overwrite_nothing(shell: Shell, tmp_path: Path) -> None:
    job_id = job_with(shell.backend, BOX)
    (tmp_path / "street.bmp").write_bytes(picture(500, 400, "BMP"))
    (tmp_path / "found").mkdir()
    (tmp_path / "found" / "street-predicted.jpg").write_text("mine")
    said = shell.run("predict", job_id, "street.png", "street.bmp", "--save", "found")
    assert (tmp_path / "found" / "street-predicted.jpg").read_text() == "mine"
    sizes = []
    for number in (2, 3):
        with Image.open(tmp_path / "found" / f"street-predicted-{number}.jpg") as saved:
            sizes.append(saved.size)
    assert sizes == [(480, 240), (500, 400)]
    assert "→ found/street-predicted-2.jpg" in said.out


def test_a_folder_is_sent_in_parts_that_fit_and_answered_as_one_document(shell: Shell, tmp_path: Path) -> None:
    job_id = job_with(shell.backend, BOX)
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(20):
        (folder / f"{number:02}.jpg").write_bytes(picture(40 + number, 30, "JPEG"))
    for number in range(20, 23):  # two of them are more than a request may hold
        Image.effect_noise((700, 600), 100).save(folder / f"{number}.png")
    (folder / "notes.txt").write_text("no picture")
    told = shell.json("predict", job_id, "many", "many/00.jpg")
    assert told["job"] == job_id
    assert [one["file"] for one in told["pictures"]] == [f"many/{path.name}" for path in sorted(folder.glob("*.*g"))]
    assert told["pictures"][3]["predictions"] == [
        {"label": "cat", "confidence": 0.9, "box": [10.75, 7.5, 32.25, 22.5]},
    ]


def test_the_checkpoint_can_be_chosen_and_a_missing_best_is_said(shell: Shell) -> None:
    job_id = job_with(shell.backend, {"label": "late"}, "last")
    said = shell.run("predict", job_id, "street.png")
    assert "late" in said.out
    assert "There is no best checkpoint; this is the last one." in said.err
    put_checkpoint(shell.backend, job_id, {"label": "third"}, "epoch-3")
    assert "third" in shell.run("predict", job_id, "street.png", "--checkpoint", "epoch-3").out
    assert "no checkpoint best" in shell.run("predict", job_id, "street.png", "--checkpoint", "best", code=1).err


def test_what_is_wrong_is_said_before_anything_is_sent_or_by_the_picture(shell: Shell, tmp_path: Path) -> None:
    job_id = job_with(shell.backend, BOX)
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.jpg").write_bytes(b"no picture at all")
    (tmp_path / "huge.bmp").write_bytes(bytes(2 << 20))
    for path, words in (("nowhere.jpg", "no nowhere.jpg"), ("empty", "no pictures"), ("huge.bmp", "too large")):
        assert words in shell.run("predict", job_id, path, code=2).err
    said = shell.run("predict", job_id, "street.png", "broken.jpg", code=1).err
    assert "Picture 2 (broken.jpg) is no picture" in said


def test_tables_fit_into_a_narrow_terminal(shell: Shell) -> None:
    job_id = job_with(shell.backend, BOX)
    code, said = ends(shell.terminal("predict", job_id, "street.png", columns=30))
    assert code == 0
    assert "cat" in said
    assert json.dumps(said).count("left, top") == 0  # the least important column went first
