"""Small datasets that a trainer can really learn, drawn on the spot in the two layouts that there are."""

import io
import os
import random
import zipfile
from pathlib import Path

from PIL import Image, ImageDraw

from trainyard.contract.vocabulary import Task

NAMES = ("box", "ball")


def png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def scene(kind: int, numbers: random.Random, size: int) -> tuple[Image.Image, tuple[float, float, float]]:
    """A red ball in the upper half or a blue box in the lower one, and where: centre and width, as shares."""
    red, green, blue = (numbers.randrange(60, 120) for _ in range(3))
    picture = Image.new("RGB", (size, size), (red, green, blue))
    width = numbers.randrange(size // 3, size // 2)
    x, y = numbers.randrange(0, size - width), numbers.randrange(0, size // 2 - width // 2) + (0 if kind else size // 4)
    draw = ImageDraw.Draw(picture)
    frame = (x, y, x + width, y + width)
    if kind:
        draw.ellipse(frame, fill=(250, 200, 200))
    else:
        draw.rectangle(frame, fill=(10, 10, 60))
    return picture, ((x + width / 2) / size, (y + width / 2) / size, width / size)


def _numbers(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - the same pictures each time, and no secret


def one_scene(kind: int = 1) -> bytes:
    return png(scene(kind, _numbers(3), 96)[0])


def class_folders(path: Path, count: int = 60, split: bool = True) -> Path:
    """A folder a class, with train and val above them where it is split."""
    numbers = _numbers(1)
    with zipfile.ZipFile(path, "w") as bundle:
        for index in range(count):
            kind = index % 2
            picture, _ = scene(kind, numbers, 48)
            folder = ("val/" if index % 5 == 4 else "train/") if split else ""
            bundle.writestr(f"{folder}{NAMES[kind]}/{index:03}.png", png(picture))
    return path


def boxes(path: Path, count: int = 40) -> Path:
    """A YOLO dataset; its data.yaml names a path of another machine and a script that must never run."""
    numbers = _numbers(2)
    with zipfile.ZipFile(path, "w") as bundle:
        for index in range(count):
            kind = index % 2
            picture, (x, y, width) = scene(kind, numbers, 96)
            split = "val" if index % 5 == 4 else "train"
            bundle.writestr(f"images/{split}/{index:03}.png", png(picture))
            bundle.writestr(f"labels/{split}/{index:03}.txt", f"{kind} {x} {y} {width} {width}\n")
        script = "open('hostile', 'w').write('ran')"
        text = f"path: /elsewhere/cats\ntrain: images/train\nval: images/val\nnames: [box, ball]\ndownload: {script}\n"
        bundle.writestr("data.yaml", text)
    return path


def dataset(task: Task, path: Path) -> Path:
    """A dataset that fits this task."""
    return class_folders(path) if task is Task.CLASSIFY else boxes(path)


def bulky(task: Task, path: Path, size: int) -> Path:
    """The same, with a file that no compression makes smaller beside the pictures."""
    with zipfile.ZipFile(dataset(task, path), "a") as bundle:
        bundle.writestr("notes.bin", os.urandom(size))
    return path
