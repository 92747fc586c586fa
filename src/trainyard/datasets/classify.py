"""Does a zip hold a classification dataset? A folder a class, with or without train and val above them."""

from collections import Counter
from typing import Any

from trainyard.datasets.archive import Archive, refuse
from trainyard.datasets.pictures import is_picture

VAL_NAMES = ("val", "valid", "validation")
SPLITS = ("train", *VAL_NAMES, "test")
MAX_CLASSES = 10_000
LAYOUT = "Classification: a folder a class, train/cat/1.jpg and val/cat/2.jpg, or just cat/1.jpg."


def classify_summary(archive: Archive, root: str) -> dict[str, Any] | None:
    """What the dataset holds, or None where it is laid out otherwise."""
    counts: dict[str, Counter[str]] = {}
    for name in archive.files:
        parts = name.removeprefix(root).split("/")
        if not is_picture(name):
            continue
        split = parts.pop(0) if parts[0] in SPLITS else ""
        if len(parts) < 2:
            return None  # a picture outside every class folder
        counts.setdefault("val" if split in VAL_NAMES else split, Counter())[parts[0]] += 1
    if "" in counts and len(counts) > 1:
        return None  # folders beside train and val: which of them are classes is anybody's guess
    learnt = counts.get("train", counts.get("", Counter[str]()))
    if len(learnt) < 2:
        return None
    if len(learnt) > MAX_CLASSES:
        raise refuse(f"The zip holds {len(learnt):,} class folders; at most {MAX_CLASSES:,} fit.", LAYOUT)
    _check_classes_are_learnt(counts, learnt)
    return {
        "classes": sorted(learnt),
        "splits": {split or "all": found.total() for split, found in counts.items()},
        "pictures": sum(found.total() for found in counts.values()),
        "labels": sum(found.total() for found in counts.values()),
        "per_class": dict(sorted(sum(counts.values(), Counter[str]()).items())),
    }


def _check_classes_are_learnt(counts: dict[str, Counter[str]], learnt: Counter[str]) -> None:
    for split, found in counts.items():
        for name in found:
            if name not in learnt:
                raise refuse(
                    f"The class folder {split}/{name} has no train/{name} beside it: nothing could learn it.",
                    "Add pictures of it for training, or take it out.",
                )
