"""A pen with a scale: drawings are written in units of their own and come out at any size."""

import math

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]
SMOOTH = 2  # everything is drawn so many times larger and shrunk: Pillow's own edges are jagged


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """`one` with a share of `other` in it."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def darker(colour: Colour, share: float = 0.35) -> Colour:
    return mix(colour, (25, 18, 20), share)


def lighter(colour: Colour, share: float = 0.5) -> Colour:
    return mix(colour, (255, 250, 242), share)


class Pen:
    """Draws filled shapes with an outline on one picture."""

    def __init__(self, image: Image.Image, unit: float) -> None:
        self._draw = ImageDraw.Draw(image)
        self._unit = unit

    def polygon(self, points: list[Point], fill: Colour, edge: Colour | None = None, width: float = 2.5) -> None:
        scaled = [(x * self._unit, y * self._unit) for x, y in points]
        self._draw.polygon(scaled, fill=fill)
        if edge is not None:
            self.line([*points, points[0]], edge, width)

    def oval(
        self,
        centre: Point,
        radii: Point,
        fill: Colour,
        edge: Colour | None = None,
        turn: float = 0,
        width: float = 2.5,
    ) -> None:
        """An ellipse, turned clockwise by so many degrees."""
        cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
        outline: list[Point] = []
        for step in range(48):
            x, y = radii[0] * math.cos(step * math.pi / 24), radii[1] * math.sin(step * math.pi / 24)
            outline.append((centre[0] + x * cos - y * sin, centre[1] + x * sin + y * cos))
        self.polygon(outline, fill, edge, width)

    def line(self, points: list[Point], colour: Colour, width: float = 2.5) -> None:
        """A line with round corners and round ends."""
        thick = max(1, round(width * self._unit))
        scaled = [(x * self._unit, y * self._unit) for x, y in points]
        self._draw.line(scaled, fill=colour, width=thick, joint="curve")
        for x, y in (scaled[0], scaled[-1]):
            self._draw.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), fill=colour)

    def curve(self, start: Point, bend: Point, end: Point, colour: Colour, width: float = 2.5) -> None:
        """A line from start to end that leans towards `bend`."""
        points: list[Point] = []
        for step in range(17):
            t = step / 16
            a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t * t
            points.append((a * start[0] + b * bend[0] + c * end[0], a * start[1] + b * bend[1] + c * end[1]))
        self.line(points, colour, width)
