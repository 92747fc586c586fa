"""Which pictures a dataset has, in which split, and where it says what is on them: from the zip's directory alone."""

from collections.abc import Iterator
from dataclasses import dataclass

from trainyard.contract.vocabulary import Task
from trainyard.datasets import classify, detect
from trainyard.datasets.archive import Archive
from trainyard.datasets.inspect import fits_nothing, roots
from trainyard.datasets.pictures import is_picture

EXPECTED = (".yaml", ".yml", ".json", ".md", "readme.txt", "license.txt", "readme.dataset.txt", "classes.txt", ".cache")


@dataclass(frozen=True, slots=True)
class Item:
    name: str
    split: str
    label: str | None  # the text file that should say what is on it; None: its folder does
    kind: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    task: Task
    classes: list[str]
    splits: list[str]
    items: list[Item]
    stray: list[str]  # files that belong to none of them


def make_plan(archive: Archive) -> Plan:
    """Raises InvalidInput where it is no dataset, in the words of the first look at it."""
    for root in roots(archive):
        found = detect.read_layout(archive, root)
        if found is not None:
            return _detection(archive, found)
        folders = classify.read_layout(archive, root)
        if folders is not None:
            return _classification(archive, folders)
    raise fits_nothing(archive)


def _detection(archive: Archive, found: detect.Layout) -> Plan:
    items = [
        Item(name, split, detect.label_of(name), None) for split, names in found.pictures.items() for name in names
    ]
    known = {item.name for item in items} | {item.label for item in items} | found.lists
    return Plan(Task.DETECT, found.classes, list(found.pictures), items, list(_strays(archive, known)))


def _classification(archive: Archive, found: classify.Layout) -> Plan:
    kinds = {name: kind for kind, name in enumerate(found.classes)}
    items = [Item(one.name, one.split, None, kinds[one.folder]) for one in found.pictures]
    order = [split for split in ("train", "val", "test", "all") if any(item.split == split for item in items)]
    items.sort(key=lambda item: order.index(item.split))
    return Plan(Task.CLASSIFY, found.classes, order, items, list(_strays(archive, {item.name for item in items})))


def _strays(archive: Archive, known: set[str | None]) -> Iterator[str]:
    for name in archive.files:
        if name not in known and (is_picture(name) or not name.lower().endswith(EXPECTED)):
            yield name
