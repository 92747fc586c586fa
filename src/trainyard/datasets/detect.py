"""Does a zip hold a detection dataset? `data.yaml` with names, train and val, and a text file of boxes a picture."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, cast

import yaml

from trainyard.datasets.archive import UNPRINTABLE, Archive, refuse
from trainyard.datasets.pictures import is_picture

YAML_LIMIT = 256 * 1024  # a thousand class names take 20 KiB
MAX_CLASSES = 10_000
LIST_LIMIT = 64 * 1024 * 1024  # 500,000 lines of 130 characters
MAX_FOLDERS = 50
LAYOUT = (
    "Detection: data.yaml (names: [cat, dog], train: images/train, val: images/val; a folder each, or a text file that "
    "lists pictures as ./images/1.jpg), the pictures there, "
    "and for images/train/1.jpg a labels/train/1.txt with a line `class x y width height` a box."
)


class _Loader(yaml.BaseLoader):
    """Text, lists and mappings only; no aliases, with which a few lines become gigabytes."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not read here")
        return super().compose_node(parent, index)


@dataclass(slots=True, frozen=True)
class Layout:
    """What a data.yaml says: the classes, and each split's pictures; `lists` are the text files that name them."""

    classes: list[str]
    pictures: dict[str, list[str]]
    lists: set[str]


def read_layout(archive: Archive, root: str) -> Layout | None:
    """None where there is no data.yaml. Raises InvalidInput where it is a wrong one."""
    name = description_in(archive, root)
    if name is None:
        return None
    config = _read(archive, name)
    found = Layout(_classes(config, name), {}, set())
    for split in ("train", "val", "test"):
        given = config.get(split)
        if split == "test" and not given:
            continue
        found.pictures[split] = _pictures_of(archive, root, config, split, name, found.lists)
    return found


def detect_summary(archive: Archive, root: str) -> dict[str, Any] | None:
    """What the dataset holds, or None where there is no data.yaml. Raises InvalidInput where it is a wrong one."""
    found = read_layout(archive, root)
    if found is None:
        return None
    classes, pictures = found.classes, found.pictures
    labels = {split: sum(label_of(one) in archive.files for one in found) for split, found in pictures.items()}
    if not labels["train"]:
        wanted = label_of(pictures["train"][0])
        raise refuse(f"No picture for training has a label file: {wanted} is missing, for one.", LAYOUT)
    return {
        "classes": classes,
        "splits": {split: len(found) for split, found in pictures.items()},
        "pictures": sum(map(len, pictures.values())),
        "labels": sum(labels.values()),
    }


def description_in(archive: Archive, root: str) -> str | None:
    return next((root + name for name in ("data.yaml", "data.yml") if root + name in archive.files), None)


def _read(archive: Archive, name: str) -> dict[str, Any]:
    raw = archive.read_small(name, YAML_LIMIT)
    try:
        config: Any = yaml.load(raw.decode("utf-8-sig"), Loader=_Loader)  # noqa: S506 - makes no objects, see above
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        first_line = str(error).splitlines()[0][:200] if not isinstance(error, RecursionError) else "nested too deeply"
        raise refuse(f"{name} is not YAML that can be read: {first_line}.", LAYOUT) from error
    if not isinstance(config, dict):
        raise refuse(f"{name} holds no settings.", LAYOUT)
    return config  # pyright: ignore[reportUnknownVariableType]


def _classes(config: dict[str, Any], name: str) -> list[str]:
    names: Any = config.get("names")
    if isinstance(names, dict):
        numbered = cast("dict[str, Any]", names)
        names = [numbered.get(str(number)) for number in range(len(numbered))]
    if not isinstance(names, list) or not names:
        raise refuse(f"{name} has no list of class names.", "Add `names: [cat, dog]`, or one `number: name` a line.")
    classes = cast("list[Any]", names)
    if len(classes) > MAX_CLASSES:
        raise refuse(f"{name} names {len(classes):,} classes; at most {MAX_CLASSES:,} fit.")
    for number, one in enumerate(classes):
        if not isinstance(one, str) or not one.strip() or len(one) > 200 or UNPRINTABLE.search(one):
            raise refuse(f"{name} has no usable name for class {number}.", "Number them from 0, each with a name.")
    if len(set(classes)) != len(classes):
        raise refuse(f"{name} has a class name twice.", "Give every class a name of its own.")
    count = config.get("nc")
    if count is not None and count != str(len(classes)):
        raise refuse(f"{name} says nc: {str(count)[:20]}, but names {len(classes)} classes.", "Make the two agree.")
    return classes


def _pictures_of(
    archive: Archive, root: str, config: dict[str, Any], split: str, name: str, lists: set[str]
) -> list[str]:
    given: Any = config.get(split)
    folders = cast("list[Any]", given) if isinstance(given, list) else [given]
    if len(folders) > MAX_FOLDERS:
        raise refuse(f"{name} gives {len(folders):,} folders for {split}; at most {MAX_FOLDERS} are read.")
    found: list[str] = []
    for folder in folders:
        if not isinstance(folder, str) or not folder:
            raise refuse(f"{name} does not say where the pictures for {split} are.", f"Add `{split}: images/{split}`.")
        found += _pictures_in(archive, root, config.get("path"), folder, lists)
    if not found:
        where = ", ".join(map(str, folders))[:200]
        raise refuse(f"{name} says {split}: {where}, but the zip has no pictures there.", LAYOUT)
    return found


def _pictures_in(archive: Archive, root: str, base: Any, given: str, lists: set[str]) -> list[str]:
    """Looked for as YOLO does: below `path`, beside data.yaml, and without the ../ that some exports put before it."""
    below = [f"{base}/{given}"] if isinstance(base, str) else []
    for candidate in (*below, given):
        place = root + "/".join(part for part in PurePosixPath(candidate).parts if part not in ("/", ".."))
        if place in archive.files and place.endswith(".txt"):
            lists.add(place)
            return _listed(archive, place)
        prefix = f"{place}/" if place != root else root
        found = [one for one in archive.files if one.startswith(prefix) and is_picture(one)]
        if found:
            return found
    return []


def _listed(archive: Archive, name: str) -> list[str]:
    """The pictures a list names, as YOLO reads it: ./ at a line's beginning is the list's own folder."""
    folder = name[: name.rindex("/") + 1] if "/" in name else ""
    try:
        lines = archive.read_small(name, LIST_LIMIT).decode("utf-8").strip().splitlines()
    except UnicodeDecodeError as error:
        raise refuse(f"{name} is not text in UTF-8 ({error.reason}).", "Save it as UTF-8.") from error
    for number, line in enumerate(lines, 1):
        if not line.startswith("./"):
            raise refuse(
                f"{name}, line {number}: {line[:120]!r} would be looked for outside the dataset.",
                "Begin each line with ./ and go on from the list's folder: ./images/1.jpg.",
            )
        if folder + line[2:] not in archive.files or not is_picture(line):
            raise refuse(f"{name}, line {number}: {line[:120]!r} is no picture in the zip.", LAYOUT)
    return [folder + line[2:] for line in lines]


def label_of(picture: str) -> str:
    """images/train/1.jpg → labels/train/1.txt; a picture in no folder called images has its label beside it."""
    head, middle, tail = f"/{picture}".rpartition("/images/")
    path = f"{head}/labels/{tail}" if middle else f"/{picture}"
    return path[1 : path.rindex(".")] + ".txt"
