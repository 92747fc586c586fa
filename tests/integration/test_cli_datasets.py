"""`trainyard datasets` and `trainers`."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.real.backend import Backend
from tests.real.shell import Shell


@pytest.fixture
def shell(shared: Backend, tmp_path: Path) -> Shell:
    return Shell(shared, tmp_path)


def pictures(folder: Path, shade: int = 0) -> Path:
    """A folder a class, four pictures each, and what file managers leave behind."""
    for number, name in enumerate(("apple", "pear")):
        (folder / name).mkdir(parents=True)
        for index in range(4):
            colour = (40 * index, 100 * number + shade, 7)
            Image.new("RGB", (32, 32), colour).save(folder / name / f"{index}.png")
    (folder / ".DS_Store").write_bytes(b"\0\1")
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX" / "._0.png").write_bytes(b"\0\2")
    return folder


def ids(shell: Shell) -> set[str]:
    return {dataset["id"] for dataset in shell.json("datasets", "list")}


def test_a_folder_is_packed_uploaded_shown_and_removed(shell: Shell, tmp_path: Path) -> None:
    said = shell.run("datasets", "add", str(pictures(tmp_path / "My Fruit")))
    assert "trainyard train --dataset my-fruit" in said.out
    shown = shell.json("datasets", "show", "my-fruit")
    assert (shown["name"], shown["tasks"]) == ("My Fruit", ["classify"])
    assert shown["summary"]["pictures"] == 8
    listed = shell.run("datasets", "list").out
    assert "My Fruit" in listed
    assert "apple, pear" in shell.run("datasets", "show", "my-fruit").out
    shell.run("datasets", "remove", "my-fruit")
    assert "my-fruit" not in ids(shell)
    assert "There is no dataset my-fruit" in shell.run("datasets", "show", "my-fruit", code=1).err


def test_a_zip_is_taken_under_the_name_and_id_that_are_given(shell: Shell, tmp_path: Path) -> None:
    folder = pictures(tmp_path / "fruit", shade=1)
    with zipfile.ZipFile(tmp_path / "fruit.zip", "w") as archive:
        for file in sorted(folder.glob("*/*.png")):
            archive.write(file, file.relative_to(folder))
    added = shell.json("datasets", "add", str(tmp_path / "fruit.zip"), "--name", "Fruit 2", "--id", "fruit-two")
    assert (added["id"], added["name"]) == ("fruit-two", "Fruit 2")
    other = pictures(tmp_path / "other", shade=2)
    said = shell.run("datasets", "add", str(other), "--id", "fruit-two", code=1)
    assert "fruit-two" in said.err
    assert "Choose another id" in said.err


def test_a_corrupt_zip_is_refused_in_a_sentence_and_nothing_is_kept(shell: Shell, tmp_path: Path) -> None:
    before = ids(shell)
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w") as archive:
        for file in sorted(pictures(tmp_path / "fruit").glob("*/*.png")):
            archive.write(file, file.relative_to(tmp_path / "fruit"))
    (tmp_path / "cut.zip").write_bytes(whole.read_bytes()[:-200])
    (tmp_path / "words.zip").write_text("no zip at all")
    for name in ("cut.zip", "words.zip"):
        said = shell.run("datasets", "add", str(tmp_path / name), code=1)
        assert "not a complete zip" in said.err
        assert "Traceback" not in said.err
    assert ids(shell) == before
    kept = [path.suffix for path in (shell.backend.folder / "data" / "spool").iterdir()]
    assert set(kept) <= {".json"}, kept  # of finished uploads, which may be asked for again


def test_what_is_no_dataset_is_said_before_or_after_the_upload(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "holds no files" in shell.run("datasets", "add", str(tmp_path / "empty"), code=2).err
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.txt").write_text("words")
    assert "no pictures" in shell.run("datasets", "add", str(tmp_path / "text"), code=1).err
    assert "There is no" in shell.run("datasets", "add", str(tmp_path / "nowhere"), code=2).err
    assert "Give a path" in shell.run("datasets", "add", code=2).err


def test_a_sample_is_loaded_once(shell: Shell) -> None:
    first = shell.json("datasets", "add", "--sample", "cats-dogs")
    again = shell.json("datasets", "add", "--sample", "cats-dogs")
    assert (first["id"], first["created_at"]) == (again["id"], again["created_at"])
    assert first["summary"]["pictures"] == 50
    said = shell.run("datasets", "add", "--sample", "lions", code=1)
    assert "cats-dogs" in said.err


def test_a_dataset_in_use_stays(shell: Shell) -> None:
    job_id = shell.backend.submit(epochs=5000)
    said = shell.run("datasets", "remove", "cats-dogs-classes", code=1)
    assert job_id in said.err
    assert "cats-dogs-classes" in ids(shell)
    shell.run("cancel", job_id)
    shell.backend.wait_state(job_id, "CANCELLED")


def test_an_id_can_t_lead_a_request_elsewhere(shell: Shell) -> None:
    for text in ("../jobs", "a/b", "a?b=c", "%2e%2e"):
        assert "is no dataset's id" in shell.run("datasets", "remove", text, code=2).err


def test_trainers_are_listed_with_their_models_and_one_with_its_parameters(shell: Shell) -> None:
    assert "detect" in shell.run("trainers").out
    listed = [trainer["framework"] for trainer in shell.json("trainers")]
    assert "probe" in listed
    one = shell.run("trainers", "probe").out
    assert "tiny (default)" in one
    assert "epoch_seconds" in one
    assert "1 … 100000" in one
    assert f"There are: {', '.join(listed)}" in shell.run("trainers", "nope", code=1).err


def test_a_trainer_that_can_t_be_read_is_listed_with_the_reason(
    make_backend: Callable[..., Backend], tmp_path: Path
) -> None:
    broken = tmp_path / "trainers" / "trainer-broken"
    broken.mkdir(parents=True)
    (broken / "trainer.toml").write_text('framework = "broken"\ntitle = ')
    shell = Shell(make_backend(trainers_dir=str(broken.parent)).start(), tmp_path)
    said = shell.run("trainers").out
    assert "broken can't be used" in said
    assert "trainer.toml" in said
