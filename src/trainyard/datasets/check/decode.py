"""The process that opens pictures: anybody's bytes come in on stdin, what is in them goes out on stdout.

It holds no secret and opens no file; its memory and the computing time of each picture are limited. Whoever asks is
`decoder.py`. A question is its length, a JSON header and the picture; an answer likewise.
"""

import hashlib
import io
import json
import os
import struct
import sys
import warnings
import zlib
from typing import Any, BinaryIO

from PIL import Image, ImageOps

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None

FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF", "GIF", "MPO")
LENGTH = struct.Struct(">I")
NICENESS = 10  # a training comes first
MB = 1 << 20
BASE_BYTES, PIXEL_BYTES = 640 * MB, 16  # Python and the file; a picture, its upright and its RGB copy
LONGEST_SIDE = 65_500  # the most a JPEG can have
WHOLE_PIXELS, BAND_ROWS = 4_000_000, 256  # larger ones are hashed band by band
WIDE_MODES = ("I", "F")  # more than 8 bits: as RGB they would all be white
BROKEN = (
    *(OSError, ValueError, SyntaxError, TypeError, KeyError, IndexError, AttributeError, OverflowError, EOFError),
    *(AssertionError, RuntimeError, NotImplementedError, MemoryError, ZeroDivisionError, struct.error, zlib.error),
)
TOO_LARGE = (Image.DecompressionBombError, Image.DecompressionBombWarning)


class Refused(Exception):
    """A picture that is not opened at all."""


def main() -> int:
    max_pixels, seconds = int(sys.argv[1]), float(sys.argv[2])
    _limit(max_pixels)
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = 100 * max_pixels  # what is over ours is said with its size, and not opened either
    asked, told = sys.stdin.buffer, sys.stdout.buffer
    while head := asked.read(LENGTH.size):
        wanted: dict[str, Any] = json.loads(asked.read(LENGTH.unpack(head)[0]))
        data = asked.read(wanted["bytes"])
        _limit_computing(seconds)
        answer, payload = _answer(wanted, data, max_pixels)
        _write(told, answer, payload)
    return 0


def _write(told: BinaryIO, answer: dict[str, Any], payload: bytes) -> None:
    head = json.dumps(answer | {"bytes": len(payload)}).encode()
    told.write(LENGTH.pack(len(head)) + head + payload)
    told.flush()


def _limit(max_pixels: int) -> None:
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    if resource is not None:
        room = BASE_BYTES + PIXEL_BYTES * max_pixels
        resource.setrlimit(resource.RLIMIT_AS, (room, room))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _limit_computing(seconds: float) -> None:
    """Over it the system ends this process (SIGXCPU), whatever it is in the middle of."""
    if resource is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime + seconds) + 1, hard))


def _answer(wanted: dict[str, Any], data: bytes, max_pixels: int) -> tuple[dict[str, Any], bytes]:
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            _check_size(picture, max_pixels)
            if wanted["do"] == "thumbnail":
                return {"ok": True}, _thumbnail(picture, wanted["side"], max_pixels)
            return {"ok": True} | _seen(picture, max_pixels), b""
    except TOO_LARGE:
        return {"ok": False, "large": True, "why": f"it has far more than {max_pixels:,} pixels"}, b""
    except Refused as refused:
        return {"ok": False, "large": True, "why": str(refused)}, b""
    except BROKEN as error:
        why = str(error)[:120].strip().rstrip(".") or type(error).__name__
        why = "it is no picture of a kind that is known" if "cannot identify" in why else why
        return {"ok": False, "large": False, "why": why}, b""


def _check_size(picture: Image.Image, max_pixels: int) -> None:
    width, height = picture.size
    if width * height > max_pixels:
        raise Refused(f"it is {width}x{height}, more than {max_pixels:,} pixels")
    if max(width, height) > LONGEST_SIDE:
        raise Refused(f"it is {width}x{height}: a side may have {LONGEST_SIDE:,} pixels")


def _upright(picture: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(picture)
    except BROKEN:  # whatever is wrong with its EXIF, the picture itself may be sound
        return picture


def _seen(picture: Image.Image, max_pixels: int) -> dict[str, Any]:
    """Its size as people see it, and a hash of its pixels: the same picture in another file is the same."""
    format = picture.format or ""
    picture.load()
    _check_size(picture, max_pixels)  # a frame may be larger than its file said
    shown = _upright(picture)
    width, height = shown.size
    digest = hashlib.blake2b(f"{width}x{height}".encode(), digest_size=16)
    rows = height if width * height <= WHOLE_PIXELS else BAND_ROWS
    for top in range(0, height, rows):
        band = shown if rows == height else shown.crop((0, top, width, min(height, top + rows)))
        wide = band.mode[0] in WIDE_MODES
        band = band.convert("RGBA") if band.mode == "P" else band
        digest.update((band if wide or band.mode == "RGB" else band.convert("RGB")).tobytes())
    return {"width": width, "height": height, "format": format, "hash": digest.hexdigest()}


def _thumbnail(picture: Image.Image, side: int, max_pixels: int) -> bytes:
    picture.draft("RGB", (2 * side, 2 * side))  # a JPEG is opened at a fraction of its size
    picture.load()
    _check_size(picture, max_pixels)
    small = picture
    if small.mode[0] in WIDE_MODES:
        small = small.convert("I").point(lambda value: value / 256).convert("L")
    elif small.mode == "P":
        small = small.convert("RGBA")
    small = small.convert("RGB")
    small.thumbnail((side, side), Image.Resampling.BOX if min(small.size) > 4 * side else Image.Resampling.LANCZOS)
    small.info = {"exif": picture.info["exif"]} if "exif" in picture.info else {}
    small = _upright(small)
    small.info = {}
    file = io.BytesIO()
    small.save(file, "JPEG", quality=82)
    return file.getvalue()


if __name__ == "__main__":
    raise SystemExit(main())
