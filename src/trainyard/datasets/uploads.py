"""Uploads in pieces: what has arrived stays on disk, so that one whose connection broke goes on where it was.

Two files an upload in the spool folder: `{id}.part`, whose length is the offset, and `{id}.json` with what it is to
become. Both survive a restart. They go when a dataset was made of them, or when nothing has come for an hour; once
everything has, after a day.
"""

import json
import re
import secrets
import shutil
import threading
import time
import zipfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from weakref import WeakValueDictionary

from sqlalchemy.exc import SQLAlchemyError

from trainyard.datasets.model import Dataset
from trainyard.datasets.service import DatasetService
from trainyard.datasets.spool import LEFTOVER_SECONDS, RESERVE_BYTES, plain_errors, require_room
from trainyard.errors import Conflict, InvalidInput, NotFound, TooLarge, Unavailable

PIECE_BYTES = 8 * 1024 * 1024
MOST_OPEN = 100
MOST_OF_ONE = 16  # user
IDLE_SECONDS = 3600  # each keeps room on the disk for what it has announced
_ROOM = "Finish or drop one of them first; GET /v1/uploads shows them."
_ID = re.compile(r"[0-9a-f]{32}")


class WrongOffset(Conflict):
    """A piece that does not go where the file ends: its answer was lost, or a piece before it was."""

    code = "wrong_offset"

    def __init__(self, offset: int) -> None:
        super().__init__(f"{offset:,} bytes are here: go on there.")
        self.details = {"offset": offset}


@dataclass(frozen=True, slots=True)
class Begun:
    id: str
    name: str
    bytes: int
    project_id: str
    dataset_id: str | None
    user_id: str = ""
    expires_at: float = 0.0
    offset: int = 0
    became: str | None = None  # the dataset that was made of it


class ResumableUploads:
    """Every call blocks. The disk is what bounds them: each is refused when it would not fit beside the others."""

    def __init__(self, datasets: DatasetService, folder: Path, limit: int) -> None:
        self._datasets = datasets
        self._folder = folder
        self._limit = limit
        self._beginning = threading.Lock()
        self._turning = threading.Lock()
        self._turns = WeakValueDictionary[str, threading.Lock]()  # of those that somebody has or waits for

    def begin(
        self,
        *,
        name: str,
        bytes: int,
        project_id: str,
        user_id: str = "",
        dataset_id: str | None = None,
        file_name: str = "",
    ) -> Begun:
        """Raises TooLarge, Unavailable where it does not fit on the disk, or Conflict where too many are open."""
        if bytes > self._limit:
            raise TooLarge(
                f"The upload is larger than {self._limit / 2**20:,.0f} MiB.",
                hint="Send less at once, or raise TRAINYARD_MAX_UPLOAD_MB.",
            )
        self._datasets.require_project(project_id)
        called = name.strip() or Path(file_name).stem
        begun = Begun(secrets.token_hex(16), called, bytes, project_id, dataset_id, user_id)
        with self._beginning, plain_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            others = self._open_ones()
            if sum(other.user_id == user_id for other in others) >= MOST_OF_ONE:
                raise Conflict(f"{MOST_OF_ONE} uploads are open that you began.", hint=_ROOM)
            if len(others) >= MOST_OPEN:
                raise Conflict(f"{MOST_OPEN} uploads are open.", hint=_ROOM)
            coming = sum(other.bytes - other.offset for other in others)
            if shutil.disk_usage(self._folder).free < RESERVE_BYTES + coming + bytes:
                raise Unavailable(
                    f"There is no room for {bytes:,} bytes more on the disk of {self._folder}.",
                    hint="Free space there, or send less.",
                )
            self._part(begun.id).touch(mode=0o600)
            self._keep(begun)
        return self.show(begun.id)

    def open_ones(self) -> list[Begun]:
        """Those that are no dataset yet."""
        with self._beginning:
            return self._open_ones()

    def show(self, upload_id: str) -> Begun:
        """With its offset. Raises NotFound, or Unavailable where the disk can't be read."""
        try:
            if not _ID.fullmatch(upload_id):
                raise FileNotFoundError
            begun = Begun(**json.loads(self._about(upload_id).read_text()))
            file = (self._about if begun.became else self._part)(upload_id).stat()
        except (FileNotFoundError, ValueError, TypeError):
            raise NotFound(
                f"There is no upload {upload_id[:32]}.",
                hint="It is finished, dropped, or nothing has come for an hour: begin it anew.",
            ) from None
        except OSError as error:
            raise Unavailable(
                f"The upload can't be read right now: {error.strerror or error}.", hint="It is kept; try again."
            ) from error
        offset = begun.bytes if begun.became else file.st_size
        expires_at = file.st_mtime + (IDLE_SECONDS if offset < begun.bytes else LEFTOVER_SECONDS)
        if expires_at < time.time():
            raise NotFound(f"The upload {upload_id} has expired.", hint="Begin it anew.")
        return replace(begun, offset=offset, expires_at=expires_at)

    def append(self, upload_id: str, offset: int, data: bytes) -> Begun:
        """Keep a piece, as a whole or not at all. Raises WrongOffset, TooLarge or Unavailable."""
        if len(data) > PIECE_BYTES:
            raise TooLarge(f"A piece may hold {PIECE_BYTES:,} bytes.", hint="Send smaller ones.")
        with self._turn(upload_id):
            begun = self.show(upload_id)
            if offset != begun.offset or begun.became is not None:
                raise WrongOffset(begun.offset)
            if offset + len(data) > begun.bytes:
                raise InvalidInput(f"The upload was to hold {begun.bytes:,} bytes, not more.", field="bytes")
            path = self._part(upload_id)
            with plain_errors(self._folder):
                require_room(self._folder, len(data))
                with path.open("r+b", buffering=0) as file:
                    file.seek(offset)
                    view = memoryview(data)
                    try:
                        while view:
                            view = view[file.write(view) :]
                    except OSError:
                        file.truncate(offset)
                        raise
            return replace(begun, offset=offset + len(data))

    def finish(self, upload_id: str) -> tuple[Dataset, bool]:
        """Make a dataset of it; (dataset, whether it is new). Once that is done it may be asked again for a day. What
        can't become one is dropped with the reason; whatever else happens, it is kept and may be finished again."""
        with self._turn(upload_id):
            begun = self.show(upload_id)
            if begun.became is not None:
                return self._datasets.show(begun.became), False
            if begun.offset != begun.bytes:
                raise WrongOffset(begun.offset)
            path = self._part(upload_id)
            try:
                added = self._datasets.add(begun.project_id, begun.name or None, path, begun.dataset_id)
            except (InvalidInput, Conflict, TooLarge):
                self._remove(upload_id)
                raise
            except BaseException as error:
                self._keep_for_later(begun)
                if isinstance(error, SQLAlchemyError):
                    raise Unavailable(
                        "The database is away.", hint="The upload is kept: finish it again in a moment."
                    ) from error
                raise
            with suppress(OSError):  # a full disk: then it can't be asked again
                self._keep(replace(begun, became=added[0].id))
            path.unlink(missing_ok=True)
            return added

    def drop(self, upload_id: str) -> None:
        with self._turn(upload_id):
            self.show(upload_id)
            self._remove(upload_id)

    # -- files -----------------------------------------------------------------------------------------------------

    @contextmanager
    def _turn(self, upload_id: str, *, wait: bool = True) -> Generator[bool]:
        """One piece after another, and none while it is finished. False: somebody has it, and it was not waited for."""
        with self._turning:
            turn = self._turns.setdefault(upload_id, threading.Lock())
        taken = turn.acquire(blocking=wait)
        try:
            yield taken
        finally:
            if taken:
                turn.release()

    def _open_ones(self) -> list[Begun]:
        """Removes what has expired or lost one of its files; not what can't be read right now, or is at work."""
        found: list[Begun] = []
        for upload_id in {path.stem for kind in ("*.json", "*.part") for path in self._folder.glob(kind)}:
            with suppress(Unavailable):
                try:
                    found.append(self.show(upload_id))
                except NotFound:
                    self._remove_if_gone(upload_id)
        return [begun for begun in found if begun.became is None]

    def _remove_if_gone(self, upload_id: str) -> None:
        with self._turn(upload_id, wait=False) as ours:
            if ours:
                try:
                    self.show(upload_id)  # a piece may have come since
                except NotFound:
                    self._remove(upload_id)

    def _keep_for_later(self, begun: Begun) -> None:
        """Labels that were added to it belong to it from now on; where that broke halfway, it is no zip any more."""
        path = self._part(begun.id)
        with suppress(OSError):
            size = path.stat().st_size
            if size != begun.bytes and zipfile.is_zipfile(path):
                self._keep(replace(begun, bytes=size))
            elif size != begun.bytes:
                self._remove(begun.id)

    def _keep(self, begun: Begun) -> None:
        draft = self._about(begun.id).with_suffix(".draft")
        draft.write_text(json.dumps(asdict(begun)))
        draft.replace(self._about(begun.id))

    def _remove(self, upload_id: str) -> None:
        self._part(upload_id).unlink(missing_ok=True)
        self._about(upload_id).unlink(missing_ok=True)

    def _part(self, upload_id: str) -> Path:
        return self._folder / f"{upload_id}.part"

    def _about(self, upload_id: str) -> Path:
        return self._folder / f"{upload_id}.json"
