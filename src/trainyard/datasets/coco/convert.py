"""COCO → YOLO: a label file a picture, data.yaml, and lists of pictures where folders don't tell the splits.

The same zip gives the same bytes, in the same order: it is the same dataset when it is uploaded again.
"""

import hashlib
import unicodedata
from array import array
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from posixpath import commonpath
from typing import Any

import yaml

from trainyard.datasets.archive import Archive, refuse
from trainyard.datasets.coco.annotations import AGAIN, BOX, MAX_JSON, Category, Described, Image, read, wrong
from trainyard.datasets.coco.layout import Pictures, Source
from trainyard.datasets.coco.size import picture_size
from trainyard.datasets.detect import YAML_LIMIT, label_of
from trainyard.errors import InvalidInput

FEW = 100  # of so many pictures, one may be missing from the zip
ROUNDING = 0.5  # pixels: a box that leaves its picture by less is not counted as clipped
COUNTED = (
    *("boxes", "boxes_clipped", "boxes_empty", "crowds"),
    *("pictures_without_boxes", "pictures_missing", "pictures_not_described"),
)


@dataclass(slots=True)
class Converted:
    """What is to be added to the zip, and what is to be said of it."""

    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    counts: Counter[str] = field(default_factory=Counter[str])
    splits: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    drawn: bool = False

    @property
    def summary(self) -> dict[str, Any]:
        said: dict[str, Any] = {"converted_from": "coco"}
        if self.drawn:
            said["validation"] = "a fifth of the pictures, drawn by their names"
        return said | {name: self.counts[name] for name in COUNTED}


def convert(archive: Archive, sources: list[Source]) -> Converted:
    """Blocking; takes seconds for 100,000 annotations. Raises InvalidInput naming what is wrong; changes nothing."""
    size = sum(archive.files[source.json].file_size for source in sources)
    if size > MAX_JSON:
        raise refuse(
            f"{sources[0].json} and its like hold {size:,} bytes; at most {MAX_JSON:,} are read.",
            "Split the dataset, or export it without outlines (segmentation).",
        )
    described = [read(archive, source.json) for source in sources]
    numbers, names = _classes(described)
    found, pictures = Converted(), Pictures(archive)
    _add_labels(found, archive, pictures, sources, described, numbers)
    _draw_validation(found)
    for split in ("train", "val"):
        if not found.splits.get(split):
            raise refuse(f"The COCO json describes no pictures for {split}.", AGAIN)
    if not any(found.files[label_of(picture)] for picture in found.splits["train"]):
        raise refuse("No picture for training has a box.", AGAIN)
    _describe(found, pictures, names)
    _check_nothing_is_there(found, archive)
    found.counts["pictures_not_described"] = len(pictures.all) - sum(map(len, found.splits.values()))
    found.files = dict(sorted(found.files.items()))
    return found


# -- classes --------------------------------------------------------------------------------------------------------


def _classes(described: list[Described]) -> tuple[dict[int, int], list[str]]:
    """Each category's number, and the names in that order, of all jsons together."""
    categories: dict[int, Category] = {}
    for one in described:
        for identity, category in one.categories.items():
            known = categories.setdefault(identity, category)
            if known.name != category.name:
                raise wrong(one.json, f"category {identity}", category.name, f"{known.name!r}, as in the other json")
    used = {identity for one in described for identity in one.used}
    children: defaultdict[str, set[int]] = defaultdict(set)
    for identity, category in categories.items():
        children[category.parent].add(identity)
    for identity, category in list(categories.items()):
        # Roboflow's category 0 is the name of the project: the parent of all, and of no box
        if identity not in used and children[category.name] - {identity}:
            del categories[identity]
    kept = sorted(categories)
    names = [categories[identity].name for identity in kept]
    if not names:
        raise refuse(f"{described[0].json} has no categories.", AGAIN)
    twice, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise refuse(f"{described[0].json} has {count} categories called {twice!r}.", "Give each a name of its own.")
    return {identity: number for number, identity in enumerate(kept)}, names


# -- labels ---------------------------------------------------------------------------------------------------------


def _add_labels(
    found: Converted,
    archive: Archive,
    pictures: Pictures,
    sources: list[Source],
    described: list[Described],
    numbers: dict[int, int],
) -> None:
    owner: dict[str, tuple[str, str]] = {}
    missing: list[str] = []
    for source, one in zip(sources, described, strict=True):
        found.counts["crowds"] += one.crowds
        split = found.splits.setdefault(source.split, [])
        for identity, image in one.images.items():
            boxes = one.boxes.pop(identity, array("d"))
            picture = pictures.find(image.file_name, source)
            if picture is None:
                missing.append(f"{source.json} names {image.file_name[:200]!r}")
                continue
            label = label_of(picture)
            if label in owner:
                raise _shared(label, owner[label], (picture, source.json))
            owner[label] = (picture, source.json)
            found.files[label] = _lines(found.counts, boxes, _sized(archive, picture, image), numbers)
            split.append(picture)
            found.counts["pictures_without_boxes"] += not found.files[label]
    found.counts["pictures_missing"] = len(missing)
    total = len(missing) + len(found.files)
    if len(missing) * FEW > total:
        raise refuse(
            f"{missing[0]}, which is no picture in the zip; {len(missing):,} of {total:,} are missing.",
            "Zip the pictures together with the json.",
        )


def _shared(label: str, first: tuple[str, str], second: tuple[str, str]) -> InvalidInput:
    if first[0] == second[0]:
        where = f"twice in {first[1]}" if first[1] == second[1] else f"both in {first[1]} and in {second[1]}"
        return refuse(f"{first[0]} is described {where}.", "A picture belongs to one split, and is named once.")
    return refuse(f"{first[0]} and {second[0]} would share the label file {label}.", "Rename one, in the json as well.")


def _sized(archive: Archive, picture: str, image: Image) -> tuple[float, float]:
    return (image.width, image.height) if image.width and image.height else picture_size(archive, picture)


def _lines(counts: Counter[str], boxes: "array[float]", size: tuple[float, float], numbers: dict[int, int]) -> bytes:
    """A line a box: class, middle and size, in parts of the picture's."""
    lines: list[str] = []
    for at in range(0, len(boxes), BOX):
        category, left, top, width, height = boxes[at : at + BOX]
        right, bottom = left + width, top + height
        clipped = [max(left, 0.0), max(top, 0.0), min(right, size[0]), min(bottom, size[1])]
        wide, high = clipped[2] - clipped[0], clipped[3] - clipped[1]
        if wide <= 0 or high <= 0:
            counts["boxes_empty"] += 1
            continue
        moved = max(abs(a - b) for a, b in zip(clipped, (left, top, right, bottom), strict=True))
        counts["boxes_clipped"] += moved > ROUNDING
        middle = ((clipped[0] + clipped[2]) / 2 / size[0], (clipped[1] + clipped[3]) / 2 / size[1])
        parts = (*middle, wide / size[0], high / size[1])
        lines.append(f"{numbers[int(category)]} " + " ".join(f"{part:.6f}" for part in parts) + "\n")
    counts["boxes"] += len(lines)
    return "".join(lines).encode()


# -- splits and data.yaml -------------------------------------------------------------------------------------------


def _draw_validation(found: Converted) -> None:
    """Where no json is for validation, a fifth of the others is, chosen by a hash of their names: always the same."""
    pool = found.splits.pop("", None) or found.splits.get("train", [])
    found.splits.setdefault("train", pool)
    if "val" in found.splits:
        return
    if len(pool) < 2:
        raise refuse(f"The COCO json describes {len(pool)} pictures; training and validation need one each.", AGAIN)
    order = sorted(pool, key=lambda name: hashlib.sha256(name.encode()).digest())
    fifth = max(1, len(pool) // 5)
    found.splits |= {"train": order[fifth:], "val": order[:fifth]}
    found.drawn = True


def _describe(found: Converted, pictures: Pictures, names: list[str]) -> None:
    config: dict[str, Any] = {"names": names}
    for split in ("train", "val", "test"):
        chosen = sorted(found.splits.get(split, []))
        if not chosen:
            continue
        config[split] = _folder_of(chosen, pictures)
        if config[split] is None:
            config[split] = f"{split}.txt"
            found.files[f"{split}.txt"] = _listed(chosen)
    text = yaml.safe_dump(config, allow_unicode=True, sort_keys=False, width=1000).encode()
    if len(text) > YAML_LIMIT:
        raise refuse(f"The names of {len(names):,} categories take {len(text):,} bytes; {YAML_LIMIT:,} fit.")
    found.files["data.yaml"] = text


def _folder_of(chosen: list[str], pictures: Pictures) -> str | None:
    """The folder that holds these pictures and no other, if there is one."""
    folder = commonpath([name.rpartition("/")[0] for name in chosen])
    holds = sum(name.startswith(f"{folder}/") for name in pictures.all)
    return folder if folder and holds == len(chosen) and not set(folder) & set("*?[") else None


def _listed(chosen: list[str]) -> bytes:
    """A line a picture, from the list's own folder."""
    for name in chosen:
        if len(name.splitlines()) != 1 or "./" in name:
            raise refuse(f"{name[:200]!r} can't stand in a list of pictures.", "Rename it, in the json as well.")
    return "".join(f"./{name}\n" for name in chosen).encode()


def _check_nothing_is_there(found: Converted, archive: Archive) -> None:
    """Nothing in the zip is written over, nor put beside something that is the same name on some disks."""
    there = {_folded(name): name for name in archive.files}
    for name in found.files:
        if (other := there.get(_folded(name))) is not None:
            raise refuse(
                f"The zip holds {other}, where {name} of the converted dataset belongs.",
                "Take it out; or, if the zip's labels are YOLO's already, add their data.yaml.",
            )
        there[_folded(name)] = name


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
