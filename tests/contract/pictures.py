"""Small datasets that a trainer can really learn, drawn on the spot."""

import io
import random
import zipfile
from pathlib import Path

from PIL import Image, ImageDraw


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _scene(kind: int, numbers: random.Random, size: int) -> tuple[Image.Image, tuple[float, float, float]]:
    """A red ball in the upper half or a blue box in the lower one, and where: centre and width, as shares."""
    picture = Image.new("RGB", (size, size), tuple(numbers.randrange(60, 120) for _ in range(3)))
    width = numbers.randrange(size // 3, size // 2)
    x, y = numbers.randrange(0, size - width), numbers.randrange(0, size // 2 - width // 2) + (0 if kind else size // 4)
    draw = ImageDraw.Draw(picture)
    frame = (x, y, x + width, y + width)
    if kind:
        draw.ellipse(frame, fill=(250, 200, 200))
    else:
        draw.rectangle(frame, fill=(10, 10, 60))
    return picture, ((x + width / 2) / size, (y + width / 2) / size, width / size)


def one_scene() -> bytes:
    return _png(_scene(1, random.Random(3), 96)[0])


def class_folders(path: Path, count: int = 60, split: bool = True) -> Path:
    numbers = random.Random(1)
    with zipfile.ZipFile(path, "w") as bundle:
        for index in range(count):
            kind = index % 2
            picture, _ = _scene(kind, numbers, 48)
            folder = ("val/" if index % 5 == 4 else "train/") if split else ""
            bundle.writestr(f"{folder}{('box', 'ball')[kind]}/{index:03}.png", _png(picture))
    return path


def boxes(path: Path, count: int = 40) -> Path:
    """A YOLO dataset; its data.yaml names a path of another machine and a script that must never run."""
    numbers = random.Random(2)
    with zipfile.ZipFile(path, "w") as bundle:
        for index in range(count):
            kind = index % 2
            picture, (x, y, width) = _scene(kind, numbers, 96)
            split = "val" if index % 5 == 4 else "train"
            bundle.writestr(f"images/{split}/{index:03}.png", _png(picture))
            bundle.writestr(f"labels/{split}/{index:03}.txt", f"{kind} {x} {y} {width} {width}\n")
        script = "open('hostile', 'w').write('ran')"
        text = f"path: /elsewhere/cats\ntrain: images/train\nval: images/val\nnames: [box, ball]\ndownload: {script}\n"
        bundle.writestr("data.yaml", text)
    return path


def slipping(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr("train/a/1.png", b"")
        bundle.writestr("../../escaped.txt", b"out")
    return path


def linking(path: Path) -> Path:
    entry = zipfile.ZipInfo("train/link")
    entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr(entry, "/etc/passwd")
    return path


def bombing(path: Path) -> Path:
    """A few hundred bytes that claim to unpack to 3 GiB."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("train/a/1.png", bytes(2**16))
        bundle.filelist[0].file_size = 3 * 2**30  # what the directory at the zip's end will say
    return path
