"""Reads a bundle's archive without believing it: nothing is written to a disk, and memory is bounded.

What comes out is what bundle_folder could have made, in names, sizes and number; everything else is refused.
"""

import io
import stat
import struct
import zipfile
import zlib

from trainyard.errors import InvalidInput, TooLarge
from trainyard.executors.bundle import (
    LARGEST_ARCHIVE,
    LARGEST_BUNDLE,
    LARGEST_FILE,
    MOST_FILES,
    Bundle,
    File,
    is_unreadable,
    make_bundle,
)

LONGEST_PATH = 4096
LONGEST_NAME = 255
_END = struct.Struct("<4s4H2LH")  # the record at a zip's end
_ZIP64_LOCATOR = (b"PK\x06\x07", 20)
_ENTRY = b"PK\x01\x02"
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
# what zipfile raises on bytes that somebody made up
_BROKEN = (
    *(zipfile.BadZipFile, struct.error, ValueError, OverflowError, EOFError, NotImplementedError, OSError),
    *(zlib.error, RuntimeError, zipfile.LargeZipFile),
)


def read_archive(archive: bytes) -> Bundle:
    """The bundle in it. Raises InvalidInput or TooLarge, naming the entry."""
    if len(archive) > LARGEST_ARCHIVE:
        raise _too_large()
    _check_directory(archive)
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            entries = opened.infolist()
            _check_names([entry.filename for entry in entries])
            if sum(entry.file_size for entry in entries) > LARGEST_BUNDLE:
                raise _too_large()
            return make_bundle([_file(opened, entry) for entry in entries])
    except _BROKEN as error:
        raise _refuse(f"The code's archive is damaged ({error}).", "Send it again.") from None


def _check_directory(archive: bytes) -> None:
    """zipfile reads the whole directory into memory, an object an entry: so it is counted before."""
    end = archive[-_END.size :]
    if len(end) < _END.size or not end.startswith(b"PK\x05\x06"):
        raise _refuse("The code's archive is no complete zip.", "Send it again; `trainyard train --on k8s` makes one.")
    mark, back = _ZIP64_LOCATOR
    size = _END.unpack(end)[5]
    if archive[-_END.size - back :].startswith(mark) or size > len(archive) - _END.size:
        raise _refuse("The code's archive is no zip that trainyard makes.")
    if archive.count(_ENTRY, len(archive) - _END.size - size) > MOST_FILES:
        raise _too_large()


def _check_names(names: list[str]) -> None:
    """Each inside its folder, none hidden, none twice, none a file and a folder at once."""
    for name in names:
        parts = name.split("/")
        if any(part in ("", ".", "..") for part in parts):
            raise _refuse(f"The code's archive holds {_shown(name)}, which is no plain path of a file inside it.")
        if any(part.startswith(".") for part in parts):
            raise _refuse(f"The code's archive holds {_shown(name)}: hidden files never travel, they may be secrets.")
        if is_unreadable(name):
            raise _refuse(f"The code's archive holds {_shown(name)}, named with characters that nobody can read.")
        if len(name.encode()) > LONGEST_PATH or any(len(part.encode()) > LONGEST_NAME for part in parts):
            raise _refuse(f"The code's archive holds {_shown(name)}, a name too long for a disk.", "Shorten it.")
    folders = {
        "/".join(parts[:depth]) for parts in (name.split("/") for name in names) for depth in range(1, len(parts))
    }
    twice = len(names) != len(set(names))
    if twice or folders & set(names):
        raise _refuse("The code's archive holds a name twice, or as file and folder at once.")


def _file(opened: zipfile.ZipFile, entry: zipfile.ZipInfo) -> File:
    mode = entry.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise _refuse(f"{_shown(entry.filename)} in the code's archive is no regular file, but a link or a device.")
    if entry.orig_filename != entry.filename or entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS:
        raise _refuse(f"{_shown(entry.filename)} in the code's archive is packed in a way that trainyard doesn't.")
    if entry.file_size > LARGEST_FILE and not entry.filename.endswith(".py"):
        raise _refuse(
            f"{_shown(entry.filename)} is larger than 1 MiB and no Python file: that is data, not code.",
            "Put it into a dataset.",
        )
    with opened.open(entry) as source:  # never gives more than file_size, whatever the stream would unpack to
        data = source.read(entry.file_size + 1)
    if len(data) != entry.file_size:
        raise _refuse(f"{_shown(entry.filename)} in the code's archive is shorter than it says.", "Send it again.")
    return File(entry.filename, data, bool(mode & stat.S_IXUSR))


def _refuse(message: str, hint: str = "") -> InvalidInput:
    return InvalidInput(message, hint=hint, field="code")


def _too_large() -> TooLarge:
    return TooLarge(
        f"The code's archive holds more than {MOST_FILES:,} files or {LARGEST_BUNDLE >> 20} MiB.",
        hint="Data belongs into a dataset; what isn't code into .gitignore.",
    )


def _shown(name: str) -> str:
    return ascii(name[:120])
