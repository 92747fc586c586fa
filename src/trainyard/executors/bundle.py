"""What of a trainer's folder travels to a cluster: code, never secrets, environments, data or checkpoints.

The same folder gives the same bundle, and its hash is over paths, modes and bytes: two runs with one hash ran one code.
"""

import hashlib
import io
import os
import stat
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from trainyard.errors import InvalidInput, TooLarge
from trainyard.executors.ignored import Ignored

LARGEST_FILE = 1 << 20  # beyond it only Python files: what else is so large is data
LARGEST_BUNDLE = 64 << 20
LARGEST_ARCHIVE = LARGEST_BUNDLE + (8 << 20)  # room for what a zip says of 5,000 files
MOST_FILES = 5_000
_FOLDERS = {"__pycache__", "node_modules", "mlruns", "venv"}
_SUFFIXES = {
    "a dataset's archive": ".zip .tar .gz .tgz .bz2 .xz .zst .7z .rar",
    "a picture": ".jpg .jpeg .png .bmp .gif .webp .tif .tiff .heic",
    "a checkpoint": ".pt .pth .onnx .safetensors .ckpt .engine",
    "compiled by Python": ".pyc .pyo",
}
_WHY = {suffix: why for why, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}


@dataclass(frozen=True, slots=True)
class File:
    """One file that travels; its path is relative, with slashes."""

    path: str
    data: bytes
    executable: bool


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What stays here, and why; a folder's path ends with a slash."""

    path: str
    why: str


@dataclass(frozen=True)
class Bundle:
    """What travels, sorted by path, and what doesn't."""

    files: tuple[File, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def size(self) -> int:
        return sum(len(file.data) for file in self.files)

    @cached_property
    def hash(self) -> str:
        """Over path, mode and bytes of each file; lengths stand between, so that no two folders read the same."""
        digest = hashlib.sha256()
        for file in self.files:
            path = file.path.encode()
            digest.update(b"%d %s %o %d\n" % (len(path), path, _mode(file), len(file.data)))
            digest.update(file.data)
        return digest.hexdigest()

    def archive(self) -> bytes:
        """A zip of it, the same bytes wherever and whenever it is made: not compressed, for two zlibs differ."""
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
            for file in self.files:
                entry = zipfile.ZipInfo(file.path, (1980, 1, 1, 0, 0, 0))
                entry.create_system = 3  # Unix, or the mode below means nothing
                entry.external_attr = (stat.S_IFREG | _mode(file)) << 16
                archive.writestr(entry, file.data)
        return made.getvalue()

    def require(self, entrypoint: str) -> None:
        """Raises InvalidInput where the script that is to be run doesn't travel, with the reason."""
        name = PurePosixPath(entrypoint).as_posix()
        if any(file.path == name for file in self.files):
            return
        for left in self.left_out:
            if left.path == name or (left.path.endswith("/") and name.startswith(left.path)):
                raise InvalidInput(
                    f"{name} is to be run, but does not travel: {left.path} is {left.why}.",
                    hint="Move it, or correct .gitignore.",
                    field="script",
                )
        raise InvalidInput(f"{name} is to be run, but is not in its folder.", field="script")


def make_bundle(files: Iterable[File], left_out: Iterable[LeftOut] = ()) -> Bundle:
    """In the order that the hash is over."""
    by_path = sorted(files, key=lambda file: file.path.encode())
    return Bundle(tuple(by_path), tuple(sorted(left_out, key=lambda left: left.path)))


def bundle_folder(folder: Path) -> Bundle:
    """A trainer's folder as it is now. Reads files; raises InvalidInput, or TooLarge beyond 64 MiB or 5,000 files."""
    collected = _Collected(folder.resolve(), Ignored(folder.resolve()))
    collected.walk("")
    collected.follow_links()
    return collected.bundle()


def bundle_script(script: Path) -> Bundle:
    """A script that lies in no trainer's folder: it and the Python files beside it. Its folder may be anyone's home."""
    folder = script.parent.resolve()
    collected = _Collected(folder, Ignored(folder))
    for entry in collected.entries(""):
        if entry.is_file(follow_symlinks=False) and (entry.name.endswith(".py") or entry.name == script.name):
            collected.look_at(entry, entry.name)
    return collected.bundle()


def _mode(file: File) -> int:
    """Only what git keeps: how far a umask opens the rest is no part of the code."""
    return 0o755 if file.executable else 0o644


class _Collected:
    """One walk through a folder."""

    def __init__(self, root: Path, ignored: Ignored) -> None:
        self._root = root
        self._ignored = ignored
        self._files: dict[str, File] = {}
        self._links: list[str] = []
        self._left_out: list[LeftOut] = []
        self._size = 0

    def bundle(self) -> Bundle:
        return make_bundle(self._files.values(), self._left_out)

    def entries(self, base: str) -> Iterator[os.DirEntry[str]]:
        try:
            with os.scandir(self._root / base) as found:
                yield from sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            raise _unreadable(base or str(self._root), error) from None

    def walk(self, base: str) -> None:
        for entry in self.entries(base):
            self.look_at(entry, f"{base}{entry.name}")

    def look_at(self, entry: os.DirEntry[str], path: str) -> None:
        is_folder = entry.is_dir(follow_symlinks=False)
        why = _why_not(entry, is_folder) or (
            "ignored by .gitignore" if self._ignored.is_ignored(path, is_folder) else ""
        )
        if why:
            self._leave(path + "/" * is_folder, why)
        elif entry.is_symlink():
            self._links.append(path)
        elif is_folder:
            self._ignored.enter(path)
            self.walk(f"{path}/")
        elif not entry.is_file(follow_symlinks=False):
            self._leave(path, "no regular file")  # reading a named pipe would wait for ever
        elif entry.stat().st_size > LARGEST_FILE and not path.endswith(".py"):
            self._leave(path, "larger than 1 MiB")
        else:
            self._take(path, self._root / path)

    def follow_links(self) -> None:
        """A link travels as the file it leads to, if that one travels itself: no way out, and none around a rule."""
        targets = {path: self._target(path) for path in self._links}
        for path, target in targets.items():
            if target is None:
                self._leave(path, "a link to what does not travel")
            else:
                self._take(path, self._root / target.path)

    def _target(self, path: str) -> File | None:
        try:
            found = (self._root / path).resolve(strict=True).relative_to(self._root)
        except (OSError, RuntimeError, ValueError):  # leads nowhere, in circles, out of the folder
            return None
        return self._files.get(found.as_posix())

    def _take(self, path: str, source: Path) -> None:
        try:
            data = source.read_bytes()
            executable = bool(source.stat().st_mode & stat.S_IXUSR)
        except OSError as error:
            raise _unreadable(path, error) from None
        self._files[path] = File(path, data, executable)
        self._size += len(data)
        if self._size > LARGEST_BUNDLE or len(self._files) > MOST_FILES:
            raise TooLarge(
                f"{self._root.name} holds more than {MOST_FILES:,} files or {LARGEST_BUNDLE >> 20} MiB of code.",
                hint="Data belongs into a dataset; what isn't code into .gitignore.",
            )

    def _leave(self, path: str, why: str) -> None:
        self._left_out.append(LeftOut(path, why))


def _why_not(entry: os.DirEntry[str], is_folder: bool) -> str:
    """What never travels, whatever .gitignore says; empty: it may."""
    name = entry.name
    if is_unreadable(name):
        return "named with characters that nobody can read"
    if name.startswith("."):
        return "hidden"
    if is_folder:
        if name in _FOLDERS or name.startswith("venv-") or (Path(entry.path) / "pyvenv.cfg").is_file():
            return "made by a tool"
        return ""
    return _WHY.get(PurePosixPath(name).suffix.lower(), "")


def is_unreadable(name: str) -> bool:
    return any(unicodedata.category(character) in ("Cc", "Cs") for character in name)


def _unreadable(path: str, error: OSError) -> InvalidInput:
    return InvalidInput(f"{path} can't be read: {error.strerror}.", hint="Give yourself the right to, or remove it.")
