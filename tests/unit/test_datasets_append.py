"""Files are added to a zip; what it held stays as it was, byte for byte."""

import shutil
import zipfile
from pathlib import Path

import pytest

from trainyard.datasets import spool
from trainyard.datasets.append import append
from trainyard.datasets.archive import open_archive
from trainyard.errors import InvalidInput, Unavailable

MORE = {"labels/1.txt": b"0 .5 .5 1 1\n", "labels/고.txt": b"", "data.yaml": b"names: [a]\n"}


def made(path: Path, count: int = 2) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = b"a comment"
        for number in range(count):
            archive.writestr(f"images/{number}.jpg", b"x" * 50)
    return path


def names(path: Path) -> list[str]:
    with open_archive(path, 10**12) as checked:  # compares what stands beside the data as well
        assert checked.zip.testzip() is None
        return list(checked.files)


def test_added_files_stand_behind_those_that_were_there(tmp_path: Path) -> None:
    path = made(tmp_path / "a.zip")
    before = path.read_bytes()
    append(path, MORE)
    assert names(path) == ["images/0.jpg", "images/1.jpg", *MORE]
    with zipfile.ZipFile(path) as archive:
        assert {name: archive.read(name) for name in MORE} == MORE
        assert {info.date_time for info in archive.infolist()[2:]} == {(1980, 1, 1, 0, 0, 0)}
        start = archive.start_dir
    data_end = before.index(b"PK\1\2")
    assert path.read_bytes()[:data_end] == before[:data_end]
    old_directory = before[data_end : before.index(b"PK\5\6")]
    assert path.read_bytes()[start : start + len(old_directory)] == old_directory


def test_names_that_are_not_marked_as_utf8_stay_as_they_are_in_both_places(tmp_path: Path) -> None:
    path = made(tmp_path / "a.zip")
    path.write_bytes(path.read_bytes().replace(b"images/", "개".encode("cp949") * 3 + b"/"))
    before = path.read_bytes()
    old = names(path)
    append(path, MORE)
    assert names(path) == [*old, *MORE]
    assert before[before.index(b"PK\1\2") : before.index(b"PK\5\6")] in path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "out")  # as trainers do
        assert archive.read(old[0]) == b"x" * 50


def test_more_entries_than_the_short_directory_can_count(tmp_path: Path) -> None:
    path = made(tmp_path / "a.zip", 40_000)
    append(path, {f"labels/{number}.txt": b"" for number in range(40_000)})
    assert len(names(path)) == 80_000


def test_a_zip_beyond_four_gigabytes_is_added_to(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images/1.jpg", b"x")
        archive.start_dir += 2**32  # a hole, which takes no disk
        archive.writestr("images/2.jpg", b"y")
    append(path, MORE)
    assert names(path) == ["images/1.jpg", "images/2.jpg", *MORE]
    with zipfile.ZipFile(path) as archive:
        assert archive.getinfo("data.yaml").header_offset > 2**32


def test_a_program_with_a_zip_behind_it_is_not_added_to(tmp_path: Path) -> None:
    path = made(tmp_path / "a.zip")
    path.write_bytes(b"#!program\n" + path.read_bytes())
    with pytest.raises(InvalidInput, match="does not begin with its first file"):
        append(path, MORE)


def test_a_disk_that_is_nearly_full_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = made(tmp_path / "a.zip")
    before = path.read_bytes()
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(spool, "RESERVE_BYTES", usage.total * 2)
    with pytest.raises(Unavailable, match="no room for the upload"):
        append(path, MORE)
    assert path.read_bytes() == before
