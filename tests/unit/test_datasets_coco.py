"""COCO datasets become YOLO datasets: every layout, and what happens to pictures, classes and boxes."""

import hashlib
import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.coco_made import described, picture, roboflow, taken, zipped
from trainyard.contract.vocabulary import Task
from trainyard.datasets.archive import open_archive
from trainyard.datasets.coco import stream
from trainyard.datasets.inspect import inspect, take_in

LINE = "0 0.250000 0.500000 0.300000 0.200000\n"  # 10, 20, 30, 10 of 100 x 50: middle 25 and 25


def test_roboflows_export_is_converted_in_place(tmp_path: Path) -> None:
    found, added = taken(tmp_path, roboflow())
    assert found.tasks == [Task.DETECT]
    assert list(added) == ["data.yaml", "train/a.txt", "train/b.txt", "valid/a.txt"]
    assert yaml.safe_load(added["data.yaml"]) == {"names": ["cat", "dog"], "train": "train", "val": "valid"}
    assert added["train/a.txt"] == added["valid/a.txt"] == LINE
    assert {name: value for name, value in found.summary.items() if name != "unpacked_bytes"} == {
        "classes": ["cat", "dog"],
        "splits": {"train": 2, "val": 1},
        "pictures": 3,
        "labels": 3,
        "converted_from": "coco",
        "boxes": 3,
        "boxes_clipped": 0,
        "boxes_empty": 0,
        "crowds": 0,
        "pictures_without_boxes": 0,
        "pictures_missing": 0,
        "pictures_not_described": 0,
    }


STANDARD = {
    "pictures beside": ("train2017/a.jpg", "val2017/a.jpg", "train2017/a.txt", "a.jpg"),
    "below images": ("images/train2017/a.jpg", "images/val2017/a.jpg", "labels/train2017/a.txt", "a.jpg"),
    "by their split": ("images/train/a.jpg", "images/val/a.jpg", "labels/train/a.txt", "a.jpg"),
    "images within": ("train2017/images/a.jpg", "val2017/images/a.jpg", "train2017/labels/a.txt", "a.jpg"),
    "with a path": ("images/t/a.jpg", "images/v/b.jpg", "labels/t/a.txt", "images/t/a.jpg"),
    "another machine's": ("train2017/a.jpg", "val2017/a.jpg", "train2017/a.txt", "C:\\data\\train2017\\a.jpg"),
    "elsewhere, by name": ("pictures/one/a.jpg", "pictures/two/b.jpg", "pictures/one/a.txt", "a.jpg"),
}


@pytest.mark.parametrize("wrapped", ["", "my pets/"])
@pytest.mark.parametrize("case", STANDARD)
def test_the_standard_layout_is_found_wherever_its_pictures_are(tmp_path: Path, case: str, wrapped: str) -> None:
    train, val, label, named = STANDARD[case]
    files = {
        f"{wrapped}annotations/instances_train2017.json": described(named),
        f"{wrapped}annotations/instances_val2017.json": described(val.rpartition("/")[2]),
        f"{wrapped}annotations/captions_train2017.json": "not read",
        wrapped + train: "a",
        wrapped + val: "b",
    }
    found, added = taken(tmp_path, files)
    assert found.summary["splits"] == {"train": 1, "val": 1}
    assert added[wrapped + label] == LINE
    config = yaml.safe_load(added["data.yaml"])
    assert config["train"] == (wrapped + train).rpartition("/")[0]


SINGLE = ["annotations.json", "annotations/instances_default.json", "_annotations.coco.json", "result.json"]


@pytest.mark.parametrize("name", SINGLE)
def test_a_fifth_validates_where_one_json_describes_all(tmp_path: Path, name: str) -> None:
    names = [f"{number}.jpg" for number in range(10)]
    folder = "images/default" if "default" in name else "images"
    found, added = taken(tmp_path, {name: described(*names), **{f"{folder}/{one}": one for one in names}})
    assert found.summary["splits"] == {"train": 8, "val": 2}
    assert found.summary["validation"].startswith("a fifth")
    lists = {split: added[f"{split}.txt"].splitlines() for split in ("train", "val")}
    assert sorted(lists["train"] + lists["val"]) == [f"./{folder}/{one}" for one in names]
    by_hash = sorted((f"{folder}/{one}" for one in names), key=lambda one: hashlib.sha256(one.encode()).digest())
    assert lists["val"] == [f"./{one}" for one in sorted(by_hash[:2])]
    assert added[f"{folder.replace('images', 'labels')}/3.txt"] == LINE


def test_an_export_without_validation_lends_it_a_fifth_of_training(tmp_path: Path) -> None:
    files: dict[str, Any] = {
        "train/_annotations.coco.json": described("a.jpg", "b.jpg"),
        "train/a.jpg": "",
        "train/b.jpg": "",
    }
    files |= {"test/_annotations.coco.json": described("c.jpg"), "test/c.jpg": ""}
    found, added = taken(tmp_path, files)
    assert found.summary["splits"] == {"train": 1, "val": 1, "test": 1}
    assert yaml.safe_load(added["data.yaml"])["test"] == "test"


def test_pictures_the_json_does_not_name_are_in_no_split(tmp_path: Path) -> None:
    found, added = taken(tmp_path, {**roboflow(), "train/unlabelled.jpg": "x"})
    assert found.summary["splits"] == {"train": 2, "val": 1}
    assert found.summary["pictures_not_described"] == 1
    assert added["train.txt"] == "./train/a.jpg\n./train/b.jpg\n"


def test_class_folders_with_a_json_beside_them_stay_class_folders(tmp_path: Path) -> None:
    folders = {"cat/1.jpg": "", "dog/2.jpg": ""}
    for content in ("{}", "not json", '{"images": [], "annotations": []}'):
        found, added = taken(tmp_path, {"annotations.json": content, **folders})
        assert (found.tasks, added) == ([Task.CLASSIFY], {})
    found, _ = taken(tmp_path, {"annotations.json": described("cat/1.jpg", "2.jpg"), **folders})
    assert found.tasks == [Task.DETECT]


@pytest.mark.parametrize("folder", ["train", "images", "valid"])
def test_a_wrapping_folder_may_have_any_name(tmp_path: Path, folder: str) -> None:
    files = {f"{folder}/annotations.json": described("a.jpg", "b.jpg"), f"{folder}/a.jpg": "", f"{folder}/b.jpg": ""}
    found, added = taken(tmp_path, files)
    assert found.summary["labels"] == 2
    assert added[f"{folder.replace('images', 'labels')}/a.txt"] == LINE


def test_a_zip_with_a_data_yaml_is_left_alone(tmp_path: Path) -> None:
    yolo = {"data.yaml": "names: [x]\ntrain: train\nval: valid\n", "train/a.txt": "0 .5 .5 1 1"}
    found, added = taken(tmp_path, {**roboflow(), **yolo})
    assert (found.summary["classes"], added) == (["x"], {})
    assert "converted_from" not in found.summary


def test_the_same_zip_always_becomes_the_same_bytes(tmp_path: Path) -> None:
    made = [zipped(tmp_path / f"{number}.zip", roboflow()) for number in range(2)]
    before = made[0].read_bytes()
    made[1].write_bytes(before)
    for path in made:
        take_in(path, 10**12)
    assert made[0].read_bytes() == made[1].read_bytes() != before
    again = made[0].read_bytes()
    assert inspect(made[0], 10**12).tasks == take_in(made[0], 10**12).tasks == [Task.DETECT]
    assert made[0].read_bytes() == again  # it is YOLO now


BOXES: dict[str, tuple[list[float], str, str]] = {
    "inside": ([0, 0, 100, 50], "0 0.500000 0.500000 1.000000 1.000000\n", ""),
    "beyond the right": ([90, 0, 30, 50], "0 0.950000 0.500000 0.100000 1.000000\n", "boxes_clipped"),
    "beyond the left": ([-10, -10, 20, 20], "0 0.050000 0.100000 0.100000 0.200000\n", "boxes_clipped"),
    "by rounding": ([50, 25, 50.2, 25], "0 0.750000 0.750000 0.500000 0.500000\n", ""),
    "without height": ([10, 10, 5, 0], "", "boxes_empty"),
    "outside": ([200, 10, 5, 5], "", "boxes_empty"),
}


@pytest.mark.parametrize("case", BOXES)
def test_boxes_are_cut_at_their_pictures_edge_and_counted(tmp_path: Path, case: str) -> None:
    box, label, counted = BOXES[case]
    files = roboflow()
    files["valid/_annotations.coco.json"] = described("a.jpg", boxes=[box])
    found, added = taken(tmp_path, files)
    assert added["valid/a.txt"] == label
    assert [found.summary[name] for name in ("boxes_clipped", "boxes_empty")] == [
        counted == "boxes_clipped",
        counted == "boxes_empty",
    ]
    assert found.summary["pictures_without_boxes"] == (label == "")


def test_crowds_are_left_out_and_boxes_are_drawn_around_polygons(tmp_path: Path) -> None:
    files = roboflow()
    outline = [[10, 20, 40, 20, 40, 25], [12.5, 30, 20, 22, 15, 21]]
    annotations: list[dict[str, Any]] = [
        {"image_id": 0, "category_id": 7, "bbox": [0, 0, 9, 9], "iscrowd": 1},
        {"image_id": 0, "category_id": 3, "segmentation": outline, "bbox": []},
    ]
    files["valid/_annotations.coco.json"] = described("a.jpg", annotations=annotations)
    found, added = taken(tmp_path, files)
    assert found.summary["crowds"] == 1
    assert added["valid/a.txt"] == LINE


@pytest.mark.parametrize("turned", [False, True])
def test_the_size_is_read_from_the_picture_where_the_json_has_none(tmp_path: Path, turned: bool) -> None:
    files = roboflow()
    image = {"id": 0, "file_name": "a.jpg", "width": 0, "height": None}
    files |= {"valid/a.jpg": picture(50, 100, turned=True) if turned else picture(100, 50)}
    files["valid/_annotations.coco.json"] = described("a.jpg", images=[image])
    assert taken(tmp_path, files)[1]["valid/a.txt"] == LINE


def test_classes_are_numbered_by_id_and_roboflows_parent_is_none(tmp_path: Path) -> None:
    categories = [
        {"id": 9, "name": "unused", "supercategory": "pets"},
        {"id": 0, "name": "pets", "supercategory": "none"},
        {"id": 7, "name": "dog", "supercategory": "pets"},
        {"id": 3, "name": "cat", "supercategory": "cat"},
    ]
    files = {name: {**one, "categories": categories} if "json" in name else one for name, one in roboflow().items()}
    found, added = taken(tmp_path, files)
    assert found.summary["classes"] == ["cat", "dog", "unused"]
    assert added["train/a.txt"] == LINE
    files["valid/_annotations.coco.json"]["annotations"][0]["category_id"] = 0  # now it is a class like others
    assert taken(tmp_path, files)[0].summary["classes"] == ["pets", "cat", "dog", "unused"]


def test_one_missing_picture_of_many_is_said_not_refused(tmp_path: Path) -> None:
    names = [f"{number:03}.jpg" for number in range(150)]
    files: dict[str, Any] = {"annotations.json": described(*names), **{f"images/{one}": "" for one in names[1:]}}
    found, _ = taken(tmp_path, files)
    assert (found.summary["pictures_missing"], found.summary["pictures"], found.summary["boxes"]) == (1, 149, 149)


def test_names_that_macos_took_apart_are_found(tmp_path: Path) -> None:
    name = unicodedata.normalize("NFD", "고양이.jpg")
    files = {**roboflow(), f"valid/{name}": "", "valid/_annotations.coco.json": described("고양이.jpg", "a.jpg")}
    assert taken(tmp_path, files)[1][f"valid/{name[:-4]}.txt"] == LINE


def test_names_that_a_program_did_not_mark_as_utf8_are_found(tmp_path: Path) -> None:
    """As `zip` and macOS write them."""
    path = zipped(
        tmp_path / "a.zip",
        {**roboflow(), "valid/xxx.jpg": "", "valid/_annotations.coco.json": described("개.jpg", "a.jpg")},
    )
    path.write_bytes(path.read_bytes().replace(b"valid/xxx.jpg", "valid/개.jpg".encode()))
    assert take_in(path, 10**12).summary["splits"] == {"train": 2, "val": 2}


def test_ids_may_be_text_and_the_members_in_any_order(tmp_path: Path) -> None:
    files = roboflow()
    one = described("a.jpg")
    one["images"][0]["id"] = one["annotations"][0]["image_id"] = "first"
    files["valid/_annotations.coco.json"] = dict(sorted(one.items()))
    assert taken(tmp_path, files)[1]["valid/a.txt"] == LINE


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 50])
def test_a_json_is_read_the_same_wherever_its_pieces_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(stream, "CHUNK", chunk)
    content = {"n": 1234567, "f": -1.25e-7, "t": [True, None, '\U0001f600 \\ "]'], "o": {}, "l": [{"a": [12, []]}, 345]}
    for indent in (None, 2):
        text = "\ufeff" + json.dumps(content, indent=indent)
        with open_archive(zipped(tmp_path / "a.zip", {"a.json": text}), 10**9) as archive:
            found = stream.JsonObject(archive, "a.json")
            assert {
                key: list(found.items(key)) if key in "tl" else found.value(key) for key in found.members()
            } == content
