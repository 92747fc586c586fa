"""Any picture file → an upright RGB picture of 8 bits, as a person sees it and as the platform sends it to predict.py.

Every trainer holds the same copy of this file; origin: trainer-template/.
"""

import contextlib

from PIL import Image, ImageOps


def open_picture(path):
    """A file's picture: turned as its camera says, in colour. Raises OSError, SyntaxError or ValueError."""
    with Image.open(path) as picture:
        picture.load()
        return upright(picture)


def upright(picture):
    """A loaded PIL picture of any mode. Transparency is left out, which shows the colours below it."""
    with contextlib.suppress(Exception):  # whatever is wrong with its EXIF, the picture itself may be sound
        picture = ImageOps.exif_transpose(picture)
    if picture.mode[0] == "I":  # 16 bits, also where Pillow keeps them in 32: it would cut off all above 255
        picture = picture.convert("I").point(lambda value: value / 256).convert("L")
    elif picture.mode == "F" and picture.getextrema()[1] <= 1:  # shares of 1; other floats count to 255
        picture = picture.point(lambda value: value * 255).convert("L")
    elif picture.mode == "P":
        picture = picture.convert("RGBA")  # straight to RGB Pillow warns of a palette with transparency
    return picture.convert("RGB")
