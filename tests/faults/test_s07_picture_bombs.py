"""S7: pictures that are small as files and huge once they are opened, or made to be opened for ever."""

import base64
import io
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import psutil
import pytest
from PIL import Image

from tests.real.backend import Backend
from tests.real.predicting import ask, job_with, labels, left_in_store, picture, refused, trainers

MB = 1 << 20


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_bomb(width: int, height: int) -> bytes:
    """A whole, valid PNG of one colour: a million times larger once it is opened."""
    packer = zlib.compressobj(9)
    row = b"\0" + b"\0" * (3 * width)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def saved(size: tuple[int, int], format: str, **given: object) -> bytes:
    file = io.BytesIO()
    Image.new("L", size).save(file, format, **given)
    return file.getvalue()


def patched(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


def tiff_of_huge_tiles() -> bytes:
    """A picture of 16x16 that says it lies in one tile of 60,000x60,000."""
    tags = [(256, 3, 16), (257, 3, 16), (258, 3, 8), (259, 3, 8), (262, 3, 1), (277, 3, 1)]
    data = zlib.compress(bytes(60_000))
    tags += [(322, 4, 60_000), (323, 4, 60_000), (324, 4, 8), (325, 4, len(data))]
    body = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in sorted(tags))
    head = struct.pack("<2sHI", b"II", 42, 8 + len(data))
    return head + data + struct.pack("<H", len(tags)) + body + bytes(4)


def jpeg_of_many_scans() -> bytes:
    """A progressive JPEG whose last scan is there a thousand times: each goes through all of the picture again."""
    data = saved((4000, 4000), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * 1000 + data[-2:]


class Memory:
    """The most that the backend held while this was open."""

    def __init__(self, backend: Backend) -> None:
        assert backend.process is not None
        self._process = psutil.Process(backend.process.pid)
        self.before = self.most = self._process.memory_info().rss
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        while not self._over.wait(0.002):
            self.most = max(self.most, self._process.memory_info().rss)

    def __enter__(self) -> "Memory":
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watcher.join()

    @property
    def grown(self) -> int:
        return self.most - self.before


@pytest.fixture
def backend(make_backend: Callable[..., Backend], tmp_path: Path) -> Iterator[tuple[Backend, str]]:
    made = make_backend(trainers_dir=str(trainers(tmp_path))).start().with_sample()
    job_id = job_with(made, {"label": "size"})
    ask(made, job_id)  # what is loaded at the first call is no bomb's doing
    yield made, job_id


def bombs() -> dict[str, tuple[bytes, str]]:
    webp = saved((16, 16), "WEBP", lossless=True)
    bits = (16382 | 16382 << 14).to_bytes(4, "little")
    return {
        "png": (png_bomb(19_000, 19_000), "pixels"),
        "png just below Pillow's own limit": (png_bomb(9_000, 9_000), "9000x9000"),
        "png that only says so": (patched(saved((16, 16), "PNG"), 16, struct.pack(">II", 2**31 - 1, 2**31 - 1)), ""),
        "gif": (patched(saved((16, 16), "GIF"), 6, struct.pack("<HH", 65535, 65535)), "pixels"),
        "bmp": (patched(saved((16, 16), "BMP"), 18, struct.pack("<ii", 30_000, 30_000)), "pixels"),
        "webp": (patched(webp, webp.index(b"VP8L") + 9, bits), "pixels"),
        "tiff": (saved((19_000, 19_000), "TIFF", compression="tiff_deflate"), "pixels"),
        "tiff of huge tiles": (tiff_of_huge_tiles(), "tiles"),
        "jpeg": (saved((19_000, 19_000), "JPEG", quality=1), "pixels"),
        "jpeg of many scans": (jpeg_of_many_scans(), "scans"),
        "a line": (saved((65_535, 1), "PNG"), "65535x1"),
    }


def test_s7_bombs_are_refused_by_their_header_and_memory_stays_where_it_was(backend: tuple[Backend, str]) -> None:
    made, job_id = backend
    for name, (data, words) in bombs().items():
        began = time.monotonic()
        with Memory(made) as memory:
            status, error = refused(made, job_id, picture(), data)
        assert status == 422, (name, error)
        assert error["field"] == "pictures.1.data", (name, error)
        assert "Picture 2 (1.png)" in error["message"] and words in error["message"], (name, error)
        # the body, its parts and the bytes in them; a 19000x19000 picture is 1,083 MB
        assert memory.grown < 4 * len(data) + 40 * MB, (name, memory.grown / MB)
        assert time.monotonic() - began < 5, name
    assert left_in_store(made) == []
    assert labels(ask(made, job_id)) == ["64x48 PNG RGB"]


def test_s7_many_large_pictures_at_once_are_opened_one_after_another(backend: tuple[Backend, str]) -> None:
    made, job_id = backend
    large = base64.b64encode(png_bomb(7_000, 7_000)).decode()  # 49 million pixels: allowed, and 147 MB once open

    def call(_number: int) -> int:
        with httpx2.Client(base_url=made.url, headers=made.http.headers, timeout=120) as http:
            wanted = {"pictures": [{"name": "a", "data": large}], "overlay": False}
            return http.post(f"/v1/jobs/{job_id}/predict", json=wanted).status_code

    with Memory(made) as memory, ThreadPoolExecutor(4) as callers:
        assert set(callers.map(call, range(4))) == {200}
    assert memory.grown < 450 * MB, memory.grown / MB  # two of them would be open with their copies otherwise


def test_s7_a_body_over_its_own_limit_is_refused_before_it_is_read(
    make_backend: Callable[..., Backend], tmp_path: Path
) -> None:
    made = make_backend(trainers_dir=str(trainers(tmp_path)), max_predict_mb="9").start().with_sample()
    job_id = job_with(made, {"label": "size"})
    large = saved((3000, 2200), "BMP")
    assert 9 * MB > len(large) * 4 / 3 > 8 * MB  # more than other requests may have
    assert refused(made, job_id, large, large)[0] == 413
    assert labels(ask(made, job_id, large)) == ["3000x2200 JPEG RGB"]
