"""Pictures that somebody sent: made upright and alike for every trainer, or refused in words."""

import base64
import io
import random
import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from trainyard.errors import InvalidInput
from trainyard.predictions.pictures import FORMATS, ORIENTATION, Picture, read_picture

LIMIT = 1_000_000


def coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def read(data: bytes, limit: int = LIMIT) -> Picture:
    return read_picture(0, "a.jpg", coded(data), limit)


def saved(picture: Image.Image, format: str, **given: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, format, **given)
    return file.getvalue()


def corners(width: int = 40, height: int = 20) -> Image.Image:
    """Red in the upper left corner, blue in the upper right one, black elsewhere."""
    made = Image.new("RGB", (width, height))
    made.paste((250, 0, 0), (0, 0, 8, 8))
    made.paste((0, 0, 250), (width - 8, 0, width, 8))
    return made


def opened(picture: Picture) -> Image.Image:
    found = Image.open(io.BytesIO(picture.data))
    assert (found.mode, found.size) == ("RGB", (picture.width, picture.height))
    assert found.getexif().get(ORIENTATION, 1) == 1
    return found


def near(one: object, other: tuple[int, int, int]) -> bool:
    assert isinstance(one, tuple)
    return all(abs(a - b) < 40 for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("format", FORMATS)
def test_each_format_is_read_as_what_it_shows(format: str) -> None:
    found = opened(read(saved(corners(), format)))
    assert near(found.getpixel((2, 2)), (250, 0, 0))
    assert near(found.getpixel((37, 2)), (0, 0, 250))


@pytest.mark.parametrize(
    ("orientation", "red", "size"),
    [
        (1, (2, 2), (40, 20)), (2, (37, 2), (40, 20)), (3, (37, 17), (40, 20)), (4, (2, 17), (40, 20)),
        (5, (2, 2), (20, 40)), (6, (17, 2), (20, 40)), (7, (17, 37), (20, 40)), (8, (2, 37), (20, 40)),
        (9, (2, 2), (40, 20)),
    ],
)  # fmt: skip
def test_a_picture_is_turned_as_its_exif_says(orientation: int, red: tuple[int, int], size: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    picture = read(saved(corners(), "JPEG", exif=exif))
    assert (picture.width, picture.height) == size
    found = Image.open(io.BytesIO(picture.data))
    assert near(found.getpixel(red), (250, 0, 0))
    assert picture.shown.size == size


def test_an_upright_photograph_goes_on_as_it_is_and_small_others_lose_nothing() -> None:
    photograph = saved(corners(), "JPEG", quality=70)
    assert read(photograph).data == photograph
    noise = Image.effect_noise((64, 64), 100).convert("RGB")
    for format in ("PNG", "BMP", "TIFF"):
        picture = read(saved(noise, format))
        assert picture.suffix == ".png"
        assert opened(picture).tobytes() == noise.tobytes()
    large = read(saved(Image.new("RGB", (2000, 1500)), "PNG"), 5_000_000)
    assert (large.suffix, opened(large).format) == (".jpg", "JPEG")


@pytest.mark.parametrize("mode", ["L", "P", "1", "RGBA", "LA", "I;16", "CMYK"])
def test_every_kind_of_colour_becomes_rgb(mode: str) -> None:
    grey = Image.new("L", (10, 10), 128)
    if mode == "I;16":
        made = saved(Image.new("I;16", (10, 10), 128 * 256), "PNG")
    else:
        made = saved(grey.quantize() if mode == "P" else grey.convert("RGB").convert(mode), "TIFF")
    colour = opened(read(made)).getpixel((5, 5))
    assert isinstance(colour, tuple)
    assert mode == "1" or all(abs(part - 128) < 6 for part in colour)


def test_a_moving_picture_shows_its_first_moment() -> None:
    frames = [Image.new("RGB", (12, 12), colour) for colour in ((250, 0, 0), (0, 250, 0))]
    for format in ("GIF", "WEBP", "PNG", "TIFF"):
        found = opened(read(saved(frames[0], format, save_all=True, append_images=frames[1:])))
        assert near(found.getpixel((5, 5)), (250, 0, 0)), format


def test_what_a_file_carries_beside_its_pixels_is_not_in_the_overlay() -> None:
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    assert read(saved(corners(), "JPEG", exif=exif)).shown.info == {}


WRONG: dict[str, tuple[str, str]] = {
    "not base64": ("§$%", "not valid base64"),
    "half base64": ("abcde", "not valid base64"),
    "nothing": ("", "is empty"),
    "a text": (coded(b"hello, this is no picture"), "is no picture that can be read here"),
    "a program": (coded(b"\x7fELF" + bytes(100)), "is no picture that can be read here"),
    "a vector": (coded(b"<svg xmlns='x'/>"), "is no picture that can be read here"),
    "another format": (coded(saved(corners(), "PPM")), "is no picture that can be read here"),
    "an icon": (coded(saved(corners(), "ICO")), "is no picture that can be read here"),
    "a cut JPEG": (coded(saved(Image.effect_noise((200, 200), 90), "JPEG")[:3000]), "is damaged or cut off"),
    "a cut PNG": (coded(saved(Image.effect_noise((200, 200), 90), "PNG")[:3000]), "is damaged or cut off"),
    "a cut WebP": (coded(saved(corners(), "WEBP")[:60]), "is "),
    "too many pixels": (coded(saved(Image.new("1", (1200, 900)), "PNG")), "1200x900, which is more than 1,000,000"),
    "a line": (coded(saved(Image.new("1", (65_501, 1)), "PNG")), "a side may have 65,500 pixels"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_with_a_picture_is_said_with_its_place_and_name(case: str) -> None:
    text, words = WRONG[case]
    with pytest.raises(InvalidInput) as raised:
        read_picture(2, "my.jpg", text, LIMIT)
    assert raised.value.message.startswith("Picture 3 (my.jpg) ")
    assert words in raised.value.message
    assert raised.value.field == "pictures.2.data"


SOUND = {format: saved(corners(), format) for format in FORMATS}
SOUND["progressive"] = saved(corners(), "JPEG", progressive=True)
SOUND["deflated"] = saved(corners(), "TIFF", compression="tiff_deflate")


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(list(SOUND)), st.integers(0, 2**32), st.integers(1, 12), st.booleans())
def test_damage_of_any_kind_is_refused_in_words_or_harmless(format: str, seed: int, hits: int, cut: bool) -> None:
    rng, data = random.Random(seed), bytearray(SOUND[format])
    for _ in range(hits):
        data[rng.randrange(min(len(data), 400))] = rng.randrange(256)
    with warnings.catch_warnings():  # Pillow warns of what it puts up with
        warnings.simplefilter("ignore")
        try:
            picture = read(bytes(data[: rng.randrange(1, len(data))] if cut else data))
        except InvalidInput as error:
            assert error.message.startswith("Picture 1 (a.jpg) ")
        else:
            assert picture.width * picture.height <= LIMIT
            assert picture.shown.mode == "RGB"
