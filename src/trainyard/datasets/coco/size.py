"""How large a picture in a zip is, by its header: for jsons that don't say."""

import io
import struct

from PIL import Image

from trainyard.datasets.archive import Archive, refuse

MAX_PICTURE = 64 * 1024 * 1024
FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF")  # those of pictures.SUFFIXES
ORIENTATION, ON_ITS_SIDE = 0x0112, (5, 6, 7, 8)
# what Pillow raises on headers that somebody made up
_BROKEN = (OSError, ValueError, SyntaxError, TypeError, LookupError, ArithmeticError, struct.error)


def picture_size(archive: Archive, name: str) -> tuple[float, float]:
    """Width and height as it is shown: a camera held upright turns them. Its points are not unpacked."""
    raw = io.BytesIO(archive.read_small(name, MAX_PICTURE))
    try:
        with Image.open(raw, formats=FORMATS) as picture:
            width, height = picture.size
            turned = picture.getexif().get(ORIENTATION) in ON_ITS_SIDE
    except (*_BROKEN, Image.DecompressionBombError) as error:
        raise refuse(
            f"{name} can't be opened, and the json does not say how large it is: {str(error)[:200]}.",
            "Give width and height in the json, or mend the picture.",
        ) from error
    return (height, width) if turned else (width, height)
