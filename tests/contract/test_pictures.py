"""Pictures of every mode reach a model as a person sees them: bright where they are, and upright."""

import base64
import io
import json
import struct
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from tests.contract.conftest import environment
from tests.contract.running import ROOT
from trainyard.predictions.pictures import read_picture

STEPS = [0, 64, 128, 250]  # from left to right, in 8 bits
LOOK = """
import json, sys, warnings
warnings.simplefilter("error")
sys.path.insert(0, sys.argv[1])
from pictures import open_picture
for path in sys.argv[2:]:
    picture = open_picture(path)
    assert picture.mode == "RGB", picture.mode
    print(json.dumps([list(picture.size), [picture.getpixel((x, 4)) for x in range(4, picture.width, 8)]]))
"""


def grey(mode: str = "L") -> Image.Image:
    """Four upright stripes of 8 x 8 pixels, from black to nearly white."""
    picture = Image.new("L", (32, 8))
    for place, step in enumerate(STEPS):
        picture.paste(step, (8 * place, 0, 8 * place + 8, 8))
    return picture.convert(mode)


def deep(mode: str, factor: float) -> Image.Image:
    """The same stripes, counted to 256 times as much, or to 1."""
    values = [step * factor for step in grey().tobytes()]
    layout = {"I;16": "<H", "I;16B": ">H", "I": "=i", "F": "=f"}[mode]
    packed = b"".join(struct.pack(layout, value if mode == "F" else int(value)) for value in values)
    return Image.frombytes(mode, (32, 8), packed)


def palette() -> Image.Image:
    picture = grey("P")
    picture.info["transparency"] = bytes([0, *[255] * 254])  # black is seen through
    return picture


def turned() -> Image.Image:
    """Stored on its side, as a camera does, with the word that it is to be turned back."""
    picture = grey("RGB").transpose(Image.Transpose.ROTATE_90)
    picture.getexif()[0x0112] = 6
    return picture


def clear() -> Image.Image:
    picture = grey("LA")
    picture.putalpha(0)
    return picture


MODES = {
    "a PNG of 16 bits": (deep("I;16", 256), "png"),
    "a TIFF of 16 bits": (deep("I;16", 256), "tif"),
    "a big-endian TIFF of 16 bits": (deep("I;16B", 256), "tif"),
    "a TIFF of whole numbers": (deep("I", 256), "tif"),
    "a TIFF of floats to 1": (deep("F", 1 / 255), "tif"),
    "a TIFF of floats to 255": (deep("F", 1), "tif"),
    "a grey PNG": (grey(), "png"),
    "a palette with transparency": (palette(), "png"),
    "a grey PNG all transparent": (clear(), "png"),
    "a transparent PNG": (clear().convert("RGBA"), "png"),
    "a CMYK JPEG": (grey("CMYK"), "jpg"),
    "a JPEG on its side": (turned(), "jpg"),
}


def saved(picture: Image.Image, path: Path) -> Path:
    picture.save(path, exif=picture.getexif(), **({"quality": 95} if path.suffix == ".jpg" else {}))
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("modes")
    made = {
        name: saved(picture, folder / f"{place}.{ending}")
        for place, (name, (picture, ending)) in enumerate(MODES.items())
    }
    black_and_white = Image.new("1", (32, 8))
    black_and_white.paste(1, (16, 0, 32, 8))
    return made | {"black and white": saved(black_and_white, folder / "bits.png")}


@pytest.fixture(scope="module")
def seen(files: dict[str, Path]) -> dict[str, tuple[list[int], list[list[int]]]]:
    """What a trainer makes of them: size, and the pixel in the middle of each stripe."""
    python = environment(ROOT / "trainer-template" / "requirements.txt")
    command = [python, "-B", "-c", LOOK, ROOT / "trainer-template", *files.values()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(zip(files, map(json.loads, done.stdout.splitlines()), strict=True))


def wanted(name: str) -> list[int]:
    return [0, 0, 255, 255] if name == "black and white" else STEPS


@pytest.mark.parametrize("name", [*MODES, "black and white"])
def test_a_trainer_sees_what_a_person_sees(seen: dict[str, tuple[list[int], list[list[int]]]], name: str) -> None:
    size, pixels = seen[name]
    assert size == [32, 8]
    for pixel, step in zip(pixels, wanted(name), strict=True):
        assert pixel == pytest.approx([step] * 3, abs=4)


@pytest.mark.parametrize("name", [*MODES, "black and white"])
def test_the_platform_sends_a_predictor_the_same_picture(files: dict[str, Path], name: str) -> None:
    text = base64.b64encode(files[name].read_bytes()).decode()
    sent = read_picture(0, "", text, 1_000_000)
    with Image.open(io.BytesIO(sent.data)) as picture:
        colours = picture.convert("RGB")
    assert colours.size == (32, 8)
    for place, step in enumerate(wanted(name)):
        assert colours.getpixel((8 * place + 4, 4)) == pytest.approx((step,) * 3, abs=4)
