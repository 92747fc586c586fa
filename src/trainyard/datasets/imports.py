"""Datasets made of what lies in the store already, below `imports/`: whoever may write there put it there."""

import secrets
import threading
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from trainyard.datasets.archive import MAX_ENTRIES, clean_name
from trainyard.datasets.model import Dataset
from trainyard.datasets.pictures import is_picture
from trainyard.datasets.service import DatasetService
from trainyard.datasets.spool import plain_errors, require_room
from trainyard.errors import InvalidInput, NotFound, TooLarge, Unavailable
from trainyard.storage.store import Store, StoredObject

IMPORTS = "imports/"
LOOKED_AT = 20_000  # objects, to show what is there
ALWAYS = (1980, 1, 1, 0, 0, 0)  # the same objects make the same bytes


class Imports:
    """Every call blocks: it talks to the store about each object."""

    def __init__(self, store: Store, datasets: DatasetService, spool: Path, limit: int) -> None:
        self._store = store
        self._datasets = datasets
        self._spool = spool
        self._limit = limit
        self._closed = threading.Event()

    def close(self) -> None:
        """What is being packed ends at the next object."""
        self._closed.set()

    def look(self, prefix: str) -> dict[str, Any]:
        """The folders one level below, and how many pictures there are. Raises InvalidInput."""
        prefix = _checked(prefix, or_all=True)
        prefixes, pictures, seen = set[str](), 0, 0
        for found in islice(self._store.list(prefix), LOOKED_AT):
            rest = found.key.removeprefix(prefix)
            if "/" in rest:
                prefixes.add(f"{prefix}{rest.partition('/')[0]}/")
            elif rest.lower().endswith(".zip"):
                prefixes.add(found.key)
            pictures += is_picture(rest)
            seen += 1
        return {"prefixes": sorted(prefixes), "pictures": pictures, "complete": seen < LOOKED_AT}

    def register(self, prefix: str, name: str, project_id: str) -> tuple[Dataset, bool]:
        """Put the objects below it into one zip and add that; (dataset, whether it is new). A zip is taken as it is.
        Raises InvalidInput, NotFound or TooLarge before anything is kept."""
        prefix = _checked(prefix)
        objects = self._objects(prefix)
        with plain_errors(self._spool):
            self._spool.mkdir(parents=True, exist_ok=True, mode=0o700)
            require_room(self._spool, sum(one.size for one in objects))
        path = self._spool / f"{secrets.token_hex(8)}.upload"
        called = name.strip() or prefix.rstrip("/").rpartition("/")[2].removesuffix(".zip")
        try:
            with plain_errors(self._spool):
                if [one.key for one in objects] == [prefix] and prefix.lower().endswith(".zip"):
                    with path.open("wb") as file:
                        file.writelines(self._store.open_read(prefix))
                else:
                    self._pack(prefix, objects, path)
            return self._datasets.add(project_id, called, path)
        finally:
            path.unlink(missing_ok=True)

    def _objects(self, prefix: str) -> list[StoredObject]:
        found = list(self._below(prefix))
        if not found:
            raise NotFound(f"There is nothing below {prefix} in the store.", hint="GET /v1/store/prefixes shows it.")
        if len(found) > MAX_ENTRIES:
            raise TooLarge(f"There are more than {MAX_ENTRIES:,} objects below {prefix}.", hint="Split the dataset.")
        if (size := sum(one.size for one in found)) > self._limit:
            raise TooLarge(
                f"Below {prefix} are {size:,} bytes; at most {self._limit:,} are taken.",
                hint="Take less, or raise TRAINYARD_MAX_UPLOAD_MB.",
            )
        return found

    def _below(self, prefix: str) -> Iterator[StoredObject]:
        """The object itself, or everything in the folder; not what only begins alike."""
        folder = prefix if prefix.endswith("/") else f"{prefix}/"
        if folder != prefix and (one := self._store.head(prefix)) is not None:
            yield one
            return
        for found in islice(self._store.list(folder), MAX_ENTRIES + 1):
            if not found.key.endswith("/"):  # what consoles make of an empty folder
                yield found

    def _pack(self, prefix: str, objects: list[StoredObject], path: Path) -> None:
        folder = prefix if prefix.endswith("/") else f"{prefix}/"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for one in objects:
                if self._closed.is_set():
                    raise Unavailable("The backend is shutting down.", hint="Register it again in a moment.")
                entry = zipfile.ZipInfo(clean_name(one.key.removeprefix(folder)), ALWAYS)
                entry.create_system, entry.external_attr, entry.file_size = 3, 0o100644 << 16, one.size
                with archive.open(entry, "w") as file:
                    for chunk in self._store.open_read(one.key):
                        file.write(chunk)


def _checked(prefix: str, *, or_all: bool = False) -> str:
    if not prefix.startswith(IMPORTS) or (prefix == IMPORTS and not or_all):
        raise InvalidInput(
            f"{prefix[:100]!r} is not below {IMPORTS}.",
            hint=f"Put pictures into the store at {IMPORTS}NAME/, and give {IMPORTS}NAME/.",
            field="prefix",
        )
    if {".", ".."} & set(prefix.split("/")):  # to some stores this is a way out, to what belongs to other projects
        raise NotFound(f"There is nothing at {prefix[:100]} in the store.")
    return prefix
