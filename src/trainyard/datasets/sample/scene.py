"""Where the animals sit: a meadow, a room, an evening outside. Then the whole picture, with a box an animal."""

import math
from dataclasses import dataclass
from random import Random

from PIL import Image, ImageDraw

from trainyard.datasets.sample.animals import draw_animal
from trainyard.datasets.sample.pen import SMOOTH, Colour, Pen, darker, lighter, mix

SIZES = [(480, 360), (400, 400), (360, 480), (560, 420), (448, 336), (320, 320)]
WALLS: list[Colour] = [(244, 214, 190), (190, 216, 222), (226, 204, 226), (214, 224, 190), (246, 230, 178)]
FLOORS: list[Colour] = [(176, 128, 88), (150, 108, 82), (196, 160, 120), (128, 132, 146)]
SKIES: list[Colour] = [(150, 206, 240), (182, 222, 240), (250, 206, 170)]


@dataclass(slots=True, frozen=True)
class Box:
    """Where an animal is, in pixels."""

    left: int
    top: int
    right: int
    bottom: int


def draw_picture(kind: str, count: int, rng: Random) -> tuple[Image.Image, list[Box]]:
    """A picture with `count` animals of one kind; the first is the one it is about."""
    width, height = rng.choice(SIZES)
    picture = _background(width, height, rng)
    boxes: list[Box] = []
    for place in _places(width, height, count, rng):
        boxes.append(_seat(picture, kind, place, rng))
    return picture, boxes[::-1]


def _places(width: int, height: int, count: int, rng: Random) -> list[tuple[float, float, float]]:
    """(middle, foot, height) of each, the farthest first: nearer ones may hide a little of them."""
    tall = rng.uniform(0.55, 0.85) * min(width / 0.84, height)
    if count == 1:
        return [(width * rng.uniform(0.36, 0.64), height * rng.uniform(0.86, 0.98), tall)]
    sides = [0.26, 0.74] if rng.random() < 0.5 else [0.74, 0.26]
    near = (width * sides[0], height * rng.uniform(0.9, 0.98), tall * 0.85)
    far = (width * sides[1], height * rng.uniform(0.76, 0.86), tall * rng.uniform(0.5, 0.62))
    middle = (width * 0.5, height * rng.uniform(0.68, 0.72), tall * rng.uniform(0.36, 0.42))
    return [middle, far, near][3 - count :]


def _seat(picture: Image.Image, kind: str, place: tuple[float, float, float], rng: Random) -> Box:
    middle, foot, tall = place
    animal = draw_animal(kind, round(tall), rng)
    left = min(max(round(middle - animal.width / 2), 2), picture.width - animal.width - 2)
    top = max(round(foot - animal.height), 2)
    shadow = Image.new("L", picture.size)
    floor = (
        left + animal.width * 0.06,
        top + animal.height * 0.91,
        left + animal.width * 0.94,
        top + animal.height * 1.03,
    )
    ImageDraw.Draw(shadow).ellipse(floor, fill=70)
    picture.paste((40, 34, 44), (0, 0), shadow)
    picture.paste(animal, (left, top), animal)
    return Box(left, top, left + animal.width, min(top + animal.height, picture.height))


def _background(width: int, height: int, rng: Random) -> Image.Image:
    picture = Image.new("RGB", (width * SMOOTH, height * SMOOTH))
    pen = Pen(picture, height * SMOOTH / 100)  # the picture is 100 units high and `wide` units wide
    rng.choice([_meadow, _room, _evening])(pen, 100 * width / height, rng)
    return picture.resize((width, height), Image.Resampling.BOX)


def _bands(pen: Pen, wide: float, top: Colour, bottom: Colour, end: float) -> None:
    for step in range(20):
        y = end * step / 20
        pen.polygon([(0, y), (wide, y), (wide, y + end / 20 + 1), (0, y + end / 20 + 1)], mix(top, bottom, step / 19))


def _meadow(pen: Pen, wide: float, rng: Random) -> None:
    sky = rng.choice(SKIES)
    _bands(pen, wide, sky, lighter(sky, 0.6), 75)
    pen.oval((wide * rng.uniform(0.1, 0.9), 16), (8, 8), (255, 226, 120))
    for _ in range(3):
        x, y = wide * rng.random(), rng.uniform(10, 30)
        for shift, size in ((-6, 4), (0, 6), (6, 4)):
            pen.oval((x + shift, y), (size * 1.3, size * 0.8), (255, 255, 255))
    grass = mix((124, 184, 88), (96, 160, 92), rng.random())
    pen.oval((wide * rng.uniform(0, 0.4), 92), (wide * 0.6, 38), mix(grass, sky, 0.35))
    pen.oval((wide * rng.uniform(0.6, 1), 98), (wide * 0.6, 40), mix(grass, sky, 0.18))
    pen.polygon([(0, 70), (wide, 67), (wide, 100), (0, 100)], grass)
    for _ in range(26):
        x, y = wide * rng.random(), rng.uniform(74, 99)
        pen.line([(x - 1, y - 3), (x, y), (x + 1.2, y - 2.6)], darker(grass, 0.25), 0.5)
    for _ in range(9):
        x, y, petal = (
            wide * rng.random(),
            rng.uniform(74, 98),
            rng.choice([(255, 255, 255), (250, 200, 90), (240, 140, 170)]),
        )
        for corner in range(5):
            pen.oval((x + 1.1 * math.cos(corner * 1.2566), y + 1.1 * math.sin(corner * 1.2566)), (0.8, 0.8), petal)
        pen.oval((x, y), (0.7, 0.7), (214, 150, 40))


def _room(pen: Pen, wide: float, rng: Random) -> None:
    wall, floor = rng.choice(WALLS), rng.choice(FLOORS)
    pen.polygon([(0, 0), (wide, 0), (wide, 100), (0, 100)], wall)
    if rng.random() < 0.5:
        for step in range(int(wide / 8) + 1):
            pen.polygon([(step * 8, 0), (step * 8 + 3, 0), (step * 8 + 3, 70), (step * 8, 70)], lighter(wall, 0.35))
    else:
        for row in range(7):
            for step in range(int(wide / 10) + 2):
                pen.oval((step * 10 + 5 * (row % 2), 5 + row * 10), (1.3, 1.3), lighter(wall, 0.55))
    x = wide * rng.uniform(0.18, 0.82)
    pen.polygon([(x - 15, 8), (x + 15, 8), (x + 15, 44), (x - 15, 44)], rng.choice(SKIES), (250, 248, 242), 3)
    pen.line([(x, 8), (x, 44)], (250, 248, 242), 1.6)
    pen.line([(x - 15, 26), (x + 15, 26)], (250, 248, 242), 1.6)
    pen.polygon([(0, 70), (wide, 70), (wide, 100), (0, 100)], floor)
    pen.polygon([(0, 68), (wide, 68), (wide, 71), (0, 71)], lighter(floor, 0.55))
    for y in (78, 86, 94):
        pen.line([(0, y), (wide, y)], darker(floor, 0.18), 0.5)
    rug = rng.choice([(190, 80, 84), (84, 124, 170), (96, 150, 120), (214, 160, 84)])
    pen.oval((wide / 2, 91), (wide * 0.42, 10), rug)
    pen.oval((wide / 2, 91), (wide * 0.36, 7.5), lighter(rug, 0.35))
    pen.oval((wide / 2, 91), (wide * 0.32, 6.2), rug)


def _evening(pen: Pen, wide: float, rng: Random) -> None:
    night = rng.choice([(44, 52, 96), (64, 48, 98), (34, 66, 96)])
    _bands(pen, wide, night, mix(night, (246, 170, 130), 0.6), 74)
    for _ in range(26):
        size = rng.uniform(0.25, 0.6)
        pen.oval((wide * rng.random(), rng.uniform(2, 46)), (size, size), (255, 250, 220))
    x = wide * rng.uniform(0.14, 0.86)
    pen.oval((x, 17), (8, 8), (254, 244, 208))
    pen.oval((x - 2.4, 15), (1.8, 1.8), (240, 226, 180))
    pen.oval((x + 2.6, 19), (1.2, 1.2), (240, 226, 180))
    step, roof = 0.0, mix(night, (20, 20, 40), 0.5)
    while step < wide:  # a row of houses with lit windows
        broad, high = rng.uniform(12, 20), rng.uniform(14, 26)
        pen.polygon(
            [
                (step, 72),
                (step, 72 - high),
                (step + broad / 2, 62 - high),
                (step + broad, 72 - high),
                (step + broad, 72),
            ],
            roof,
        )
        for window in (0.28, 0.72):
            if rng.random() < 0.75:
                left, top = step + broad * window - 1.6, 76 - high
                pen.polygon([(left, top), (left + 3.2, top), (left + 3.2, top + 4), (left, top + 4)], (252, 212, 120))
        step += broad
    ground = mix((84, 110, 96), night, 0.3)
    pen.polygon([(0, 71), (wide, 71), (wide, 100), (0, 100)], ground)
    for _ in range(20):
        x, y = wide * rng.random(), rng.uniform(74, 99)
        pen.line([(x - 1, y - 2.6), (x, y), (x + 1, y - 2.4)], lighter(ground, 0.2), 0.5)
