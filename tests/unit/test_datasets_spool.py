"""Uploads on their way to disk: bounded, and gone after any failure."""

import asyncio
import os
import subprocess
import sys
import textwrap
import time
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from trainyard.datasets import spool as spooling
from trainyard.datasets.spool import spool
from trainyard.errors import TooLarge, Unavailable


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def test_what_arrives_is_in_the_file(tmp_path: Path) -> None:
    chunks = [os.urandom(n) for n in (0, 1, 70_000, 3_000_000, 5)]
    path = asyncio.run(spool(stream(*chunks), tmp_path / "spool", 10**7))
    assert path.read_bytes() == b"".join(chunks)
    assert path.parent == tmp_path / "spool"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    path = asyncio.run(spool(stream(b"x"), tmp_path, 10))
    assert path.stat().st_mode & 0o077 == 0


def test_exactly_the_limit_is_allowed_and_one_byte_more_is_not(tmp_path: Path) -> None:
    asyncio.run(spool(stream(b"x" * 50, b"x" * 50), tmp_path, 100)).unlink()
    with pytest.raises(TooLarge, match="TRAINYARD_MAX_UPLOAD_MB"):
        asyncio.run(spool(stream(b"x" * 50, b"x" * 51), tmp_path, 100))
    assert list(tmp_path.iterdir()) == []


def test_a_client_that_goes_away_leaves_nothing(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * 3_000_000
        raise ConnectionAbortedError("gone")

    with pytest.raises(ConnectionAbortedError):
        asyncio.run(spool(broken(), tmp_path, 10**8))
    assert list(tmp_path.iterdir()) == []


def test_a_cancelled_upload_leaves_nothing(tmp_path: Path) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"x" * 3_000_000
        await asyncio.Event().wait()

    async def cancel_it() -> None:
        task = asyncio.create_task(spool(slow(), tmp_path, 10**8))
        async with asyncio.timeout(30):
            while not list(tmp_path.glob("*.upload")):
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(cancel_it())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on a file's size")
def test_a_full_disk_is_said_in_plain_words_and_leaves_nothing(tmp_path: Path) -> None:
    script = textwrap.dedent(f"""
        import asyncio, resource, signal
        from pathlib import Path
        from trainyard.datasets.spool import spool
        from trainyard.errors import Unavailable
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then a write beyond the limit fails as one on a full disk does
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
        async def stream():
            for _ in range(10):
                yield bytes(500_000)
        try:
            asyncio.run(spool(stream(), Path({str(tmp_path)!r}), 10**8))
        except Unavailable as error:
            print(error)
    """)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert f"the disk of {tmp_path} is full. Free space there" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_last_space_on_a_disk_is_left_to_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spooling, "RESERVE_BYTES", 2**62)
    with pytest.raises(Unavailable, match="is full"):
        asyncio.run(spool(stream(b"x"), tmp_path, 100))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_can_not_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="could not be written to"):
        asyncio.run(spool(stream(b"x"), tmp_path / "file" / "spool", 100))


def test_leftovers_of_a_killed_backend_are_cleared_but_not_what_is_on_its_way(tmp_path: Path) -> None:
    old, new, strange = (tmp_path / name for name in ("a.upload", "b.upload", "notes.txt"))
    for path in (old, new, strange):
        path.write_text("")
    long_ago = time.time() - 2 * 24 * 3600
    os.utime(old, (long_ago, long_ago))
    os.utime(strange, (long_ago, long_ago))
    asyncio.run(spool(stream(b"x"), tmp_path, 100)).unlink()
    assert sorted(tmp_path.iterdir()) == [new, strange]


def test_memory_stays_small_whatever_arrives(tmp_path: Path) -> None:
    async def much() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield bytes(65_536)

    tracemalloc.start()
    try:
        asyncio.run(spool(much(), tmp_path, 10**9))
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()
