"""The first look at an uploaded zip: is it safe, and what can be trained with it?

Reads the zip's directory and data.yaml only, so it is quick and its memory is bounded whatever was uploaded. Of a COCO
dataset the jsons are read too, a value at a time.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainyard.contract.vocabulary import Task
from trainyard.datasets import classify, detect
from trainyard.datasets.append import append
from trainyard.datasets.archive import Archive, open_archive, refuse
from trainyard.datasets.coco import layout
from trainyard.datasets.coco.convert import convert
from trainyard.datasets.pictures import is_picture
from trainyard.errors import InvalidInput


@dataclass(slots=True, frozen=True)
class Inspection:
    """What a dataset is good for: the tasks it fits, and its classes, pictures and splits."""

    tasks: list[Task]
    summary: dict[str, Any]


def take_in(path: Path, max_unpacked: int) -> Inspection:
    """`inspect`, after labels and a data.yaml were added to the zip of a COCO dataset: the file must be ours.

    Blocking, for any thread. Where it raises, the file may be no zip any more.
    """
    with open_archive(path, max_unpacked) as archive:
        sources = coco_sources(archive)
        if not sources:
            return _inspection(archive)
        converted = convert(archive, sources)
    append(path, converted.files)
    found = inspect(path, max_unpacked)
    return Inspection(found.tasks, {**found.summary, **converted.summary})


def inspect(path: Path, max_unpacked: int) -> Inspection:
    """Blocking, pure, for any thread. Raises InvalidInput naming the entry that is wrong and what would be right."""
    with open_archive(path, max_unpacked) as archive:
        return _inspection(archive)


def _inspection(archive: Archive) -> Inspection:
    if not any(map(is_picture, archive.files)):
        raise fits_nothing(archive)
    for root in roots(archive):
        task, summary = Task.DETECT, detect.detect_summary(archive, root)
        if summary is None:
            task, summary = Task.CLASSIFY, classify.classify_summary(archive, root)
        if summary is not None:
            return Inspection([task], {**summary, "unpacked_bytes": archive.unpacked})
    raise fits_nothing(archive)


def coco_sources(archive: Archive) -> list[layout.Source]:
    """None where there is a data.yaml: what is YOLO stays as it is."""
    for root in roots(archive):
        if detect.description_in(archive, root) is not None:
            return []
        if sources := layout.find_sources(archive, root):
            return sources
    return []


def roots(archive: Archive) -> list[str]:
    """Where the dataset may begin: at the top, or in the one folder that wraps everything."""
    tops = {name.partition("/")[0] + "/" if "/" in name else "" for name in archive.files}
    return ["", *tops] if len(tops) == 1 and tops != {""} else [""]


def fits_nothing(archive: Archive) -> InvalidInput:
    """What is said of a zip that is laid out otherwise."""
    folders = Counter(name.rpartition("/")[0] or "the top folder" for name in archive.files if is_picture(name))
    hint = f"Three layouts fit. {detect.LAYOUT} {layout.LAYOUT} {classify.LAYOUT}"
    if not folders:
        return refuse(f"The zip holds {len(archive.files):,} files, but no pictures.", hint)
    listed = ", ".join(f"{count:,} in {folder[:60]}" for folder, count in folders.most_common(4))
    more = f" and {len(folders) - 4:,} more folders" if len(folders) > 4 else ""
    yamls = [name for name in archive.files if name.endswith((".yaml", ".yml"))]
    stray = f" It holds {yamls[0][:60]}, but no data.yaml at its top." if yamls else " It holds no data.yaml."
    return refuse(f"The zip is laid out in no way that can be trained with: pictures are {listed}{more}.{stray}", hint)
