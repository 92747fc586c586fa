"""Keeps an upload in a file while it arrives: not in memory, not more than allowed, nothing left after a failure."""

import asyncio
import errno
import os
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from trainyard.errors import TooLarge, Unavailable

WRITE_BYTES = 1024 * 1024  # a thread hop a write: chunks from the network are smaller
RESERVE_BYTES = 256 * 1024 * 1024  # left free for the database, which shares the disk
LEFTOVER_SECONDS = 24 * 3600
BINARY = getattr(os, "O_BINARY", 0)  # Windows translates line ends without it
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


async def spool(chunks: AsyncIterator[bytes], folder: Path, limit: int) -> Path:
    """Write what arrives to a new file, which the caller deletes. Raises TooLarge or Unavailable."""
    path = folder / f"{secrets.token_hex(8)}.upload"
    await _in_thread(folder, _prepare, folder)
    try:
        await _receive(chunks, path, limit)
    except BaseException:  # too large, no room, or the client or the backend went away
        path.unlink(missing_ok=True)
        raise
    return path


async def _receive(chunks: AsyncIterator[bytes], path: Path, limit: int) -> None:
    size, waiting = 0, bytearray()
    with plain_errors(path.parent):
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, 0o600), "wb", buffering=0)
    with file:
        async for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise TooLarge(
                    f"The upload is larger than {limit / 2**20:,.0f} MiB.",
                    hint="Send less at once, or raise TRAINYARD_MAX_UPLOAD_MB.",
                )
            waiting += chunk
            if len(waiting) >= WRITE_BYTES:
                await _in_thread(path.parent, _write, file.fileno(), waiting, path.parent)
                waiting = bytearray()
        await _in_thread(path.parent, _write, file.fileno(), waiting, path.parent)


async def _in_thread(folder: Path, function: Callable[..., None], *args: object) -> None:
    """Off the event loop. Cancelled or not, the thread has ended when this returns: a file closed under its write would
    let it write into whatever is opened next."""
    work = asyncio.ensure_future(asyncio.to_thread(function, *args))
    with plain_errors(folder):
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait([work])
            raise


def _write(descriptor: int, data: bytearray, folder: Path) -> None:
    require_room(folder, len(data))
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def require_room(folder: Path, count: int) -> None:
    """Raises the disk's own error before it is full: within plain_errors it becomes Unavailable."""
    if shutil.disk_usage(folder).free < RESERVE_BYTES + count:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _prepare(folder: Path) -> None:
    """Make the folder, and clear it of what a killed backend left."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path in folder.glob("*.upload"):
        try:
            if path.stat().st_mtime < time.time() - LEFTOVER_SECONDS:
                path.unlink()
        except FileNotFoundError:
            continue  # its own upload has just ended


@contextmanager
def plain_errors(folder: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise Unavailable(
                f"There is no room for the upload: the disk of {folder} is full.",
                hint="Free space there, then upload again; nothing of this upload was kept.",
            ) from error
        raise Unavailable(
            f"The upload could not be written to {folder}: {error.strerror or error}.",
            hint="See that the backend may write there; TRAINYARD_DATA_DIR moves it.",
        ) from error
