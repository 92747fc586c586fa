"""Dataset zips for tests: real pictures, and whatever should be wrong with them."""

import io
import random
import zipfile
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

DATA_YAML = "names: [cat, dog]\ntrain: images/train\nval: images/val\n"
BOX = "0 .5 .5 .4 .4\n"


def picture(seed: int, size: tuple[int, int] = (32, 24), format: str = "PNG") -> bytes:
    """Another one for each seed."""
    rng = random.Random(seed)
    small = Image.frombytes("RGB", (4, 4), rng.randbytes(48))
    file = io.BytesIO()
    small.resize(size, Image.Resampling.NEAREST).save(file, format)
    return file.getvalue()


def write_zip(path: Path, files: Mapping[str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content)
    return path


def yolo(first: int = 0, train: int = 6, val: int = 3) -> dict[str, bytes | str]:
    """A sound detection dataset; `first` makes its pictures others."""
    files: dict[str, bytes | str] = {"data.yaml": DATA_YAML}
    for number in range(train + val):
        split = "train" if number < train else "val"
        files[f"images/{split}/{number}.png"] = picture(first + number)
        files[f"labels/{split}/{number}.txt"] = f"{number % 2} .5 .5 .4 .4\n"
    return files


def folders(first: int = 0, per_class: int = 4, splits: tuple[str, ...] = ("train", "val")) -> dict[str, bytes | str]:
    """A sound classification dataset of apples and pears."""
    places = [(split, name, n) for split in splits for name in ("apple", "pear") for n in range(per_class)]
    return {
        "/".join(filter(None, (split, name, f"{n}.png"))): picture(first + seed)
        for seed, (split, name, n) in enumerate(places)
    }
