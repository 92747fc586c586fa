"""Which files of a zip are COCO jsons, which split each describes, and which picture it means by a name."""

import re
import unicodedata
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass

from trainyard.datasets.archive import Archive, refuse
from trainyard.datasets.classify import SPLITS, VAL_NAMES, classify_summary
from trainyard.datasets.coco.annotations import looks_like_coco
from trainyard.datasets.pictures import is_picture

EXPORTED = "_annotations.coco.json"
SINGLE = (EXPORTED, "instances_default.json", "instances.json")
ANYBODYS = ("annotations.json", "labels.json", "result.json")  # may hold anything
LAYOUT = (
    "Detection as COCO json: train/_annotations.coco.json beside its pictures (valid and test alike), "
    "annotations/instances_train.json and instances_val.json with images/train and images/val, "
    "or one annotations.json with images/. It is converted when it is uploaded."
)
_SPLIT = re.compile(r"(train|val(?:id(?:ation)?)?|test)(?![a-z])", re.IGNORECASE)


@dataclass(slots=True, frozen=True)
class Source:
    json: str
    split: str  # train, val or test; "" where one json describes all pictures
    folders: tuple[str, ...]  # where its pictures may be, the likeliest first


def find_sources(archive: Archive, root: str) -> list[Source]:
    """The jsons below root that describe the dataset; none where it is no COCO dataset."""
    exported = [f"{root}{split}/{EXPORTED}" for split in SPLITS]
    found = [_source(name, root, name.split("/")[-2]) for name in exported if name in archive.files]
    if not found:
        found = _standard(archive, root)
    if not found:
        names = [root + name for name in SINGLE if root + name in archive.files]
        if not names:
            names = [root + name for name in ANYBODYS if root + name in archive.files]
            if names and classify_summary(archive, root) is not None:  # class folders, and any json beside them?
                names = [name for name in names if looks_like_coco(archive, name)]
        found = [_source(name, root, "") for name in names]
        _check_one(found)
    return found


def _standard(archive: Archive, root: str) -> list[Source]:
    prefix = f"{root}annotations/instances_"
    names = sorted(name for name in archive.files if name.startswith(prefix) and name.endswith(".json"))
    found = [_source(name, root, name[len(prefix) : -len(".json")]) for name in names]
    split = [source for source in found if source.split]
    if not split:
        _check_one(found)
    return split or found


def _check_one(found: list[Source]) -> None:
    if len(found) > 1:
        raise refuse(
            f"The zip holds {found[0].json} and {found[1].json}: which of them describes the dataset is not clear.",
            "Take one out, or name them annotations/instances_train.json and annotations/instances_val.json.",
        )


def _source(json: str, root: str, part: str) -> Source:
    split = split_of(part)
    names = [part, *(VAL_NAMES if split == "val" else [split])] if split else [part] if part else []
    below = [f"{root}{folder}" for name in names for folder in (f"{name}/", f"images/{name}/", f"{name}/images/")]
    beside = json[: json.rindex("/") + 1] if "/" in json else ""
    return Source(json, split, tuple(dict.fromkeys([beside, *below, f"{root}images/", root])))


def split_of(part: str) -> str:
    """train2017 → train, Validation → val, trainval → ""."""
    named = _SPLIT.match(part)
    if named is None:
        return ""
    word = named[1].lower()
    return "val" if word in VAL_NAMES else word


class Pictures:
    """The zip's pictures, to be found by what a json calls them."""

    def __init__(self, archive: Archive) -> None:
        self._by_path = {_whole(name): name for name in archive.files if is_picture(name)}
        self._by_name: defaultdict[str, list[str]] = defaultdict(list)
        for path, name in self._by_path.items():
            self._by_name[path.rpartition("/")[2]].append(name)
        self.all = list(self._by_path.values())

    def find(self, file_name: str, source: Source) -> str | None:
        """A path's first folders may be those of another machine: they are left away one by one."""
        parts = _whole(file_name).replace("\\", "/").split("/")
        parts = [part for part in parts if part not in ("", ".", "..")]
        for start in range(len(parts)):
            rest = "/".join(parts[start:])
            for folder in source.folders:
                if found := self._by_path.get(_whole(folder) + rest):
                    return found
        others = [one for one in self._by_name.get(parts[-1] if parts else "", []) if _may_be_of(one, source.split)]
        if len(others) > 1:
            raise refuse(
                f"{source.json} names {file_name[:120]!r}, which is in several folders: {others[0]} and {others[1]}.",
                "Give its path below the json's folder as file_name.",
            )
        return others[0] if others else None


def _whole(name: str) -> str:
    """As a json has it: macOS takes Korean syllables apart, and some programs do not mark a zip's names as UTF-8."""
    with suppress(UnicodeError):
        name = name.encode("cp437").decode("utf-8")
    return unicodedata.normalize("NFC", name)


def _may_be_of(picture: str, split: str) -> bool:
    """Not in a folder of another split: its pictures often have the same names."""
    return not split or all(split_of(part) in ("", split) for part in picture.split("/")[:-1])
