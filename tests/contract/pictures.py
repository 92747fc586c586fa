"""Datasets for trainers: those of the conformance kit, and hostile ones."""

import zipfile
from pathlib import Path

from trainyard.conformance.pictures import boxes, class_folders, one_scene

__all__ = ["bombing", "boxes", "class_folders", "linking", "one_scene", "slipping"]


def slipping(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr("train/a/1.png", b"")
        bundle.writestr("../../escaped.txt", b"out")
    return path


def linking(path: Path) -> Path:
    entry = zipfile.ZipInfo("train/link")
    entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr(entry, "/etc/passwd")
    return path


def bombing(path: Path) -> Path:
    """A few hundred bytes that claim to unpack to 3 GiB."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("train/a/1.png", bytes(2**16))
        bundle.filelist[0].file_size = 3 * 2**30  # what the directory at the zip's end will say
    return path
