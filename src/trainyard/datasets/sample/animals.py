"""A sitting cat and a sitting dog, each different: fur, markings, collar, tilt of the head."""

from random import Random

from PIL import Image, ImageOps

from trainyard.datasets.sample.pen import SMOOTH, Colour, Pen, darker, lighter, mix

WIDTH, HEIGHT = 220, 270  # the units animals are drawn in

CAT_FURS: list[Colour] = [
    (236, 149, 66),
    (142, 146, 156),
    (62, 58, 66),
    (238, 221, 196),
    (158, 112, 72),
    (110, 122, 144),
]
DOG_FURS: list[Colour] = [(214, 164, 102), (122, 78, 52), (238, 230, 216), (226, 178, 74), (70, 62, 60), (176, 120, 84)]
CAT_EYES: list[Colour] = [(128, 190, 78), (236, 190, 62), (92, 170, 206)]
COLLARS: list[Colour] = [(206, 62, 66), (56, 122, 190), (240, 176, 44), (92, 160, 96), (160, 92, 172)]
INK: Colour = (36, 28, 32)
PINK: Colour = (238, 146, 150)
WHITE: Colour = (255, 253, 248)


def draw_animal(kind: str, height: int, rng: Random) -> Image.Image:
    """One animal on a transparent picture, cut to its edges, `height` pixels tall before its tilt."""
    unit = height * SMOOTH / HEIGHT
    body = Image.new("RGBA", (round(WIDTH * unit), round(HEIGHT * unit)))
    head = Image.new("RGBA", body.size)
    if kind == "cat":
        _cat(Pen(body, unit), Pen(head, unit), rng)
    else:
        _dog(Pen(body, unit), Pen(head, unit), rng)
    neck = (WIDTH / 2 * unit, 140 * unit)
    body.alpha_composite(head.rotate(rng.uniform(-11, 11), Image.Resampling.BILINEAR, center=neck))
    if rng.random() < 0.5:
        body = ImageOps.mirror(body)
    small = body.resize((round(body.width / SMOOTH), round(body.height / SMOOTH)), Image.Resampling.BOX)
    return small.crop(small.getbbox())


def _cat(body: Pen, head: Pen, rng: Random) -> None:
    fur = rng.choice(CAT_FURS)
    edge, pale = darker(fur, 0.55), lighter(fur, 0.6)
    striped, collar = rng.random() < 0.55, rng.random() < 0.5
    body.curve((150, 244), (216, 232), (196, 160), edge, 23)
    body.curve((150, 244), (216, 232), (196, 160), fur, 18)
    body.oval((110, 205), (53, 58), fur, edge)
    body.oval((110, 206), (27, 40), pale)
    if striped:
        for side in (-1, 1):
            for step in range(3):
                y = 188 + 18 * step
                body.curve((110 + side * 50, y), (110 + side * 40, y + 5), (110 + side * 33, y), darker(fur, 0.4), 5)
    _paws(body, pale, edge)
    if collar:
        _collar(body, rng.choice(COLLARS), (252, 214, 92), 146)
    for side in (-1, 1):
        head.polygon([(110 + side * x, y) for x, y in ((64, 76), (61, 8), (16, 44))], fur, edge)
        head.polygon([(110 + side * x, y) for x, y in ((55, 60), (55, 24), (30, 44))], PINK)
    head.oval((110, 92), (67, 56), fur, edge)
    if striped:
        for x in (-15, 0, 15):
            head.line([(110 + x, 42), (110 + x * 0.75, 57)], darker(fur, 0.4), 5)
    _cat_face(head, pale, INK if sum(fur) > 260 else (212, 208, 206), rng)


def _cat_face(pen: Pen, pale: Colour, whiskers: Colour, rng: Random) -> None:
    iris, wide = rng.choice(CAT_EYES), rng.uniform(3.5, 7)
    for side in (-1, 1):
        x = 110 + side * 28
        pen.oval((x, 86), (15, 16), iris, INK)
        pen.oval((x, 86), (wide, 13), INK)
        pen.oval((x + 4, 80), (3.5, 3.5), WHITE)
        pen.oval((110 + side * 13, 118), (16, 12), pale)
        for rise in (-7, 0, 8):
            pen.line([(110 + side * 30, 116 + rise * 0.4), (110 + side * 78, 113 + rise * 1.7)], whiskers, 1.8)
        pen.curve((110, 113), (110 + side * 3, 124), (110 + side * 14, 122), INK, 2.4)
    pen.polygon([(101, 105), (119, 105), (110, 114)], PINK, INK, 2)


def _dog(body: Pen, head: Pen, rng: Random) -> None:
    fur = rng.choice(DOG_FURS)
    edge, pale = darker(fur, 0.55), lighter(fur, 0.55)
    ears = rng.choice([darker(fur, 0.4), darker(fur, 0.25), mix(fur, (120, 74, 44), 0.7)])
    patch, tongue = rng.random() < 0.5, rng.random() < 0.65
    body.curve((152, 226), (196, 214), (190, 172), edge, 19)
    body.curve((152, 226), (196, 214), (190, 172), fur, 14)
    body.oval((110, 203), (60, 60), fur, edge)
    body.oval((110, 204), (31, 42), pale)
    _paws(body, pale, edge)
    if rng.random() < 0.7:
        _collar(body, rng.choice(COLLARS), (226, 226, 232), 150)
    head.oval((110, 84), (58, 62), fur, edge)
    if patch:
        head.oval((134, 74), (24, 27), ears)
    for side in (-1, 1):  # over the head: they hang
        head.oval((110 + side * 62, 88), (19, 49), ears, darker(ears, 0.4), turn=side * -12)
    _dog_face(head, lighter(fur, 0.7), tongue, rng)


def _dog_face(pen: Pen, pale: Colour, tongue: bool, rng: Random) -> None:
    brow = rng.uniform(-4, 3)
    for side in (-1, 1):
        x = 110 + side * 24
        pen.oval((x, 76), (11.5, 13), WHITE, INK, width=2)
        pen.oval((x + 1, 78), (8, 9.5), (60, 36, 26))
        pen.oval((x + 4, 74), (3.2, 3.2), WHITE)
        pen.curve((x - side * 8, 57), (x, 51 + brow), (x + side * 11, 57 + brow), INK, 3)
    if tongue:
        pen.oval((110, 143), (12, 18), (236, 106, 118), INK)
        pen.line([(110, 136), (110, 152)], (200, 76, 92), 2)
    pen.oval((110, 117), (37, 28), pale, darker(pale, 0.3))
    pen.oval((110, 102), (16, 11), INK)
    pen.oval((105, 98), (5, 3), (120, 112, 116))
    pen.line([(110, 112), (110, 122)], INK)
    for side in (-1, 1):
        pen.curve((110, 122), (110 + side * 10, 136), (110 + side * 24, 124), INK, 2.8)
        for dot in (0, 1):
            pen.oval((110 + side * (24 + 5 * dot), 112 + 5 * dot), (1.6, 1.6), darker(pale))


def _paws(pen: Pen, colour: Colour, edge: Colour) -> None:
    for x in (86, 134):
        pen.oval((x, 254), (21, 12), colour, edge)
        for toe in (-6, 6):
            pen.line([(x + toe, 254), (x + toe, 262)], edge, 2)


def _collar(pen: Pen, colour: Colour, tag: Colour, y: float) -> None:
    pen.curve((72, y + 2), (110, y + 26), (148, y + 2), darker(colour), 13)
    pen.curve((72, y + 2), (110, y + 26), (148, y + 2), colour, 9)
    pen.oval((110, y + 24), (8.5, 8.5), tag, darker(tag, 0.5), width=2)
