"""Opens pictures that somebody sent without believing them, and makes each the same upright one for every trainer.

What stands in a file's header is checked before anything is decoded. One thread decodes them all: memory is bounded
however many requests there are, which a lock does not do, as every thread's allocator keeps what it once had.
"""

import base64
import binascii
import io
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import cast

from PIL import Image

from trainyard.errors import InvalidInput

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
LONGEST_SIDE = 65_500  # the most a JPEG can have
MOST_SCANS = 100  # a progressive JPEG has about ten; each goes through the whole picture again
SHOWN_SIDE = 1600  # the longest side of an overlay
LOSSLESS_PIXELS = 2_000_000  # small pictures are where the loss of JPEG shows
TILE_WIDTH, TILE_LENGTH = 322, 323  # TIFF tags

ORIENTATION = 0x0112  # EXIF; what has to be done to a picture that says so
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# what Pillow raises on bytes that somebody made up
_BROKEN = (
    *(OSError, ValueError, SyntaxError, TypeError, KeyError, IndexError, AttributeError, OverflowError, EOFError),
    *(AssertionError, RuntimeError, NotImplementedError, MemoryError, ZeroDivisionError, struct.error, zlib.error),
)
_TOO_LARGE = (Image.DecompressionBombError, Image.DecompressionBombWarning)
_decoder = ThreadPoolExecutor(1, "pictures")


@dataclass(frozen=True, slots=True)
class Picture:
    """An upright RGB picture: its file for the trainer, and a smaller one to draw on."""

    name: str
    width: int
    height: int
    suffix: str
    data: bytes
    shown: Image.Image


def read_picture(number: int, name: str, text: str, max_pixels: int) -> Picture:
    """The `number`th picture of a request, from base64. Raises InvalidInput saying which one is wrong, and how."""
    which = f"Picture {number + 1} ({name})" if name else f"Picture {number + 1}"
    field = f"pictures.{number}.data"
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(f"{which} is not valid base64: {error}.", field=field) from None
    if not data:
        raise InvalidInput(f"{which} is empty.", field=field)
    try:
        return _decoder.submit(_opened, name, data, max_pixels).result()
    except _Wrong as wrong:
        raise InvalidInput(f"{which} {wrong}.", hint=wrong.hint, field=field) from None


class _Wrong(Exception):
    """What is wrong with a picture, to follow its name."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


def _opened(name: str, data: bytes, max_pixels: int) -> Picture:
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except _TOO_LARGE:
        raise _too_large("more", max_pixels) from None
    except _BROKEN:
        raise _Wrong("is no picture that can be read here", "Send JPEG, PNG, WebP, BMP, GIF or TIFF.") from None
    with picture:
        try:
            _check_header(picture, data, max_pixels)
            picture.load()
            _check_size(picture, max_pixels)  # a frame may be larger than its file said
            upright = _upright(picture)
        except _TOO_LARGE:
            raise _too_large("more", max_pixels) from None
        except _BROKEN as error:
            raise _Wrong(f"is damaged or cut off ({_said(error)})", "Save it again.") from None
        changed = upright is not picture
        suffix, kept = (".jpg", data) if picture.format == "JPEG" and not changed else _encoded(upright)
        return Picture(name, upright.width, upright.height, suffix, kept, _shown(upright))


def _said(error: BaseException) -> str:
    return str(error)[:120].strip().rstrip(".") or type(error).__name__


def _check_header(picture: Image.Image, data: bytes, max_pixels: int) -> None:
    """What can be known before anything of the picture is unpacked."""
    _check_size(picture, max_pixels)
    if picture.format in ("JPEG", "MPO") and data.count(b"\xff\xda") > MOST_SCANS:
        raise _Wrong("would be decoded over and over (a JPEG of too many scans)", "Save it again.")
    tags = getattr(picture, "tag_v2", {})
    if picture.format == "TIFF" and tags.get(TILE_WIDTH, 1) * tags.get(TILE_LENGTH, 1) > max_pixels:
        raise _Wrong("is a TIFF of tiles larger than any picture may be", "Save it as PNG or JPEG.")


def _check_size(picture: Image.Image, max_pixels: int) -> None:
    width, height = picture.size
    if width < 1 or height < 1:
        raise _Wrong("has no pixels")
    if width * height > max_pixels:
        raise _too_large(f"{width}x{height}, which is more", max_pixels)
    if max(width, height) > LONGEST_SIDE:
        raise _Wrong(f"is {width}x{height}: a side may have {LONGEST_SIDE:,} pixels", "Scale or cut it.")


def _too_large(what: str, max_pixels: int) -> _Wrong:
    return _Wrong(
        f"has {what} than {max_pixels:,} pixels", "Make it smaller; TRAINYARD_MAX_PICTURE_PIXELS is the limit."
    )


def _upright(picture: Image.Image) -> Image.Image:
    """As a person sees it, in RGB: turned as its EXIF says, without transparency. The same object if it was so.

    trainer-template/pictures.py does the same to what a trainer learns from.
    """
    turn = _turn(picture)
    turned = picture if turn is None else picture.transpose(turn)
    if turned.mode[0] == "I":  # 16 bits, also where Pillow keeps them in 32: it would cut off everything above 255
        turned = turned.convert("I").point(lambda value: value / 256).convert("L")
    elif turned.mode == "F" and cast("tuple[float, float]", turned.getextrema())[1] <= 1:  # not counted to 255
        turned = turned.point(lambda value: value * 255).convert("L")
    return turned if turned.mode == "RGB" else turned.convert("RGB")


def _turn(picture: Image.Image) -> Image.Transpose | None:
    try:
        return UPRIGHT.get(picture.getexif().get(ORIENTATION, 1))
    except _BROKEN:  # the picture itself may be sound
        return None


def _encoded(picture: Image.Image) -> tuple[str, bytes]:
    file = io.BytesIO()
    if picture.width * picture.height <= LOSSLESS_PIXELS:
        picture.save(file, "PNG", compress_level=1)
        return ".png", file.getvalue()
    picture.save(file, "JPEG", quality=95, subsampling=0)
    return ".jpg", file.getvalue()


def _shown(picture: Image.Image) -> Image.Image:
    small = picture.copy() if max(picture.size) <= SHOWN_SIDE else None
    if small is None:
        scale = SHOWN_SIDE / max(picture.size)
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        small = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    small.info = {}  # what a file carried beside its pixels must not get into the overlay
    return small
