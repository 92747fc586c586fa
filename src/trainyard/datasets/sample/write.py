"""Writes the sample as a dataset zip, in either layout, the same bytes every time.

The same bytes matter: the id and the hash of the sample then mean the same on every installation.
"""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from PIL import Image

from trainyard.contract.vocabulary import Task
from trainyard.datasets.sample.scene import Box, draw_picture

KINDS = ("cat", "dog")
TRAIN, VAL = 40, 10
SAMPLES = {"cats-dogs": Task.DETECT, "cats-dogs-classes": Task.CLASSIFY}  # dataset id → its layout
NAMES = {"cats-dogs": "Cats and dogs (boxes)", "cats-dogs-classes": "Cats and dogs (classes)"}
# no `path`: YOLO takes the folder of data.yaml then, and with `path: .` the one it was started in
_DATA_YAML = "train: images/train\nval: images/val\nnames:\n  0: cat\n  1: dog\n"


@dataclass(slots=True, frozen=True)
class Picture:
    name: str
    split: str
    kind: int
    jpeg: bytes
    size: tuple[int, int]
    boxes: list[Box]


def write_sample(path: Path, task: Task) -> None:
    """Draw the pictures and write the zip. About a second; nothing is left at `path` unless it is whole."""
    draft = path.with_name(f"{path.name}.part")
    try:
        with zipfile.ZipFile(draft, "w") as archive:
            for name, content in _entries(task):
                _add(archive, name, content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _entries(task: Task) -> Iterator[tuple[str, bytes]]:
    if task is Task.DETECT:
        yield "data.yaml", _DATA_YAML.encode()
    for picture in _pictures():
        if task is Task.CLASSIFY:
            yield f"{picture.split}/{KINDS[picture.kind]}/{picture.name}.jpg", picture.jpeg
        else:
            yield f"images/{picture.split}/{picture.name}.jpg", picture.jpeg
            yield f"labels/{picture.split}/{picture.name}.txt", _labels(picture).encode()


def _pictures() -> Iterator[Picture]:
    for number in range(TRAIN + VAL):
        rng = Random(f"trainyard-sample-{number}")  # noqa: S311 - a seed is the point here
        kind = number % len(KINDS)
        count = 3 if number % 13 == 5 else 2 if number % 5 == 3 else 1
        image, boxes = draw_picture(KINDS[kind], count, rng)
        split = "train" if number < TRAIN else "val"
        yield Picture(f"{KINDS[kind]}-{number:02d}", split, kind, _jpeg(image), image.size, boxes)


def _jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def _labels(picture: Picture) -> str:
    width, height = picture.size
    lines: list[str] = []
    for box in picture.boxes:
        middle = (box.left + box.right) / 2 / width, (box.top + box.bottom) / 2 / height
        extent = (box.right - box.left) / width, (box.bottom - box.top) / height
        lines.append(" ".join([str(picture.kind), *(f"{number:.6f}" for number in (*middle, *extent))]) + "\n")
    return "".join(lines)


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, (2025, 1, 1, 0, 0, 0))
    entry.create_system, entry.external_attr = 3, 0o644 << 16  # else they differ between Windows and the rest
    entry.compress_type = zipfile.ZIP_STORED  # pictures are compressed, and zlib's output differs by version
    archive.writestr(entry, content)
