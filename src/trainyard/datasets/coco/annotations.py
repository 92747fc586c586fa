"""What one COCO json says: its pictures, classes and boxes. Every field that is read is checked, and named if wrong.

A box takes 40 bytes here; the smallest annotation takes 45 in the json, so all of them take no more than MAX_JSON.
"""

import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NoReturn, cast

from trainyard.datasets.archive import MAX_ENTRIES, UNPRINTABLE, Archive, refuse
from trainyard.datasets.coco.stream import JsonObject
from trainyard.datasets.detect import MAX_CLASSES
from trainyard.errors import InvalidInput

MAX_JSON = 512 * 1024 * 1024  # unpacked, all of a dataset's together; those of COCO 2017 take 467 MiB
MAX_CATEGORY = 2**53  # what a double holds exactly
BOX = 5  # numbers a box: category, left, top, width, height
MEMBERS = ("images", "categories", "annotations")
AGAIN = "Export the dataset again as COCO (detection)."
ImageId = int | str


@dataclass(slots=True, frozen=True)
class Image:
    file_name: str
    width: float  # 0 where the json does not say
    height: float


@dataclass(slots=True, frozen=True)
class Category:
    name: str
    parent: str


@dataclass(slots=True)
class Described:
    json: str
    images: dict[ImageId, Image] = field(default_factory=dict[ImageId, Image])
    categories: dict[int, Category] = field(default_factory=dict[int, Category])
    boxes: dict[ImageId, "array[float]"] = field(default_factory=dict[ImageId, "array[float]"])
    used: dict[int, int] = field(default_factory=dict[int, int])  # category → an annotation that has it
    crowds: int = 0


def read(archive: Archive, name: str) -> Described:
    """In one pass. Raises InvalidInput naming the json, the entry and the field."""
    found, first = Described(name), dict[ImageId, int]()
    stream = JsonObject(archive, name)
    members: set[str] = set()
    for key in stream.members():
        members.add(key)
        if key == "images":
            _read_images(found, stream.items(key))
        elif key == "categories":
            _read_categories(found, stream.items(key))
        elif key == "annotations":
            _read_annotations(found, stream.items(key), first)
        else:
            stream.value(key)
    for key in MEMBERS:
        if key not in members:
            raise refuse(f"{name} has no {key}: it is no COCO dataset for detection.", AGAIN)
    for image, number in first.items():
        if image not in found.images:
            _wrong(found, f"annotations[{number}].image_id", image, "an id that images has")
    for category, number in found.used.items():
        if category not in found.categories:
            _wrong(found, f"annotations[{number}].category_id", category, "an id that categories has")
    return found


def looks_like_coco(archive: Archive, name: str) -> bool:
    """For a json of a name that anybody may use. What is wrong in it is not said here."""
    if archive.files[name].file_size > MAX_JSON:
        return False
    members: set[str] = set()
    try:
        stream = JsonObject(archive, name)
        for key in stream.members():
            members.add(key)
            for _ in stream.items(key) if key in MEMBERS else [stream.value(key)]:
                pass
    except InvalidInput:
        return False
    return members.issuperset(MEMBERS)


def _read_images(found: Described, entries: Iterable[Any]) -> None:
    for number, entry in enumerate(entries):
        where = f"images[{number}]"
        one = _mapping(found, where, entry)
        identity = _image_id(found, f"{where}.id", one.get("id"))
        if identity in found.images:
            _wrong(found, f"{where}.id", identity, "an id that no other picture has")
        if number >= MAX_ENTRIES:
            raise refuse(f"{found.json} names more than {MAX_ENTRIES:,} pictures.", "Split the dataset.")
        file_name = _text(found, f"{where}.file_name", one.get("file_name"), 1000)
        sides = [_side(found, f"{where}.{side}", one.get(side)) for side in ("width", "height")]
        found.images[identity] = Image(file_name, *sides)


def _side(found: Described, where: str, value: Any) -> float:
    return 0 if value is None else max(_number(found, where, value), 0)


def _read_categories(found: Described, entries: Iterable[Any]) -> None:
    for number, entry in enumerate(entries):
        where = f"categories[{number}]"
        one = _mapping(found, where, entry)
        if number >= MAX_CLASSES:
            raise refuse(f"{found.json} has more than {MAX_CLASSES:,} categories.", "Merge or remove some.")
        identity = _category_id(found, f"{where}.id", one.get("id"))
        if identity in found.categories:
            _wrong(found, f"{where}.id", identity, "an id that no other category has")
        parent = one.get("supercategory")
        if parent is not None and not isinstance(parent, str):
            _wrong(found, f"{where}.supercategory", parent, "text")
        name = _text(found, f"{where}.name", one.get("name"), 200)
        found.categories[identity] = Category(name, parent or "")


def _read_annotations(found: Described, entries: Iterable[Any], first: dict[ImageId, int]) -> None:
    for number, entry in enumerate(entries):
        where = f"annotations[{number}]"
        one = _mapping(found, where, entry)
        image = _image_id(found, f"{where}.image_id", one.get("image_id"))
        category = _category_id(found, f"{where}.category_id", one.get("category_id"))
        crowd = one.get("iscrowd")
        if crowd not in (None, 0, 1):
            _wrong(found, f"{where}.iscrowd", crowd, "0 or 1")
        if first.setdefault(image, number) == number and len(first) > MAX_ENTRIES:
            raise refuse(f"{found.json} has annotations of more than {MAX_ENTRIES:,} pictures.", "Split the dataset.")
        if found.used.setdefault(category, number) == number and len(found.used) > MAX_CLASSES:
            raise refuse(f"{found.json} uses more than {MAX_CLASSES:,} categories.", "Merge or remove some.")
        box = _box(found, where, one)
        if crowd:
            found.crowds += 1
            continue
        if image not in found.boxes:
            found.boxes[image] = array("d")
        found.boxes[image].extend((category, *box))


def _box(found: Described, where: str, one: dict[str, Any]) -> list[float]:
    """Left, top, width and height in pixels: as `bbox` says, or around the outline where there is none."""
    given: Any = one.get("bbox")
    if given is None or given == []:
        return _box_around(found, where, one.get("segmentation"))
    if not isinstance(given, list) or len(cast("list[Any]", given)) != 4:
        _wrong(found, f"{where}.bbox", given, "a list of left, top, width and height")
    box = [_number(found, f"{where}.bbox[{place}]", value) for place, value in enumerate(cast("list[Any]", given))]
    for place in (2, 3):
        if box[place] < 0:
            _wrong(found, f"{where}.bbox[{place}]", box[place], "a size of 0 or more (left, top, width, height)")
    return box


def _box_around(found: Described, where: str, outline: Any) -> list[float]:
    if isinstance(outline, dict):
        raise refuse(
            f"{found.json}: {where} has no bbox, and its segmentation is a mask (RLE), not polygons.",
            "Export it with boxes, or with polygons.",
        )
    if not isinstance(outline, list) or not outline:
        _wrong(found, f"{where}.bbox", None, "a list of left, top, width and height")
    across: list[float] = []
    down: list[float] = []
    for place, polygon in enumerate(cast("list[Any]", outline)):
        here = f"{where}.segmentation[{place}]"
        if not isinstance(polygon, list):
            _wrong(found, here, polygon, "a polygon: x and y of at least three points")
        numbers = [_number(found, here, value) for value in cast("list[Any]", polygon)]
        if len(numbers) < 6 or len(numbers) % 2:
            _wrong(found, here, polygon, "a polygon: x and y of at least three points")
        across += numbers[::2]
        down += numbers[1::2]
    return [min(across), min(down), max(across) - min(across), max(down) - min(down)]


# -- single values --------------------------------------------------------------------------------------------------


def _wrong(found: Described, where: str, value: Any, wanted: str) -> NoReturn:
    raise wrong(found.json, where, value, wanted)


def wrong(json: str, where: str, value: Any, wanted: str) -> InvalidInput:
    is_long = isinstance(value, list | dict)
    shown = f"a {type(cast(object, value)).__name__}" if is_long else "missing" if value is None else repr(value)[:80]
    return refuse(f"{json}: {where} is {shown}; it should be {wanted}.", AGAIN)


def _mapping(found: Described, where: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        _wrong(found, where, value, "an object")
    return cast("dict[str, Any]", value)


def _image_id(found: Described, where: str, value: Any) -> ImageId:
    if isinstance(value, bool) or not isinstance(value, int | str):
        _wrong(found, where, value, "a number without a fraction, or text")
    return value


def _category_id(found: Described, where: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_CATEGORY:
        _wrong(found, where, value, "a number of 0 or more, without a fraction")
    return value


def _text(found: Described, where: str, value: Any, longest: int) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > longest or UNPRINTABLE.search(value):
        _wrong(found, where, value, f"printable text of 1 to {longest} characters")
    return value.strip()


def _number(found: Described, where: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        _wrong(found, where, value, "a number")
    try:
        number = float(value)
    except OverflowError:  # a whole number of hundreds of digits
        number = math.inf
    if not math.isfinite(number) or abs(number) > MAX_CATEGORY:
        _wrong(found, where, number, "a number of pixels")
    return number
