"""What looking at a dataset's pictures may cost, and what is said where it costs more."""

import asyncio
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.test_s07_picture_bombs import jpeg_of_many_scans
from tests.real.zips import BOX, picture, write_zip, yolo
from trainyard.datasets.check import run
from trainyard.datasets.check.decoder import Decoder, Seen
from trainyard.datasets.check.index import IndexReader
from trainyard.datasets.lanes import Lane
from trainyard.errors import Unavailable

MAX_PIXELS, MAX_UNPACKED = 50_000_000, 2**30


@pytest.fixture
def decoder() -> Iterator[Decoder]:
    decoder = Decoder(MAX_PIXELS, 0.5)
    yield decoder
    decoder.close()


def checked(path: Path, decoder: Decoder, index: Path | None = None) -> dict[str, Any]:
    said: list[dict[str, Any]] = []
    run.check(path, "", index, decoder, MAX_UNPACKED, said.append)
    return said[-1]


def test_after_some_pictures_that_take_too_long_no_more_are_opened_and_the_report_says_so(
    decoder: Decoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "MOST_SLOW", 2)
    files: dict[str, bytes | str] = {"data.yaml": yolo()["data.yaml"]}
    for name in ("train/0.jpg", "train/1.jpg", "train/2.jpg", "val/3.jpg"):
        files[f"images/{name}"] = jpeg_of_many_scans()
        files[f"labels/{name[:-4]}.txt"] = BOX
    said = checked(write_zip(tmp_path / "slow.zip", files), decoder, tmp_path / "index.db")
    problems = {(one["code"], one["split"]): one for one in said["report"]["problems"]}
    assert problems["unreadable_picture", "train"]["count"] == 2
    left = problems["not_checked", "train"]
    assert (left["severity"], left["count"], left["files"]) == ("warning", 1, ["images/train/2.jpg"])
    assert "2 before them took too long" in left["message"]
    assert problems["not_checked", "val"]["count"] == 1
    assert said["refusals"] == []  # nobody knows
    assert said["report"]["splits"]["val"]["boxes"] == 1
    _, rows = IndexReader(tmp_path / "index.db").page({"problem": "not_checked"}, 0, 10)
    assert [(row.name, row.width) for row in rows] == [("images/train/2.jpg", None), ("images/val/3.jpg", None)]


def test_a_check_opens_pictures_for_so_long_and_no_longer(
    decoder: Decoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "MOST_SECONDS", 0.0)
    said = checked(write_zip(tmp_path / "pets.zip", yolo()), decoder)
    counts = {(one["code"], one["split"]): one["count"] for one in said["report"]["problems"]}
    assert counts == {("not_checked", "train"): 6, ("not_checked", "val"): 3}
    monkeypatch.undo()
    assert checked(tmp_path / "pets.zip", decoder)["report"]["problems"] == []


def test_a_picture_is_not_at_fault_where_no_process_can_be_started(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as now:
        now.setattr("sys.executable", "/nowhere/python")
        with pytest.raises(Unavailable, match="no process can be started"):
            decoder.look(picture(1))
    assert isinstance(decoder.look(picture(1)), Seen)


def test_a_lane_takes_so_many_calls_and_each_place_is_free_again() -> None:
    go = threading.Event()

    async def crowd() -> None:
        lane = Lane("test", 1, 2)
        first, second = (asyncio.create_task(lane.run(go.wait)) for _ in range(2))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await lane.run(go.wait)
        go.set()
        assert await first
        assert await second
        with pytest.raises(subprocess.SubprocessError):
            await lane.run(fail)
        assert [await lane.run(len, "ab") for _ in range(3)] == [2, 2, 2]
        lane.close()
        with pytest.raises(RuntimeError):
            await lane.run(len, "ab")

    def fail() -> None:
        raise subprocess.SubprocessError

    asyncio.run(crowd())
