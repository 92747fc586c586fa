"""A dataset's pictures, a page at a time, and each as a thumbnail: read out of the zip in the store where it lies.

No picture is opened here: thumbnails are made in a process of their own.
"""

import os
import queue
import secrets
import shutil
import threading
import zipfile
import zlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from trainyard.contract.keys import dataset_key
from trainyard.datasets.check.decoder import Decoder
from trainyard.datasets.check.index import IndexReader, Row
from trainyard.datasets.check.report import Code
from trainyard.datasets.check.run import LARGEST_FILE
from trainyard.datasets.checking import DatasetChecks
from trainyard.datasets.lanes import Lane
from trainyard.datasets.model import CheckState, Dataset
from trainyard.datasets.service import DatasetService, index_key
from trainyard.datasets.spool import plain_errors, require_room
from trainyard.errors import Conflict, InvalidInput, NotFound
from trainyard.storage.store import Store

__all__ = ["Pictures", "Row"]

SIDE = 256
DECODERS, DECODER_SECONDS = 2, 8.0  # of computing a picture: somebody waits for it
READERS, PLACES = 8, 120  # a page of thumbnails and more
REMEMBERED = 10_000  # pictures that could not be shown
SAME_TIME = 64
UNREADABLE = {Code.UNREADABLE_PICTURE, Code.PICTURE_TOO_LARGE}
KEPT_INDEXES = 50
KEPT_THUMBNAILS_BYTES = 256 * 1024 * 1024
SWEEP_EVERY = 500  # thumbnails
KINDS = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".bmp": "image/bmp",
    ".webp": "image/webp",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
}


class Pictures:
    """Every call blocks: run `thumbnail` in `drawing`, the others in `reading`. What it keeps on disk is bounded, and
    made again when it is missing."""

    def __init__(
        self, store: Store, datasets: DatasetService, checks: DatasetChecks, folder: Path, max_pixels: int
    ) -> None:
        self._store = store
        self._datasets = datasets
        self._checks = checks
        self._indexes = folder / "indexes"
        self._thumbnails = folder / "thumbnails"
        self._decoders: queue.Queue[Decoder] = queue.Queue()
        self._all = [Decoder(max_pixels, DECODER_SECONDS) for _ in range(DECODERS)]
        for decoder in self._all:
            self._decoders.put(decoder)
        self.reading = Lane("pictures", READERS, PLACES)
        self.drawing = Lane("thumbnails", DECODERS, PLACES)  # a thread a decoder: no bytes wait for one
        self._fetching = [threading.Lock() for _ in range(SAME_TIME)]
        self._refused: dict[Path, str] = {}
        self._made = 0

    def close(self) -> None:
        for decoder in self._all:
            decoder.close()
        self.drawing.close()
        self.reading.close()

    def listed(
        self, dataset_id: str, filters: Mapping[str, str], offset: int, limit: int
    ) -> tuple[Dataset, int, list[Row]]:
        """How many fit the filters, and a page of them. Raises NotFound, or Conflict before it was checked."""
        dataset = self._datasets.show(dataset_id)
        total, rows = self._index(dataset).page(filters, offset, limit)
        return dataset, total, rows

    def kept_thumbnail(self, dataset_id: str, number: int) -> bytes | None:
        """A JPEG; None: let `thumbnail` make it. Raises InvalidInput where the picture is known to be unreadable."""
        dataset = self._datasets.show(dataset_id)
        path = self._thumbnail_path(dataset, number)
        with suppress(OSError):
            data = path.read_bytes()
            os.utime(path)
            return data
        if (why := self._refused.get(path)) is not None:
            raise InvalidInput(why)
        row = self._row(dataset, number)
        if UNREADABLE.intersection(row.problems):
            raise InvalidInput(f"{row.name} can't be shown: its check could not read it, or it is too large.")
        return None

    def thumbnail(self, dataset_id: str, number: int) -> bytes:
        """A JPEG. Raises InvalidInput where the picture can't be read."""
        kept = self.kept_thumbnail(dataset_id, number)  # by now
        if kept is not None:
            return kept
        dataset = self._datasets.show(dataset_id)
        path = self._thumbnail_path(dataset, number)
        try:
            with self._decoder() as decoder:
                small = decoder.thumbnail(self._file(dataset, number)[1], SIDE)
        except InvalidInput as error:
            if len(self._refused) >= REMEMBERED:
                self._refused.clear()
            self._refused[path] = str(error)
            raise
        with suppress(OSError):  # a full disk: then it is made again
            _write(path, small)
        self._made += 1
        if self._made % SWEEP_EVERY == 1:
            _keep_newest(self._thumbnails, KEPT_THUMBNAILS_BYTES)
        return small

    def file(self, dataset_id: str, number: int) -> tuple[str, bytes]:
        """Its kind, by its name, and its bytes as they are in the zip."""
        return self._file(self._datasets.show(dataset_id), number)

    def _thumbnail_path(self, dataset: Dataset, number: int) -> Path:
        return self._thumbnails / f"{dataset.sha256[:32]}-{number}.jpg"

    @contextmanager
    def _decoder(self) -> Generator[Decoder]:
        decoder = self._decoders.get()
        try:
            yield decoder
        finally:
            self._decoders.put(decoder)

    def _row(self, dataset: Dataset, number: int) -> Row:
        row = self._index(dataset).one(number)
        if row is None:
            raise NotFound(f"{dataset.id} has no picture {number}.")
        return row

    def _file(self, dataset: Dataset, number: int) -> tuple[str, bytes]:
        row = self._row(dataset, number)
        place = row.place
        if max(place.bytes, place.packed) > LARGEST_FILE:
            raise InvalidInput(f"{row.name} holds {place.bytes:,} bytes; at most {LARGEST_FILE:,} are shown.")
        packed = self._store.get_range(dataset_key(dataset.id), place.start, place.packed)
        kind = KINDS.get(PurePosixPath(row.name).suffix.lower(), "application/octet-stream")
        return kind, _unpacked(packed, place.method, place.bytes, row.name)

    # -- the tables of pictures ------------------------------------------------------------------------------------

    def _index(self, dataset: Dataset) -> IndexReader:
        path = self._indexes / f"{dataset.sha256[:32]}.db"
        index = IndexReader(path)
        if index.fits(dataset.sha256):
            with suppress(OSError):
                os.utime(path)
            return index
        standing = self._datasets.standing(dataset.id)
        if standing.state is not CheckState.DONE:
            failed = standing.state is CheckState.FAILED
            raise Conflict(
                f"The pictures of {dataset.id} are not known: "
                + ("its check failed." if failed else "it is still being checked."),
                hint="Check it again." if failed else "Try again when it was.",
            )
        with self._fetching[hash(dataset.id) % SAME_TIME]:
            if not index.fits(dataset.sha256):
                self._fetch(dataset, path)
        if index.fits(dataset.sha256):
            return index
        self._checks.again(dataset.id)
        raise Conflict(
            f"The pictures of {dataset.id} are being looked at again: their table is gone.",
            hint="Try again when it was checked.",
        )

    def _fetch(self, dataset: Dataset, path: Path) -> None:
        """From the store, where it is there: another backend, or this one on another disk, has made it."""
        try:
            download = self._store.open_read(index_key(dataset.id))
        except NotFound:
            return
        with plain_errors(self._indexes):
            self._indexes.mkdir(parents=True, exist_ok=True, mode=0o700)
            require_room(self._indexes, download.object.size)
            draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
            try:
                with draft.open("wb") as file:
                    for chunk in download:
                        file.write(chunk)
                draft.replace(path)
            finally:
                draft.unlink(missing_ok=True)
        newest = sorted(self._indexes.iterdir(), key=_age, reverse=True)
        for old in newest[KEPT_INDEXES:]:
            old.unlink(missing_ok=True)


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # removed meanwhile
        return 0.0


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if shutil.disk_usage(path.parent).free < KEPT_THUMBNAILS_BYTES:
        return
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    draft.write_bytes(data)
    draft.replace(path)


def _keep_newest(folder: Path, most: int) -> None:
    kept = 0
    for path in sorted(folder.iterdir(), key=_age, reverse=True):
        with suppress(OSError):
            kept += path.stat().st_size
            if kept > most:
                path.unlink()


def _unpacked(packed: bytes, method: int, size: int, name: str) -> bytes:
    """At most `size` bytes, whatever the stream says."""
    try:
        if method == zipfile.ZIP_STORED:
            return packed[:size]
        if method == zipfile.ZIP_DEFLATED:
            return zlib.decompressobj(-15).decompress(packed, size) if size else b""
    except zlib.error as error:
        raise InvalidInput(f"{name} is damaged in the zip: {error}.") from None
    raise InvalidInput(f"{name} is compressed in an uncommon way.", hint="Zip with deflate, the usual way.")
