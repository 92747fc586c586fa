"""Pictures in class folders → rows of grey values, labels, files; said plainly where a dataset differs."""

import numpy as np
from pictures import open_picture

PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"}
VAL_NAMES = ("val", "valid", "validation")


def read_picture(path, size):
    """One picture as a row of size x size grey values from 0 to 1."""
    return np.asarray(open_picture(path).convert("L").resize((size, size)), np.float32).ravel() / 255


def _class_folders(folder):
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name[0] not in "._")


def _read(folder, classes, size):
    rows, labels, files = [], [], []
    for label, name in enumerate(classes):
        for path in sorted((folder / name).rglob("*")):
            if path.suffix.lower() in PICTURES and path.name[0] != ".":
                rows.append(read_picture(path, size))
                labels.append(label)
                files.append(path)
    return np.array(rows, np.float32).reshape(-1, size * size), np.array(labels, int), np.array(files, object)


def read_dataset(root, size, seed):
    """(rows, labels, files) to learn from, the same to validate with, class names. Without val a seeded fifth."""
    inside = _class_folders(root)
    if len(inside) == 1 and inside != ["train"]:
        root = root / inside[0]  # the zip of one folder
        inside = _class_folders(root)
    if any(root.rglob("data.yaml")) or "labels" in inside:
        raise ValueError(
            "this is a detection dataset (pictures with boxes); trainer-sklearn classifies whole pictures: "
            "give it train/<class>/*.png and val/<class>/*.png, or use trainer-ultralytics for this one"
        )
    source = root / "train" if "train" in inside else root
    classes = _class_folders(source)
    pictures = _read(source, classes, size)
    if len(np.unique(pictures[1])) < 2:
        raise ValueError(
            f"no two classes with pictures were found, only the folders {classes or 'none'}: "
            "the dataset should hold train/<class>/*.png and val/<class>/*.png"
        )
    held = next((root / name for name in VAL_NAMES if (root / name).is_dir()), None)
    if source != root and held:
        val = _read(held, classes, size)
        unknown = set(_class_folders(held)) - set(classes)
        if unknown or not len(val[0]):
            raise ValueError(
                f"{held.name}/ should hold pictures of the classes in train/; unknown there: {sorted(unknown)}"
            )
        return pictures, val, classes
    order = np.random.default_rng(seed).permutation(len(pictures[0]))
    held, kept = np.split(order, [max(1, len(order) // 5)])
    return [part[kept] for part in pictures], [part[held] for part in pictures], classes
