"""Adds files to a zip of ours without touching what it holds.

zipfile's own mode "a" writes the whole directory anew, with all names as UTF-8, though beside the data they stay what
they were: other programs see two names, and Python 3.12 can't open an entry any more that has a Unicode name in its
extra field. Here the old entries stay byte for byte, and the new ones follow them.
"""

import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from trainyard.datasets.archive import refuse
from trainyard.datasets.spool import plain_errors, require_room

ALWAYS = (1980, 1, 1, 0, 0, 0)  # the same files make the same bytes
DIRECTORY_ENTRY = struct.Struct("<28s3H12x")  # the lengths of name, extra and comment follow it
END = struct.Struct("<4s4H2LH")
END_64, LOCATOR_64 = struct.Struct("<4sQ2H2L4Q"), struct.Struct("<4sLQL")
FULL_16, FULL_32 = 0xFFFF, 0xFFFFFFFF  # what the short form says where only the long one can


def append(path: Path, files: Mapping[str, bytes]) -> None:
    """The zip was checked. Where this fails halfway the file is no zip any more: it is the caller's to delete."""
    with zipfile.ZipFile(path) as archive:
        start, count = archive.start_dir, len(archive.infolist())
        first = min(info.header_offset for info in archive.infolist())
    if first != 0:
        raise refuse("The zip does not begin with its first file.", "It is a program, or damaged: make the zip again.")
    room = sum(len(content) + 2 * len(name.encode()) + 100 for name, content in files.items())
    with plain_errors(path.parent):
        require_room(path.parent, room)
        with path.open("r+b") as file:
            file.seek(start)
            directory = _directory(file, count)
            file.seek(start)
            file.truncate()
            with zipfile.ZipFile(file, "w") as added:  # closing it writes a directory of the new files alone
                for name, content in files.items():
                    added.writestr(_entry(name), content)
            file.seek(added.start_dir)
            directory += _directory(file, len(files))
            file.seek(added.start_dir)
            file.truncate()
            file.write(directory + _end(count + len(files), len(directory), added.start_dir))


def _entry(name: str) -> zipfile.ZipInfo:
    """Stored: what deflate makes of a text differs from one zlib to the next."""
    info = zipfile.ZipInfo(name, ALWAYS)
    info.create_system, info.external_attr = 3, 0o100644 << 16
    return info


def _directory(file: BinaryIO, count: int) -> bytes:
    """The directory's entries, from where the file stands."""
    raw, at = file.read(), 0
    for _ in range(count):
        _, *lengths = DIRECTORY_ENTRY.unpack_from(raw, at)
        at += 46 + sum(lengths)
    return raw[:at]


def _end(count: int, size: int, start: int) -> bytes:
    short = END.pack(
        b"PK\5\6", 0, 0, min(count, FULL_16), min(count, FULL_16), min(size, FULL_32), min(start, FULL_32), 0
    )
    if count < FULL_16 and size < FULL_32 and start < FULL_32:
        return short
    long = END_64.pack(b"PK\6\6", END_64.size - 12, 45, 45, 0, 0, count, count, size, start)
    return long + LOCATOR_64.pack(b"PK\6\7", 0, start + size, 1) + short
