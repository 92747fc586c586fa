"""Datasets are looked at, picture by picture, before they are trained on: in a process that they may well end."""

import io
import json
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image

from tests.faults.test_s07_picture_bombs import jpeg_of_many_scans, png_bomb
from tests.real.backend import TOKEN, Backend, wait_for
from tests.real.stored import store_of
from tests.real.zips import BOX, DATA_YAML, folders, picture, write_zip, yolo

MB = 1 << 20
LARGE = 300
CHECKER = [sys.executable, "-m", "trainyard.datasets.check"]


def upload(backend: Backend, path: Path, **query: str) -> str:
    return str(backend.ask("POST", "/v1/datasets", params=query, content=path.read_bytes(), timeout=120)["id"])


def report_of(backend: Backend, dataset_id: str, seconds: float = 120) -> dict[str, Any]:
    """Once it was checked."""

    def look() -> dict[str, Any] | None:
        report = backend.ask("GET", f"/v1/datasets/{dataset_id}/check")
        return report if report["state"] in ("done", "failed") else None

    return wait_for(f"{dataset_id} to be checked", look, seconds)


def checked(backend: Backend, tmp_path: Path, name: str, files: dict[str, bytes | str]) -> dict[str, Any]:
    return report_of(backend, upload(backend, write_zip(tmp_path / f"{name}.zip", files), name=name))


def files_of(report: dict[str, Any]) -> dict[tuple[str, str], list[str]]:
    """By code and severity."""
    found: dict[tuple[str, str], list[str]] = {}
    for problem in report["problems"]:
        found.setdefault((problem["code"], problem["severity"]), []).extend(problem["files"])
    return found


def listed(backend: Backend, dataset_id: str, **query: object) -> dict[str, Any]:
    return backend.ask("GET", f"/v1/datasets/{dataset_id}/pictures", params=query)


def checkers(backend: Backend) -> list[psutil.Process]:
    """The processes that check for this backend, and those that open pictures for them."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if str(backend.folder / "data" / "checks") in " ".join(process.cmdline()):
                found += [process, *process.children()]
    return [process for process in found if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def many(count: int, size: tuple[int, int] = (16, 16), form: str = "PNG") -> dict[str, bytes | str]:
    files: dict[str, bytes | str] = {"data.yaml": DATA_YAML}
    for number in range(count):
        split = "val" if number % 5 == 0 else "train"
        files[f"images/{split}/{number}.{form.lower()}"] = picture(number, size, form)
        files[f"labels/{split}/{number}.txt"] = f"{number % 2} .5 .5 .4 .4\n"
    return files


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Takes ten seconds and more to check: time to do something to it."""
    return write_zip(tmp_path_factory.mktemp("large") / "large.zip", many(LARGE, (1600, 1200), "JPEG"))


# -- what is found --------------------------------------------------------------------------------------------------


def test_every_planted_problem_is_found_with_its_file(shared: Backend, tmp_path: Path) -> None:
    files = yolo(100, train=8, val=3)
    sound = files["images/train/0.png"]
    assert isinstance(sound, bytes)
    jpeg = picture(1, (300, 200), "JPEG")
    files |= {
        "images/train/cut.jpg": jpeg[: len(jpeg) // 2],
        "images/train/empty.jpg": b"",
        "images/train/words.png": b"no picture",
        "images/val/again.png": sound,
        "images/train/twice.png": sound,
        "images/train/bomb.png": png_bomb(19_000, 19_000),
        "images/train/unlabelled.png": picture(900),
        "images/elsewhere/1.png": picture(901),
        "labels/train/nothing.txt": BOX,
        "labels/train/0.txt": "0 .5 .5 .4 .4\nzero .5 .5 .4 .4\n",
        "labels/train/1.txt": "7 .5 .5 .4 .4\n",
        "labels/train/2.txt": "0 .9 .5 .4 .4\n",
        "labels/train/3.txt": "0 12 8 4 4\n",
        "labels/train/4.txt": "0 .5 .5 0 .4\n",
        "labels/train/5.txt": "0 .5 .5 .01 .01\n",
        "labels/train/6.txt": "",
        "notes.xlsx": "x",
    }
    files |= {f"labels/train/{name}.txt": BOX for name in ("cut", "empty", "words", "bomb", "twice")}
    files["labels/val/again.txt"] = BOX
    report = checked(shared, tmp_path, "planted", files)
    assert report["state"] == "done"
    assert files_of(report) == {
        ("unreadable_picture", "error"): [f"images/train/{name}" for name in ("cut.jpg", "empty.jpg", "words.png")],
        ("picture_too_large", "error"): ["images/train/bomb.png"],
        ("duplicate_inside", "warning"): ["images/train/twice.png"],
        ("duplicate_across", "error"): ["images/val/again.png"],
        ("missing_label", "warning"): ["images/train/unlabelled.png"],
        ("unknown_file", "warning"): ["images/elsewhere/1.png", "labels/train/nothing.txt", "notes.xlsx"],
        ("label_unreadable", "error"): ["labels/train/0.txt:2"],
        ("class_out_of_range", "error"): ["labels/train/1.txt:1"],
        ("box_outside", "warning"): ["labels/train/2.txt:1"],
        ("box_outside", "error"): ["labels/train/3.txt:1"],
        ("box_degenerate", "error"): ["labels/train/4.txt:1"],
        ("box_degenerate", "warning"): ["labels/train/5.txt"],
    }
    assert "19000x19000" in next(p["message"] for p in report["problems"] if p["code"] == "picture_too_large")
    train = report["splits"]["train"]
    assert (train["pictures"], train["empty"]) == (14, 1)
    assert (report["done_pictures"], report["pictures"]) == (18, 18)
    assert report["formats"] == {"PNG": 14}
    assert report["sizes"]["median"] == [32, 24]
    assert report["not_ready_because"] == [
        "Labels in train are of classes that data.yaml does not name: 1 (labels/train/1.txt:1, for one)."
    ]
    dataset = shared.ask("GET", "/v1/datasets/planted")
    errors = sum(problem["count"] for problem in report["problems"] if problem["severity"] == "error")
    assert dataset["check"] == {
        "state": "done",
        "progress": 1.0,
        "errors": errors,
        "warnings": report["warnings"],
    }
    assert (dataset["ready"], dataset["not_ready_because"]) == (False, report["not_ready_because"])


def test_class_folders_are_checked_for_balance_and_validation(shared: Backend, tmp_path: Path) -> None:
    files = folders(2000, per_class=2, splits=("train",))
    files |= {f"train/apple/more-{n}.png": picture(2100 + n) for n in range(30)}
    files["train/plum/1.png"] = b"broken"
    report = checked(shared, tmp_path, "fruit", files)
    assert {problem["code"]: problem["count"] for problem in report["problems"]} == {
        "unreadable_picture": 1,
        "no_validation": 1,
        "class_missing": 1,
        "imbalance": 1,
    }
    assert report["not_ready_because"] == []
    assert [kind["pictures"] for kind in report["classes"]] == [{"train": 32}, {"train": 2}, {}]


def test_a_picture_turned_by_its_camera_counts_as_it_is_seen_and_is_the_same_in_another_format(
    shared: Backend, tmp_path: Path
) -> None:
    files = yolo(300)
    upright = Image.open(io.BytesIO(picture(301)))
    turned, exif, again = io.BytesIO(), Image.Exif(), io.BytesIO()
    exif[0x0112] = 6  # to be turned by a quarter to be upright
    upright.transpose(Image.Transpose.ROTATE_90).save(turned, "PNG", exif=exif)
    upright.save(again, "BMP")
    files |= {"images/train/turned.png": turned.getvalue(), "labels/train/turned.txt": BOX}
    files |= {"images/train/again.bmp": again.getvalue(), "labels/train/again.txt": BOX}
    report = checked(shared, tmp_path, "turned", files)
    for item in listed(shared, "turned")["items"]:
        with Image.open(io.BytesIO(shared.http.get(item["thumbnail_url"]).content)) as small:
            assert small.size == (item["width"], item["height"]) == (32, 24), item["name"]
    assert files_of(report) == {("duplicate_inside", "warning"): ["images/train/turned.png", "images/train/again.bmp"]}
    assert report["sizes"] == {"min": [32, 24], "median": [32, 24], "max": [32, 24]}


def test_samples_are_checked_by_themselves_and_events_tell(backend_on: Backend) -> None:
    backend = backend_on
    report = report_of(backend, "cats-dogs-classes")
    assert report["problems"] == []
    with backend.http.stream("GET", "/v1/events", headers={"Last-Event-ID": "0"}) as stream:
        said: list[dict[str, Any]] = []
        for line in stream.iter_lines():
            if line.startswith("data:"):
                said.append(json.loads(line[5:]))
            if said and said[-1]["type"] == "dataset_checked":
                break
    assert "dataset_checking" in [event["type"] for event in said]
    assert said[-1]["data"] == {
        "dataset_id": "cats-dogs-classes",
        "state": "done",
        "errors": 0,
        "warnings": 0,
        "ready": True,
    }
    backend.stop()
    backend.start()
    assert backend.ask("GET", "/v1/datasets/cats-dogs-classes")["check"]["state"] == "done"


# -- what is refused at submit --------------------------------------------------------------------------------------


def test_a_training_that_can_only_fail_is_refused_and_a_doubtful_one_is_not(shared: Backend, tmp_path: Path) -> None:
    broken = folders(400)
    broken = {name: b"broken" if name.startswith("train/apple") else content for name, content in broken.items()}
    checked(shared, tmp_path, "no-apples", broken)
    body = {"framework": "probe", "dataset_id": "no-apples", "params": {"epochs": 1}}
    answer = shared.http.post("/v1/jobs", json=body)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["field"] == "dataset_id"
    assert "not ready because: Fewer than two classes" in error["message"]
    doubtful = folders(440)
    doubtful["train/apple/0.png"] = b"broken"
    checked(shared, tmp_path, "one-bad-apple", doubtful)
    job_id = shared.submit(dataset_id="one-bad-apple", epochs=1)
    shared.wait_end(job_id)
    assert shared.ask("GET", "/v1/datasets/one-bad-apple")["jobs"] == 1


def test_what_is_still_being_checked_may_be_trained_on(shared: Backend, large: Path, tmp_path: Path) -> None:
    upload(shared, large, name="large-submit")
    waiting = upload(shared, write_zip(tmp_path / "w.zip", folders(480)), name="waiting")
    checker, _ = wait_for("both processes", lambda: found if len(found := checkers(shared)) == 2 else None)
    checker.suspend()  # so that it is still at it however long the training takes
    try:
        assert shared.ask("GET", f"/v1/datasets/{waiting}")["check"]["state"] == "waiting"
        shared.wait_end(shared.submit(dataset_id=waiting, epochs=1))
        assert shared.http.get(f"/v1/datasets/{waiting}/pictures").status_code == 409
    finally:
        checker.resume()
    shared.ask("DELETE", "/v1/datasets/large-submit")
    assert report_of(shared, waiting)["state"] == "done"


# -- hostile pictures, and processes that die -----------------------------------------------------------------------


def test_pictures_that_end_or_hang_their_reader_are_named_and_the_rest_is_checked(tmp_path: Path) -> None:
    files = yolo(500)
    hostile = {
        "images/train/a-bomb.png": png_bomb(19_000, 19_000),
        "images/train/b-scans.jpg": jpeg_of_many_scans(),  # minutes of computing
        "images/train/c-large.png": png_bomb(6_900, 7_000),  # allowed, and opened
    }
    files |= hostile | {name.replace("images", "labels")[:-3] + "txt": BOX for name in hostile}
    path = write_zip(tmp_path / "hostile.zip", files)
    options = ["--max-pixels", "50000000", "--picture-seconds", "4", "--index", str(tmp_path / "index.db")]
    done = subprocess.run([*CHECKER, str(path), *options], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])["report"]
    assert files_of(report) == {
        ("picture_too_large", "error"): ["images/train/a-bomb.png"],
        ("unreadable_picture", "error"): ["images/train/b-scans.jpg"],
    }
    unreadable = next(p for p in report["problems"] if p["code"] == "unreadable_picture")
    assert "takes longer than 4 s of computing" in unreadable["message"]
    assert report["formats"] == {"PNG": 10}


def test_a_checker_that_is_killed_is_started_again_and_so_is_what_opens_pictures(shared: Backend, large: Path) -> None:
    dataset_id = upload(shared, large, dataset_id="killed")
    checker, decoder = wait_for("both processes", lambda: found if len(found := checkers(shared)) == 2 else None)
    decoder.kill()
    wait_for("another one", lambda: len(found := checkers(shared)) == 2 and found[1].pid != decoder.pid)
    checker.kill()
    report = report_of(shared, dataset_id, 120)
    assert (report["state"], report["errors"], report["done_pictures"]) == ("done", 0, LARGE)
    wait_for("all to be gone", lambda: not checkers(shared))


def test_it_holds_no_secret_and_is_gone_with_the_dataset(shared: Backend, large: Path) -> None:
    dataset_id = upload(shared, large, dataset_id="removed")
    found = wait_for("both processes", lambda: found if len(found := checkers(shared)) == 2 else None)
    for process in found:
        assert not [name for name in process.environ() if name.startswith(("TRAINYARD", "AWS", "MINIO"))]
        assert TOKEN not in str(process.environ())
        assert process.nice() > 0
    shared.ask("DELETE", f"/v1/datasets/{dataset_id}")
    wait_for("all to be gone", lambda: not checkers(shared))
    wait_for("its files to be gone", lambda: not list((shared.folder / "data" / "checks" / "work").iterdir()))


def test_a_backend_that_is_killed_takes_its_checkers_along_and_goes_on_after_its_start(
    make_backend: Callable[..., Backend], large: Path
) -> None:
    backend = make_backend().start()
    dataset_id = upload(backend, large, name="large")
    wait_for("both processes", lambda: len(checkers(backend)) == 2)
    backend.kill()
    wait_for("all to be gone", lambda: not checkers(backend))
    backend.start()
    report = report_of(backend, dataset_id, 120)
    assert (report["state"], report["done_pictures"]) == ("done", LARGE)
    wait_for("its files to be gone", lambda: not list((backend.folder / "data" / "checks" / "work").iterdir()))


def computed() -> float:
    """By processes that have ended: whatever else this machine does counts for nothing."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Most:
    """The most memory that each process held, by what it does."""

    def __init__(self) -> None:
        self.held: dict[str, int] = {}

    def look(self, process: psutil.Process) -> None:
        with suppress(psutil.Error):
            for one in (process, *process.children()):
                if len(arguments := one.cmdline()) < 4:  # not quite started yet
                    continue
                name = arguments[3]
                self.held[name] = max(self.held.get(name, 0), one.memory_info().rss)


def test_ten_thousand_pictures_are_checked_in_seconds_and_little_memory(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "many.zip", many(10_000))
    began, most = computed(), Most()
    options = ["--max-pixels", "50000000", "--index", str(tmp_path / "index.db")]
    with subprocess.Popen([sys.executable, "-P", *CHECKER[1:], str(path), *options], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        told: list[dict[str, Any]] = []
        for line in process.stdout:
            told.append(json.loads(line))
            most.look(psutil.Process(process.pid))
    seconds = computed() - began
    held = {name: count // MB for name, count in most.held.items()}
    print(f"10,000 pictures: {seconds:.1f} s of computing, {held} MB")
    assert told[-1]["report"]["problems"] == []
    assert len(told) >= 3  # it says how far it is
    assert len(most.held) == 2
    assert max(most.held.values()) < 200 * MB
    assert seconds < 30


# -- pictures -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browsed(shared: Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    files = yolo(700, train=20, val=5)
    files["images/train/broken_100%.png"] = b"broken"
    files["images/val/<b>.jpg"] = picture(777, (900, 600), "JPEG")
    files["labels/val/<b>.txt"] = "1 .5 .5 .5 .5\n"
    path = tmp_path_factory.mktemp("browsed") / "browsed.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    dataset_id = upload(shared, path, name="browsed")
    report_of(shared, dataset_id)
    yield dataset_id


def test_pictures_are_listed_by_pages_and_filters(shared: Backend, browsed: str) -> None:
    page = listed(shared, browsed, limit=10)
    assert (page["total"], len(page["items"])) == (27, 10)
    everything = page["items"] + listed(shared, browsed, offset=10, limit=500)["items"]
    assert [item["index"] for item in everything] == list(range(27))
    assert listed(shared, browsed, split="val")["total"] == 6
    assert listed(shared, browsed, label="dog", split="train")["total"] == 10
    (broken,) = listed(shared, browsed, problem="unreadable_picture")["items"]
    assert (broken["name"], broken["width"]) == ("images/train/broken_100%.png", None)
    assert broken["problems"] == ["unreadable_picture", "missing_label"]
    assert listed(shared, browsed, problem="any")["total"] == 1
    assert [item["name"] for item in listed(shared, browsed, search="_100%")["items"]] == [broken["name"]]
    (dog,) = listed(shared, browsed, search="<b>")["items"]
    assert dog["labels"] == [{"label": "dog", "box": [0.25, 0.25, 0.75, 0.75]}]
    assert (dog["width"], dog["height"], dog["split"]) == (900, 600, "val")
    assert shared.http.get(f"/v1/datasets/{browsed}/pictures?problem=nonsense").status_code == 422


def test_thumbnails_and_files_come_out_of_the_zip(shared: Backend, browsed: str) -> None:
    (dog,) = listed(shared, browsed, search="<b>")["items"]
    answer = shared.http.get(dog["thumbnail_url"])
    assert answer.headers["content-type"] == "image/jpeg"
    with Image.open(io.BytesIO(answer.content)) as small:
        assert (small.format, small.size) == ("JPEG", (256, 171))
    assert "immutable" in answer.headers["cache-control"]
    whole = shared.http.get(dog["url"])
    assert whole.content == picture(777, (900, 600), "JPEG")
    assert "sandbox" in whole.headers["content-security-policy"]
    assert whole.headers["x-content-type-options"] == "nosniff"
    (broken,) = listed(shared, browsed, problem="unreadable_picture")["items"]
    assert shared.http.get(broken["thumbnail_url"]).status_code == 422
    assert shared.http.get(broken["url"]).content == b"broken"
    assert shared.http.get(f"/v1/datasets/{browsed}/pictures/27/file").status_code == 404


def decoders(backend: Backend) -> list[psutil.Process]:
    """That make thumbnails."""
    assert backend.process is not None
    found: list[psutil.Process] = []
    for child in psutil.Process(backend.process.pid).children():
        with suppress(psutil.Error):  # it has ended
            found += [child] if "trainyard.datasets.check.decode" in child.cmdline() else []
    return found


def test_pictures_that_take_for_ever_keep_nobody_else_waiting(shared: Backend, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "waited-for.zip", yolo(1300, train=60, val=1))
    dataset_id = upload(shared, path, name="waited-for")
    report_of(shared, dataset_id)
    first, second, *others = [item["thumbnail_url"] for item in listed(shared, dataset_id)["items"]]
    for url in (first, second):
        assert shared.http.get(url).status_code == 200
    stopped = wait_for("both decoders", lambda: found if len(found := decoders(shared)) == 2 else None)
    for process in stopped:
        process.suspend()
    try:
        with ThreadPoolExecutor(len(others)) as pool:
            asked = [pool.submit(shared.http.get, url, timeout=120) for url in others]
            for process in stopped:
                wait_for("a picture for it", lambda one=process: one.status() == psutil.STATUS_STOPPED)
            with pytest.raises(TimeoutError):
                asked[-1].result(2)
            assert shared.http.get("/v1/datasets", timeout=60).status_code == 200
            assert shared.http.get(first, timeout=60).status_code == 200  # it is kept
            assert listed(shared, dataset_id)["total"] == 61
            for process in stopped:
                process.resume()
            assert {one.result().status_code for one in asked} == {200}
    finally:
        for process in stopped:
            with suppress(psutil.Error):
                process.resume()


def test_a_picture_that_could_not_be_read_is_not_opened_again(shared: Backend, browsed: str) -> None:
    (broken,) = listed(shared, browsed, problem="unreadable_picture")["items"]
    assert broken["name"] == "images/train/broken_100%.png"
    for process in decoders(shared):
        process.kill()
    wait_for("none", lambda: not decoders(shared))
    answer = shared.http.get(broken["thumbnail_url"])
    assert answer.status_code == 422
    assert "its check could not read it" in answer.json()["error"]["message"]
    assert not decoders(shared)


def test_a_lost_table_is_fetched_from_the_store_or_made_anew(shared: Backend, browsed: str) -> None:
    kept = shared.folder / "data" / "checks" / "indexes"
    assert listed(shared, browsed)["total"] == 27
    for path in kept.iterdir():
        path.write_bytes(b"no database")
    assert listed(shared, browsed)["total"] == 27
    for path in kept.iterdir():
        path.unlink()
    store_of(shared).delete(f"datasets/{browsed}.index")
    answer = shared.http.get(f"/v1/datasets/{browsed}/pictures")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")
    report_of(shared, browsed)
    assert listed(shared, browsed)["total"] == 27


def test_a_dataset_can_be_checked_again(shared: Backend, browsed: str) -> None:
    before = report_of(shared, browsed)["checked_at"]
    assert shared.ask("POST", f"/v1/datasets/{browsed}/check")["state"] in ("waiting", "checking")
    after = wait_for("a newer report", lambda: r if (r := report_of(shared, browsed))["checked_at"] > before else None)
    assert after["errors"] == 1
    assert shared.http.get("/v1/datasets/nowhere/check").status_code == 404
    assert shared.http.post("/v1/datasets/nowhere/check").status_code == 404
