"""Small COCO datasets, and what a conversion makes of them."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from PIL import Image

from trainyard.datasets.inspect import Inspection, take_in

CATEGORIES = [{"id": 7, "name": "dog"}, {"id": 3, "name": "cat", "supercategory": "animal"}]
Files = dict[str, str | bytes]


def picture(width: int = 20, height: int = 10, turned: bool = False) -> bytes:
    buffer = io.BytesIO()
    exif = Image.Exif()
    if turned:
        exif[0x0112] = 6
    Image.new("RGB", (width, height)).save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


def described(*names: str, boxes: list[list[float]] | None = None, **changed: Any) -> dict[str, Any]:
    """Pictures of 100 x 50 points, each with the same boxes: of cat, dog, cat …"""
    given = [[10, 20, 30, 10]] if boxes is None else boxes
    found: dict[str, Any] = {
        "info": {"year": 2024},
        "licenses": [],
        "images": [{"id": n, "file_name": name, "width": 100, "height": 50} for n, name in enumerate(names)],
        "annotations": [
            {"id": n * 100 + k, "image_id": n, "category_id": (3, 7)[k % 2], "bbox": box, "iscrowd": 0}
            for n in range(len(names))
            for k, box in enumerate(given)
        ],
        "categories": CATEGORIES,
    }
    return {**found, **changed}


def zipped(path: Path, files: dict[str, Any]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, json.dumps(content) if isinstance(content, dict | list) else content)
    return path


def roboflow() -> dict[str, Any]:
    return {
        "train/_annotations.coco.json": described("a.jpg", "b.jpg"),
        "train/a.jpg": "a",
        "train/b.jpg": "b",
        "valid/_annotations.coco.json": described("a.jpg"),
        "valid/a.jpg": "c",
    }


def taken(tmp_path: Path, files: dict[str, Any]) -> tuple[Inspection, Files]:
    """What is said of the dataset, and what was added to its zip."""
    path = zipped(tmp_path / "a.zip", files)
    found = take_in(path, 10**12)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[: len(files)] == list(files)
        return found, {name: archive.read(name).decode() for name in archive.namelist()[len(files) :]}
