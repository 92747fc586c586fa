"""An unpacked dataset → what ultralytics takes as `data`; said plainly where the layout fits another task."""

import os
import random
import shutil
from pathlib import Path

import yaml

PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"}


def prepare(task, root, folder, seed):
    """The path to give as `data`: a data.yaml of this run's own in folder, or a folder with train/ and val/."""
    inside = [path for path in root.iterdir() if path.name[0] not in "._"]
    if len(inside) == 1 and inside[0].is_dir() and inside[0].name != "train":
        root = inside[0]  # the zip of one folder
    described = sorted([*root.glob("*.yaml"), *root.glob("*.yml")], key=lambda path: (path.stem != "data", path.name))
    if task == "detect":
        if not described:
            names = ", ".join(sorted(path.name for path in root.iterdir())[:10])
            raise ValueError(
                f"task detect needs a YOLO dataset: data.yaml, images/ and labels/; this one holds {names}. "
                "Folders of pictures, one a class, are for task classify"
            )
        return _detect(described[0], root, folder)
    if described and (any(root.rglob("labels"))):
        raise ValueError("task classify needs a folder of pictures for each class; this dataset is for task detect")
    return _classify(root, folder, seed)


def _detect(described, root, folder):
    """A copy of data.yaml that names this machine's folder and nothing outside it, and carries no download script."""
    found = yaml.safe_load(described.read_text(encoding="utf-8"))
    if not isinstance(found, dict) or "train" not in found:
        raise ValueError(f"{described.name} should name the folders train and val, and the classes as names")
    kept = {name: found[name] for name in ("names", "nc", "channels") if found.get(name) is not None}
    found["val"] = found.get("val") or found.get("valid") or found.get("validation")
    base = root if _inside(root, found["train"]) else _inside(root, found.get("path") or "") or root
    for split in ("train", "val"):
        named = found[split] if isinstance(found[split], list) else [found[split]]
        folders = [_inside(base, one) for one in named if one]
        if not folders or None in folders:
            raise ValueError(f"{described.name}: {split}: {found[split]} is no folder of the dataset")
        kept[split] = [str(one) for one in folders]
    target = folder / "data.yaml"
    target.write_text(yaml.safe_dump({"path": str(base.resolve()), **kept}, allow_unicode=True), encoding="utf-8")
    return target


def _inside(base, name):
    """The folder or list file of that name, if it is there and inside base. Exported datasets like to say ../train."""
    path = (base / str(name).removeprefix("../")).resolve()
    return path if path.exists() and path.is_relative_to(base.resolve()) else None


def _classify(root, folder, seed):
    if (root / "train").is_dir() and any((root / name).is_dir() for name in ("val", "valid", "validation", "test")):
        return root
    source = root / "train" if (root / "train").is_dir() else root
    pictures = sorted(p for p in source.glob("*/**/*") if p.suffix.lower() in PICTURES and p.name[0] != ".")
    if len({path.relative_to(source).parts[0] for path in pictures}) < 2:
        raise ValueError("task classify needs at least two folders of pictures, one a class: train/<class>/*.jpg")
    random.Random(seed).shuffle(pictures)
    for place, path in enumerate(pictures):
        split = "val" if place < max(1, len(pictures) // 5) else "train"
        target = folder / "split" / split / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path, target)  # the same file under a second name: no disk is used
        except OSError:
            shutil.copyfile(path, target)
    for name in {path.relative_to(source).parts[0] for path in pictures}:
        for split in ("train", "val"):  # a small class may be in one half only; both halves know it
            Path(folder / "split" / split / name).mkdir(parents=True, exist_ok=True)
    return folder / "split"
