"""Which layouts are recognised, what is said of them, and what is said of the others."""

import io
import time
import zipfile
from pathlib import Path

import pytest

from trainyard.contract.vocabulary import Task
from trainyard.datasets.inspect import Inspection, inspect
from trainyard.errors import InvalidInput

YAML = "names: [cat, dog]\ntrain: images/train\nval: images/val\n"
YOLO = {
    "images/train/1.jpg": "",
    "images/train/2.JPG": "",
    "images/val/3.png": "",
    "labels/train/1.txt": "0 .5 .5 1 1",
    "labels/val/3.txt": "",
}


def look(tmp_path: Path, files: dict[str, str]) -> Inspection:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    path = tmp_path / "a.zip"
    path.write_bytes(buffer.getvalue())
    return inspect(path, 10**9)


def test_a_yolo_zip_fits_detection(tmp_path: Path) -> None:
    found = look(tmp_path, {"data.yaml": YAML, **YOLO})
    assert found.tasks == [Task.DETECT]
    assert found.summary == {
        "classes": ["cat", "dog"],
        "splits": {"train": 2, "val": 1},
        "pictures": 3,
        "labels": 2,
        "unpacked_bytes": len(YAML) + 11,
    }


@pytest.mark.parametrize(
    "text",
    [
        "names:\n  0: cat\n  1: dog\ntrain: images/train\nval: images/val\nnc: 2\n",
        "path: .\nnames: ['cat', \"dog\"]\ntrain: [images/train]\nval: ./images/val/\n",
        "path: ../datasets/pets\nnames: [cat, dog]\ntrain: ../images/train\nval: ../images/val\n",
        "path: images\nnames: [cat, dog]\ntrain: train\nval: val\ntest: \n",
        "\ufeffnames: [cat, dog]\ntrain: images/train\nval: images/val\ndownload: http://example.invalid/x.zip\n",
    ],
    ids=["mapping", "dots", "export", "path", "byte order mark"],
)
def test_the_usual_ways_to_write_data_yaml_are_understood(tmp_path: Path, text: str) -> None:
    found = look(tmp_path, {"data.yaml": text, **YOLO})
    assert found.summary["classes"] == ["cat", "dog"]
    assert found.summary["splits"] == {"train": 2, "val": 1}


def test_splits_above_images_are_understood(tmp_path: Path) -> None:
    files = {
        "data.yaml": "names: [a]\ntrain: ../train/images\nval: ../valid/images\ntest: ../test/images",
        "train/images/1.jpg": "",
        "train/labels/1.txt": "",
        "valid/images/2.jpg": "",
        "test/images/3.jpg": "",
    }
    found = look(tmp_path, files)
    assert found.summary["splits"] == {"train": 1, "val": 1, "test": 1}
    assert found.summary["labels"] == 1


def test_splits_may_be_lists_of_pictures(tmp_path: Path) -> None:
    text = "path: .\nnames: [cat, dog]\ntrain: train.txt\nval: [lists/val.txt, images/val]\n"
    lists = {"train.txt": "./images/train/1.jpg\n", "lists/val.txt": "./more/4.jpg", "lists/more/4.jpg": ""}
    found = look(tmp_path, {"data.yaml": text, **YOLO, **lists})
    assert found.summary["splits"] == {"train": 1, "val": 2}
    assert look(tmp_path, {f"pets/{name}": one for name, one in {"data.yaml": text, **YOLO, **lists}.items()}) == found


BAD_LISTS = {
    "of another machine": ("./images/train/1.jpg\n/data/2.jpg\n", "train.txt, line 2: '/data/2.jpg' would be looked"),
    "from somewhere": ("images/train/1.jpg", "line 1: 'images/train/1.jpg' would be looked for outside"),
    "leading out": ("./../1.jpg", "line 1: './../1.jpg' is no picture in the zip"),
    "not in the zip": ("./images/train/9.jpg", "line 1: './images/train/9.jpg' is no picture in the zip"),
    "no picture": ("./data.yaml", "is no picture in the zip"),
    "empty": ("\n", "train: train.txt, but the zip has no pictures"),
}


@pytest.mark.parametrize("case", BAD_LISTS)
def test_a_list_that_leads_elsewhere_is_refused_by_its_line(tmp_path: Path, case: str) -> None:
    content, reason = BAD_LISTS[case]
    text = "names: [cat, dog]\ntrain: train.txt\nval: images/val\n"
    with pytest.raises(InvalidInput, match=reason):
        look(tmp_path, {"data.yaml": text, "train.txt": content, **YOLO})


def test_labels_beside_their_pictures_are_counted(tmp_path: Path) -> None:
    files = {"data.yaml": "names: [a]\ntrain: t\nval: v", "t/1.jpg": "", "t/1.txt": "", "v/2.jpg": ""}
    assert look(tmp_path, files).summary["labels"] == 1


@pytest.mark.parametrize("layout", ["detect", "classify"])
def test_one_folder_may_wrap_everything(tmp_path: Path, layout: str) -> None:
    classes = {"train/cat/1.jpg": "", "train/dog/2.jpg": ""}
    files = {"data.yaml": YAML, **YOLO} if layout == "detect" else classes
    plain = look(tmp_path, files)
    assert look(tmp_path, {f"my pets/{name}": content for name, content in files.items()}) == plain
    assert plain.tasks == [Task(layout)]


def test_class_folders_with_splits_fit_classification(tmp_path: Path) -> None:
    names = ["train/cat/1.jpg", "train/cat/deep/2.jpg", "train/dog/3.jpg", "valid/dog/4.jpg", "README.txt"]
    found = look(tmp_path, dict.fromkeys(names, ""))
    assert found.tasks == [Task.CLASSIFY]
    assert found.summary["classes"] == ["cat", "dog"]
    assert found.summary["splits"] == {"train": 3, "val": 1}
    assert found.summary["per_class"] == {"cat": 2, "dog": 2}


def test_class_folders_without_splits_fit_classification(tmp_path: Path) -> None:
    found = look(tmp_path, {"고양이/1.jpg": "", "개/2.jpg": ""})
    assert found.summary["classes"] == ["개", "고양이"]
    assert found.summary["splits"] == {"all": 2}


WRONG = {
    "pictures at the top": ({"1.jpg": "", "2.jpg": ""}, "pictures are 2 in the top folder. It holds no data.yaml"),
    "one class": ({"cat/1.jpg": ""}, "1 in cat"),
    "no yaml": (YOLO, "2 in images/train, 1 in images/val. It holds no data.yaml"),
    "yaml by another name": ({"pets.yaml": YAML, **YOLO}, "holds pets.yaml, but no data.yaml"),
    "only text": ({"a.txt": ""}, "1 files, but no pictures"),
    "split and other folders": ({"train/a/1.jpg": "", "train/b/1.jpg": "", "more/2.jpg": ""}, "no way"),
    "class nobody learns": (
        {"train/a/1.jpg": "", "train/b/1.jpg": "", "val/c/2.jpg": ""},
        "val/c has no train/c beside it",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_other_layouts_are_described_with_the_two_that_fit(tmp_path: Path, case: str) -> None:
    files, reason = WRONG[case]
    with pytest.raises(InvalidInput, match=reason) as caught:
        look(tmp_path, files)
    if "nobody" not in case:
        assert "Detection: data.yaml" in caught.value.hint
        assert "Classification: a folder a class" in caught.value.hint


BAD_YAML = {
    "not yaml": ("names: [cat", "is not YAML"),
    "binary": ("\0\1\2", "is not YAML"),
    "a list": ("- a\n", "holds no settings"),
    "aliases": ("a: &a [x]\nb: [*a, *a]\n", "aliases"),
    "nested": ("a: " + "[" * 20_000, "nested too deeply|is not YAML"),
    "no names": ("train: images/train\nval: images/val", "no list of class names"),
    "empty names": ("names: []\ntrain: images/train\nval: images/val", "no list of class names"),
    "names with a gap": ("names: {0: a, 2: b}", "no usable name for class 1"),
    "control character": ('names: ["a\\0"]', "no usable name for class 0"),
    "surrogate": ('names: ["\\uD800"]', "no usable name for class 0|is not YAML"),
    "names in names": ("names: [[a], b]", "no usable name for class 0"),
    "name twice": ("names: [a, a]", "a class name twice"),
    "nc": ("names: [a]\nnc: 3\n", "nc: 3, but names 1"),
    "no val": ("names: [a]\ntrain: images/train\n", "where the pictures for val are"),
    "val is a number": ("names: [a]\ntrain: images/train\nval: {a: b}\n", "where the pictures for val are"),
    "nothing there": ("names: [a]\ntrain: elsewhere\nval: images/val\n", "train: elsewhere, but the zip has no"),
    "many folders": ("names: [a]\ntrain: [" + "x," * 5000 + "]\nval: images/val\n", "at most 50"),
    "object": ("names: !!python/object/apply:os.getcwd []\n", "no list of class names"),
    "too large": ("# " + "x" * 300_000, "at most 262,144"),
}


@pytest.mark.parametrize("case", BAD_YAML)
def test_a_wrong_data_yaml_is_refused_by_name_and_soon(tmp_path: Path, case: str) -> None:
    text, reason = BAD_YAML[case]
    began = time.monotonic()
    with pytest.raises(InvalidInput, match=f"data.yaml .*({reason})|({reason})"):
        look(tmp_path, {"data.yaml": text, **YOLO})
    assert time.monotonic() - began < 10


def test_pictures_without_any_label_are_refused_with_the_missing_name(tmp_path: Path) -> None:
    files = {name: content for name, content in YOLO.items() if "labels" not in name}
    with pytest.raises(InvalidInput, match=r"labels/train/1\.txt is missing"):
        look(tmp_path, {"data.yaml": YAML, **files})
