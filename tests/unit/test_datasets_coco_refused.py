"""Hostile and broken COCO jsons: each is refused with the entry and field that is wrong, in bounded time and memory."""

import json
import random
import subprocess
import sys
import textwrap
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.unit.coco_made import described, picture, roboflow, zipped
from trainyard.datasets.coco import annotations
from trainyard.datasets.inspect import inspect, take_in
from trainyard.errors import InvalidInput

JSON = "train/_annotations.coco.json"
BOX = '"bbox": [10, 20, 30, 10]'


def changed(member: str, **fields: Any) -> dict[str, Any]:
    """A picture, annotation or category with other fields; None takes one out."""
    one = described("a.jpg", "b.jpg")
    entry = {**one[member][1], **fields}
    one[member] = [one[member][0], {name: value for name, value in entry.items() if value is not None}]
    return one


def without(member: str) -> dict[str, Any]:
    return {name: value for name, value in described("a.jpg", "b.jpg").items() if name != member}


def text(old: str, new: str) -> str:
    found = json.dumps(described("a.jpg", "b.jpg"))
    assert old in found
    return found.replace(old, new)


def category(number: int, name: str) -> dict[str, Any]:
    return {"id": number, "name": name}


WRONG: dict[str, tuple[Any, str]] = {
    "a list": ([], r"'\[' where { belongs"),
    "nothing": ("", "ends early"),
    "cut off": (text("], ", "], ")[:-40], "not JSON|ends early"),
    "not json": ("{'images': []}", "not JSON"),
    "utf-16": (json.dumps(described("a.jpg")).encode("utf-16"), "UTF-8"),
    "more behind it": (text("}]}", "}]} {}"), "goes on after its end"),
    "a member twice": (text('"info"', '"images"'), "images.* is not a list|'images' twice"),
    "no pictures": (without("images"), "has no images"),
    "no categories": (without("categories"), "has no categories"),
    "no annotations": (without("annotations"), "has no annotations"),
    "annotations is an object": ({**without("annotations"), "annotations": {}}, "annotations is not a list"),
    "a picture is text": (
        {**without("images"), "images": ["a.jpg"]},
        r"images\[0\] is 'a.jpg'; it should be an object",
    ),
    "picture without id": (changed("images", id=None), r"images\[1\].id is missing"),
    "picture id is true": (changed("images", id=True), r"images\[1\].id is True"),
    "picture id twice": (changed("images", id=0), r"images\[1\].id is 0; it should be an id that no other"),
    "picture without name": (changed("images", file_name=None), r"images\[1\].file_name is missing"),
    "picture name is a number": (changed("images", file_name=4), r"images\[1\].file_name is 4"),
    "picture name can't be printed": (changed("images", file_name="a\0"), r"images\[1\].file_name is 'a\\x00'"),
    "width is text": (changed("images", width="100"), r"images\[1\].width is '100'; it should be a number"),
    "picture twice": (changed("images", file_name="a.jpg"), "a.jpg is described twice in train/_ann"),
    "category id is a fraction": (changed("categories", id=1.5), r"categories\[1\].id is 1.5"),
    "category id is negative": (changed("categories", id=-1), r"categories\[1\].id is -1"),
    "category id twice": (changed("categories", id=7), r"categories\[1\].id is 7; it should be an id that no other"),
    "category without name": (changed("categories", name=" "), r"categories\[1\].name is ' '"),
    "category name can't be printed": (changed("categories", name="\ud800"), r"categories\[1\].name is '\\ud800'"),
    "supercategory is a list": (changed("categories", supercategory=[]), r"supercategory is a list"),
    "10,001 categories": (
        {**described("a.jpg"), "categories": [category(n, f"c{n}") for n in range(10_001)]},
        "more than 10,000 categories",
    ),
    "annotation of no picture": (
        changed("annotations", image_id=77),
        r"annotations\[1\].image_id is 77; .* images has",
    ),
    "annotation of no category": (changed("annotations", category_id=5), r"annotations\[1\].category_id is 5; .*has"),
    "category is text": (changed("annotations", category_id="3"), r"annotations\[1\].category_id is '3'"),
    "category is huge": (changed("annotations", category_id=2**80), r"annotations\[1\].category_id is 12089"),
    "crowd is text": (changed("annotations", iscrowd="yes"), r"annotations\[1\].iscrowd is 'yes'"),
    "box of three": (changed("annotations", bbox=[1, 2, 3]), r"annotations\[1\].bbox is a list; .* left, top"),
    "box is text": (changed("annotations", bbox="1 2 3 4"), r"annotations\[1\].bbox is '1 2 3 4'"),
    "box of text": (changed("annotations", bbox=[1, "2", 3, 4]), r"annotations\[1\].bbox\[1\] is '2'"),
    "box is negative": (changed("annotations", bbox=[1, 2, -3, 4]), r"annotations\[1\].bbox\[2\] is -3.0"),
    "box is nan": (text(BOX, '"bbox": [NaN, 20, 30, 10]'), r"annotations\[0\] holds NaN"),
    "box is infinite": (text(BOX, '"bbox": [10, 20, -Infinity, 10]'), r"annotations\[0\] holds -Infinity"),
    "box is beyond a double": (text(BOX, '"bbox": [10, 20, 1e999, 10]'), r"annotations\[0\].bbox\[2\] is inf"),
    "box has hundreds of digits": (text(BOX, f'"bbox": [{"9" * 400}, 1, 1, 1]'), r"annotations\[0\].bbox\[0\] is inf"),
    "box has thousands of digits": (text(BOX, f'"bbox": [{"9" * 9000}, 1, 1, 1]'), r"annotations\[0\], Exceeds"),
    "nested": (text('"info": {"year": 2024}', '"info": ' + "[" * 200_000), "nested too deeply"),
    "no box and no outline": (changed("annotations", bbox=None), r"annotations\[1\].bbox is missing"),
    "a mask and no box": (
        changed("annotations", bbox=None, segmentation={"counts": "abc", "size": [1, 2]}),
        r"annotations\[1\] has no bbox, and its segmentation is a mask",
    ),
    "outline of two points": (
        changed("annotations", bbox=None, segmentation=[[1, 2, 3, 4]]),
        r"annotations\[1\].segmentation\[0\] is a list; it should be a polygon",
    ),
    "outline of text": (
        changed("annotations", bbox=[], segmentation=["x"]),
        r"annotations\[1\].segmentation\[0\] is 'x'",
    ),
    "a value of megabytes": ({**described("a.jpg"), "extra": ["x" * 100] * 200_000}, "extra takes more than 8,388,608"),
    "no boxes at all": (described("a.jpg", "b.jpg", boxes=[]), "No picture for training has a box"),
    "not in the zip": (
        described("a.jpg", "z.jpg"),
        "names 'z.jpg', which is no picture in the zip; 1 of 3 are missing",
    ),
    "out of the zip": (described("a.jpg", "../../etc/passwd"), "names '../../etc/passwd', which is no picture"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_refused_by_entry_and_field_and_soon(tmp_path: Path, case: str) -> None:
    content, reason = WRONG[case]
    path = zipped(tmp_path / "a.zip", {**roboflow(), JSON: content})
    before = path.read_bytes()
    began = time.monotonic()
    with pytest.raises(InvalidInput, match=reason) as caught:
        take_in(path, 10**12)
    assert time.monotonic() - began < 10
    assert caught.value.field == "file"
    assert path.read_bytes() == before


LAYOUTS: dict[str, tuple[dict[str, Any], str]] = {
    "names disagree": (
        {"valid/_annotations.coco.json": described("a.jpg", categories=[category(3, "cat"), category(7, "cow")])},
        "category 7 is 'cow'; it should be 'dog', as in the other json",
    ),
    "one picture in two splits": (
        {"valid/_annotations.coco.json": described("../train/b.jpg"), "valid/a.jpg": ""},
        r"train/b.jpg is described both in train/_\S+ and in valid/_",
    ),
    "two pictures, one label file": (
        {JSON: described("a.jpg", "a.png"), "train/a.png": ""},
        "train/a.jpg and train/a.png would share the label file train/a.txt",
    ),
    "a label is there": ({"train/A.TXT": "0 .5 .5 1 1"}, "holds train/A.TXT, where train/a.txt of the converted"),
    "a list is there": ({"train.txt": "", "train/more.jpg": ""}, "holds train.txt, where train.txt of the"),
    "the picture can't be opened": (
        {JSON: changed("images", width=0)},
        "train/b.jpg can't be opened, and the json does not say",
    ),
}


@pytest.mark.parametrize("case", LAYOUTS)
def test_what_can_not_be_laid_out_as_yolo_is_refused(tmp_path: Path, case: str) -> None:
    more, reason = LAYOUTS[case]
    with pytest.raises(InvalidInput, match=reason):
        take_in(zipped(tmp_path / "a.zip", {**roboflow(), **more}), 10**12)


OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "two jsons of everything": (
        {"annotations.json": described("a.jpg"), "result.json": described("a.jpg"), "images/a.jpg": ""},
        "holds annotations.json and result.json: which",
    ),
    "validation only": (
        {"valid/_annotations.coco.json": described("a.jpg"), "valid/a.jpg": ""},
        "no pictures for train",
    ),
    "one picture": (
        {"annotations.json": described("a.jpg"), "images/a.jpg": ""},
        "1 pictures; training and validation",
    ),
    "category name twice": (
        {"annotations.json": changed("categories", name="dog"), "a.jpg": "", "b.jpg": ""},
        "2 categories called 'dog'",
    ),
    "names too long together": (
        {
            "annotations.json": described(
                "a.jpg", "b.jpg", categories=[category(n, f"{n}" * 30) for n in range(9_000)]
            ),
            "a.jpg": "",
            "b.jpg": "",
        },
        "categories take .* bytes",
    ),
    "a name in two folders": (
        {"annotations.json": described("a.jpg"), "x/a.jpg": "", "y/a.jpg": ""},
        "'a.jpg', which is in several folders: x/a.jpg and y/a.jpg",
    ),
    "json alone": ({"annotations.json": described("a.jpg")}, "1 of 1 are missing"),
    "a name no list can hold": (
        {"annotations.json": described("a./1.jpg", "b\u2028.jpg"), "a./1.jpg": "", "b\u2028.jpg": ""},
        "can't stand in a list",
    ),
    "another json": ({"pets.json": described("a.jpg"), "images/a.jpg": ""}, "laid out in no way"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_layouts_that_say_too_little_are_refused(tmp_path: Path, case: str) -> None:
    files, reason = OTHERS[case]
    with pytest.raises(InvalidInput, match=reason) as caught:
        take_in(zipped(tmp_path / "a.zip", files), 10**12)
    assert "COCO" in caught.value.hint or "laid out" not in reason


def test_a_picture_is_not_taken_from_another_split(tmp_path: Path) -> None:
    files = {**roboflow(), "valid/_annotations.coco.json": described("b.jpg")}
    with pytest.raises(InvalidInput, match=r"valid/_annotations.coco.json names 'b.jpg', which is no picture"):
        take_in(zipped(tmp_path / "a.zip", files), 10**12)


def test_a_bomb_of_a_picture_is_not_unpacked_for_its_size(tmp_path: Path) -> None:
    bomb = bytearray(picture())
    at = bomb.index(b"\xff\xc0") + 5
    bomb[at : at + 4] = b"\xff\xff\xff\xff"
    files = {**roboflow(), JSON: changed("images", width=0), "train/b.jpg": bytes(bomb)}
    with pytest.raises(InvalidInput, match=r"train/b.jpg can't be opened"):
        take_in(zipped(tmp_path / "a.zip", files), 10**12)


def test_more_json_than_the_limit_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainyard.datasets.coco.convert.MAX_JSON", 100)
    assert annotations.MAX_JSON == 512 * 2**20
    with pytest.raises(InvalidInput, match=r"hold [\d,]+ bytes; at most 100"):
        take_in(zipped(tmp_path / "a.zip", roboflow()), 10**12)


def test_without_conversion_the_three_layouts_are_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        inspect(zipped(tmp_path / "a.zip", {"1.jpg": "", "2.jpg": ""}), 10**12)
    assert "Three layouts fit" in caught.value.hint
    assert "_annotations.coco.json" in caught.value.hint


MEMORY = """
    import resource, sys
    from pathlib import Path
    from trainyard.datasets.inspect import take_in
    from trainyard.errors import InvalidInput
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        print(take_in(Path(sys.argv[1]), 10**12).summary["boxes"])
    except InvalidInput as error:
        print(str(error))
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize("kind", ["annotations", "dense"])
def test_a_json_of_many_megabytes_takes_less_memory_than_it_holds(tmp_path: Path, kind: str) -> None:
    """Parsed whole, each would take many hundred."""
    path = tmp_path / "a.zip"
    outline = ",".join(["[10,20,30,40,50,60.25]"] * 20)
    one = (
        json.dumps({"image_id": 0, "category_id": 3, "bbox": [10, 20, 30, 10]})[:-1] + f',"segmentation":[{outline}]}}'
    )
    head = json.dumps(without("annotations"))[:-1]
    body = ",".join([one] * 120_000) if kind == "annotations" else ",".join(["[]"] * 20_000_000)
    files = {**roboflow(), JSON: f'{head},"annotations":[{body}]}}'}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in files.items():
            archive.writestr(name, json.dumps(content) if isinstance(content, dict) else content)
        for number in range(3):  # as dense as no set of pictures: a random part makes up for it
            archive.writestr(f"rest{number}.bin", random.Random(number).randbytes(1_000_000))
    code = textwrap.dedent(MEMORY)
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True, timeout=120)
    said, grown = done.stdout.splitlines()
    assert said == "120001" if kind == "annotations" else "annotations[0] is a list" in said
    assert int(grown) < 120
