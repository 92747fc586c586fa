"""Does a zip hold a classification dataset? A folder a class, with or without train and val above them."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from trainyard.datasets.archive import Archive, refuse
from trainyard.datasets.pictures import is_picture

VAL_NAMES = ("val", "valid", "validation")
SPLITS = ("train", *VAL_NAMES, "test")
MAX_CLASSES = 10_000
LAYOUT = "Classification: a folder a class, train/cat/1.jpg and val/cat/2.jpg, or just cat/1.jpg."


@dataclass(slots=True, frozen=True)
class InFolder:
    name: str
    split: str  # "all" where there are none
    folder: str


@dataclass(slots=True, frozen=True)
class Layout:
    classes: list[str]
    pictures: list[InFolder]


def read_layout(archive: Archive, root: str) -> Layout | None:
    """Each picture with its class, or None where the zip is laid out otherwise."""
    pictures: list[InFolder] = []
    for name in archive.files:
        parts = name.removeprefix(root).split("/")
        if not is_picture(name):
            continue
        split = parts.pop(0) if parts[0] in SPLITS else "all"
        if len(parts) < 2:
            return None  # a picture outside every class folder
        pictures.append(InFolder(name, "val" if split in VAL_NAMES else split, parts[0]))
    splits = {one.split for one in pictures}
    if "all" in splits and len(splits) > 1:
        return None  # folders beside train and val: which of them are classes is anybody's guess
    learnt = {one.folder for one in pictures if one.split in ("train", "all")}
    if len(learnt) < 2:
        return None
    if len(learnt) > MAX_CLASSES:
        raise refuse(f"The zip holds {len(learnt):,} class folders; at most {MAX_CLASSES:,} fit.", LAYOUT)
    return Layout(sorted(learnt), pictures)


def classify_summary(archive: Archive, root: str) -> dict[str, Any] | None:
    """What the dataset holds, or None where it is laid out otherwise."""
    found = read_layout(archive, root)
    if found is None:
        return None
    counts: dict[str, Counter[str]] = {}
    for one in found.pictures:
        counts.setdefault(one.split, Counter())[one.folder] += 1
    _check_classes_are_learnt(counts, set(found.classes))
    return {
        "classes": found.classes,
        "splits": {split: found.total() for split, found in counts.items()},
        "pictures": len(found.pictures),
        "labels": len(found.pictures),
        "per_class": dict(sorted(sum(counts.values(), Counter[str]()).items())),
    }


def _check_classes_are_learnt(counts: dict[str, Counter[str]], learnt: set[str]) -> None:
    for split, found in counts.items():
        for name in found:
            if name not in learnt:
                raise refuse(
                    f"The class folder {split}/{name} has no train/{name} beside it: nothing could learn it.",
                    "Add pictures of it for training, or take it out.",
                )
