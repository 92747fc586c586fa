"""Opens an uploaded zip without believing it. Reads its directory and small files; extracts nothing to disk.

Memory is bounded by MAX_DIRECTORY and MAX_ENTRIES, time by the number of entries (two short reads each). Safe to run in
any thread. What this can't see is a compressed stream that unpacks to more than its entry says: Python's zipfile stops
reading at the size that was checked here.
"""

import io
import lzma
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trainyard.errors import InvalidInput

MAX_ENTRIES = 500_000  # COCO has 240,000
MAX_DIRECTORY = 64 * 1024 * 1024
MAX_RATIO = 50  # pictures are compressed already; bitmaps and label files reach 20
RATIO_COUNTS_FROM = 100 * 1024 * 1024  # below, an archive may be as dense as it likes
DEFLATE_RATIO = 1100  # no deflate stream unpacks to more than 1,032 times its size
ENCRYPTED = 0x1 | 0x40 | 0x2000
HAS_DESCRIPTOR = 0x8  # sizes stand behind the data, not in the local header
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}
LOCAL_HEADER = struct.Struct("<4s5H3L2H")
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
JUNK = {".DS_Store", "Thumbs.db", "desktop.ini", "__MACOSX"}


def refuse(message: str, hint: str = "") -> InvalidInput:
    return InvalidInput(message, hint=hint, field="file")


@dataclass(slots=True, frozen=True)
class Archive:
    """A checked zip: its files by clean name, and a way to read a small one."""

    files: dict[str, zipfile.ZipInfo]
    unpacked: int
    zip: zipfile.ZipFile

    def read_small(self, name: str, limit: int) -> bytes:
        info = self.files[name]
        if info.file_size > limit:
            raise refuse(f"{name} holds {info.file_size:,} bytes; at most {limit:,} are read.")
        try:
            return self.zip.read(info)
        except (*BROKEN, RuntimeError) as error:
            raise refuse(f"{name} can't be unpacked: {error}.", "Make the zip again.") from error


# what zipfile raises on bytes that somebody made up
BROKEN = (
    *(zipfile.BadZipFile, struct.error, ValueError, OverflowError, EOFError, NotImplementedError, OSError),
    *(zlib.error, lzma.LZMAError, zipfile.LargeZipFile),
)


@contextmanager
def open_archive(path: Path, max_unpacked: int) -> Generator[Archive]:
    """Check everything that the directory tells, then hand out the archive. Raises InvalidInput naming the entry."""
    with _GuardedReader(io.FileIO(path)) as file:
        try:
            archive = zipfile.ZipFile(file)
        except BROKEN as error:
            raise refuse(
                f"The file is not a complete zip archive ({error}).",
                "Upload a .zip; if it is one, it was cut off or damaged: make it again and try again.",
            ) from error
        with archive:
            infos = archive.infolist()
            files = _checked_names(infos)
            unpacked = _checked_sizes(infos, path.stat().st_size, max_unpacked)
            _compare_local_headers(file, infos)
            yield Archive(files, unpacked, archive)


class _GuardedReader(io.BufferedReader):
    """zipfile reads the whole directory in one call, as large as the file says: this is where that is bounded."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MAX_DIRECTORY:
            raise refuse(f"The zip's directory says it holds {size:,} bytes; at most {MAX_DIRECTORY:,} are read.")
        data = super().read(size)
        if data.count(b"PK\x01\x02") > MAX_ENTRIES:
            raise refuse(f"The zip holds more than {MAX_ENTRIES:,} entries.", "Split the dataset.")
        return data


# -- names ---------------------------------------------------------------------------------------------------------


def _checked_names(infos: Iterable[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """Files by name, without folders and without what operating systems leave behind."""
    files: dict[str, zipfile.ZipInfo] = {}
    folded: dict[str, str] = {}
    for info in infos:
        if info.orig_filename == "./":  # some programs begin with the folder itself
            continue
        name = clean_name(info.filename)
        if info.orig_filename != info.filename:  # cut at a NUL, or replaced by a Unicode name beside it
            clean_name(info.orig_filename)
        _check_kind(name, info)
        if info.is_dir():
            continue
        fold = unicodedata.normalize("NFC", name).casefold()
        if name in files:
            raise refuse(f"The zip holds {_shown(name)} twice.", "Make the zip again.")
        if (other := folded.setdefault(fold, name)) != name:
            raise refuse(
                f"The zip holds both {_shown(other)} and {_shown(name)}: on many machines one overwrites the other.",
                "Rename or remove one of them.",
            )
        files[name] = info
    _check_no_file_is_a_folder(folded)
    return {name: info for name, info in files.items() if not _is_junk(name)}


def clean_name(name: str) -> str:
    """The entry's name in its shortest form, or InvalidInput: it must stay inside the folder it is unpacked into."""
    shown = _shown(name)
    if UNPRINTABLE.search(name):
        raise refuse(f"The entry {shown} has a control character in its name.", "Rename it, then zip again.")
    if "\\" in name:
        raise refuse(
            f"The entry {shown} has a backslash in its name.",
            "Zip with a tool that writes / between folders: Explorer's “compressed folder”, 7-Zip or zip.",
        )
    if name.startswith("/") or (len(name) > 1 and name[1] == ":"):
        raise refuse(f"The entry {shown} has an absolute path.", "Zip the folder from inside, with relative paths.")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise refuse(f"The entry {shown} leads out of the archive (“..”).", "Zip the folder itself.")
    if not parts or len(name) > 1000 or any(len(part.encode("utf-8", "replace")) > 255 for part in parts):
        raise refuse(f"The entry {shown} has a name that no disk can hold.", "Use a name of 1 to 255 bytes.")
    return "/".join(parts)


def _shown(name: str) -> str:
    """A name as it may stand in a message, whatever is in it."""
    return repr(name[:120]).replace("\\\\", "\\") + ("…" if len(name) > 120 else "")


def _check_kind(name: str, info: zipfile.ZipInfo) -> None:
    if info.flag_bits & ENCRYPTED:
        raise refuse(f"{_shown(name)} is encrypted.", "Make the zip without a password.")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        raise refuse(f"{_shown(name)} is a symbolic link.", "Put the file itself into the zip (zip without -y).")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise refuse(f"{_shown(name)} is neither a file nor a folder.", "Put only files and folders into the zip.")
    if info.compress_type not in METHODS:
        raise refuse(f"{_shown(name)} is compressed in an uncommon way.", "Zip with deflate, the usual way.")


def _check_no_file_is_a_folder(folded: dict[str, str]) -> None:
    folders: set[str] = set()
    for name in folded:
        parent = name.rpartition("/")[0]
        while parent and parent not in folders:  # stops at the first known one: linear in the length of all names
            folders.add(parent)
            parent = parent.rpartition("/")[0]
    for name in folders & folded.keys():
        raise refuse(f"{_shown(folded[name])} is a file and a folder at once.", "Make the zip again.")


def _is_junk(name: str) -> bool:
    parts = name.split("/")
    return parts[0] in JUNK or parts[-1] in JUNK or parts[-1].startswith("._")


# -- sizes ---------------------------------------------------------------------------------------------------------


def _checked_sizes(infos: Iterable[zipfile.ZipInfo], size: int, max_unpacked: int) -> int:
    """The sum of what the entries unpack to, after looking for bombs."""
    packed = unpacked = 0
    for info in infos:
        packed, unpacked = packed + info.compress_size, unpacked + info.file_size
        dense = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        if dense and info.file_size > DEFLATE_RATIO * max(info.compress_size, 1):
            raise refuse(f"{_shown(info.filename)} gives a size that it can't have.", "Make the zip again.")
    if packed > size:
        raise refuse("The zip's entries overlap: together they are larger than the file.", "Make the zip again.")
    if unpacked > max_unpacked:
        raise refuse(f"The zip unpacks to {unpacked:,} bytes; at most {max_unpacked:,} fit.", "Split the dataset.")
    if unpacked > RATIO_COUNTS_FROM and unpacked > MAX_RATIO * size:
        raise refuse(
            f"The zip unpacks to {unpacked // max(size, 1)} times its size, as no set of pictures does.",
            "If it is one, store its pictures as PNG or JPEG.",
        )
    return unpacked


def _compare_local_headers(file: io.BufferedReader, infos: Iterable[zipfile.ZipInfo]) -> None:
    """Another program may go by the header before the data: it must say the same as the directory."""
    end_of_last, last = 0, ""
    for info in sorted(infos, key=lambda info: info.header_offset):
        name = _shown(info.filename)
        if info.header_offset < end_of_last:
            raise refuse(f"The zip's entries {last} and {name} overlap.", "Make the zip again.")
        file.seek(info.header_offset)
        raw = file.read(LOCAL_HEADER.size)
        if len(raw) < LOCAL_HEADER.size:
            raise refuse(f"{name} lies beyond the end of the file.", "The zip was cut off: make it again.")
        mark, _, flags, method, _, _, _, packed, unpacked, name_length, extra_length = LOCAL_HEADER.unpack(raw)
        local_name = file.read(name_length).decode("utf-8" if flags & 0x800 else "cp437", "replace")
        honest = (
            mark == b"PK\x03\x04"
            and local_name == info.orig_filename
            and method == info.compress_type
            and (flags ^ info.flag_bits) & ENCRYPTED == 0
            and (flags & HAS_DESCRIPTOR or (_same(packed, info.compress_size) and _same(unpacked, info.file_size)))
        )
        if not honest:
            raise refuse(f"{name} is described differently in the zip's directory and beside its data.", "Zip again.")
        end_of_last = info.header_offset + LOCAL_HEADER.size + name_length + extra_length + info.compress_size
        last = name


def _same(local: int, directory: int) -> bool:
    return local in (directory, 0xFFFFFFFF)  # all ones: the number stands in a zip64 field
