"""Pictures in class folders → rows of grey values, labels, files: train/<class>/*.png and val/<class>/*.png, or
<class>/*.png alone."""

import numpy as np
from pictures import open_picture

PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".webp"}


def read_picture(path, size):
    """A picture as a row of grey values from 0 to 1."""
    return np.asarray(open_picture(path).convert("L").resize((size, size)), float).ravel() / 255


def read_dataset(root, size, seed):
    """(rows, labels, files) to learn from and to validate with (a fifth where there is no val folder), the classes."""

    def read(folder):
        found = [(path, label) for label, name in enumerate(classes) for path in sorted((folder / name).rglob("*.*"))]
        found = [(path, label) for path, label in found if path.suffix.lower() in PICTURES and path.name[0] != "."]
        rows, labels = [read_picture(path, size) for path, _ in found], [label for _, label in found]
        return np.array(rows), np.array(labels), np.array([path for path, _ in found], object)

    inside = [path for path in root.iterdir() if path.is_dir() and path.name[0] not in "._"]
    root = inside[0] if len(inside) == 1 and inside[0].name != "train" else root  # the zip of one folder
    source = root / "train" if (root / "train").is_dir() else root
    classes = sorted(path.name for path in source.iterdir() if path.is_dir() and path.name[0] not in "._")
    pictures = read(source)
    if len(set(pictures[1])) < 2:
        raise ValueError(f"this trainer classifies: it needs pictures in a folder a class, found the folders {classes}")
    for held in [root / name for name in ("val", "valid", "validation") if (root / name).is_dir()]:
        return pictures, read(held), classes
    order = np.random.default_rng(seed).permutation(len(pictures[0]))
    held, kept = np.split(order, [max(1, len(order) // 5)])
    return [part[kept] for part in pictures], [part[held] for part in pictures], classes
