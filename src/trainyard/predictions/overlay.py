"""Draws what was seen on a picture: boxes with their classes, or a panel with the likeliest ones."""

import io
import zlib
from collections.abc import Iterable, Mapping, Sequence

from PIL import Image, ImageDraw

from trainyard.predictions.answers import Prediction
from trainyard.predictions.fonts import can_draw, font_of
from trainyard.predictions.pictures import SHOWN_SIDE

SMALLEST_SIDE = 480  # a picture of 8x8 has to carry legible words
MOST_BYTES = 300_000
QUALITIES = (88, 80, 70, 58, 45)
MOST_TEXT = 40
Colour = tuple[int, int, int]
Rectangle = tuple[float, float, float, float]

# neighbours differ in more than hue; all of them show on sky, skin, grass and asphalt
PALETTE: tuple[Colour, ...] = (
    *((255, 71, 71), (54, 197, 255), (255, 196, 0), (126, 87, 255), (60, 220, 110), (255, 112, 192)),
    *((0, 214, 198), (255, 138, 36), (64, 112, 255), (190, 232, 40), (214, 84, 255), (255, 150, 128)),
    *((22, 160, 133), (240, 230, 80), (255, 44, 130), (130, 200, 255), (176, 132, 80), (150, 240, 190)),
)


def colours_of(labels: Iterable[str]) -> dict[str, Colour]:
    """The same colour for a class wherever it is seen; two of one answer differ, as long as there are colours."""
    colours: dict[str, Colour] = {}
    used: set[int] = set()
    for label in sorted(set(labels)):
        place = zlib.crc32(label.encode("utf-8", "replace")) % len(PALETTE)
        while place in used and len(used) < len(PALETTE):
            place = (place + 1) % len(PALETTE)
        used.add(place)
        colours[label] = PALETTE[place]
    return colours


def words_of(labels: Iterable[str]) -> dict[str, str]:
    """Each class as it can be written: its name, or its number in this answer where no font has its letters."""
    return {label: _one_line(label, f"#{number}") for number, label in enumerate(dict.fromkeys(labels), 1)}


def _one_line(label: str, otherwise: str) -> str:
    text = " ".join(label.split())
    if not text or not can_draw(text):
        return otherwise
    return text if len(text) <= MOST_TEXT else f"{text[: MOST_TEXT - 1]}…"


def draw(
    picture: Image.Image,
    scale: float,
    found: Sequence[Prediction],
    words: Mapping[str, str],
    colours: Mapping[str, Colour],
) -> bytes:
    """The overlay as a JPEG. `scale`: from the boxes' pixels to this picture's."""
    factor = _enlarging(picture)
    if factor > 1:
        method = Image.Resampling.NEAREST if factor >= 4 else Image.Resampling.LANCZOS
        picture = picture.resize((round(picture.width * factor), round(picture.height * factor)), method)
    boxes = [one for one in found if one.box is not None]
    canvas = Canvas(picture, words, colours)
    if boxes:
        canvas.boxes(boxes, scale * factor)
    elif found:
        canvas.panel(max(found, key=lambda one: one.confidence))
    return _saved(canvas.picture)


def _enlarging(picture: Image.Image) -> float:
    """How much larger a tiny picture is shown; whole numbers, so that its pixels stay squares."""
    wanted = SMALLEST_SIDE / max(picture.size)
    return max(1.0, wanted if wanted < 4 else float(int(wanted)))


class Canvas:
    """One picture being drawn on. Sizes follow the picture's, so that all look alike."""

    def __init__(self, picture: Image.Image, words: Mapping[str, str], colours: Mapping[str, Colour]) -> None:
        self.picture = picture.copy()
        self._words = words
        self._colours = colours
        side = max(picture.size)
        self._font = font_of(max(13, min(round(side / 46), picture.width // 10)))
        self._line = max(2, round(side / 260))
        self._tags: list[Rectangle] = []

    # -- detection -------------------------------------------------------------------------------------------------

    def boxes(self, found: Sequence[Prediction], scale: float) -> None:
        """The surest last, on top of the others; all tags after all boxes."""
        surest_last = sorted(found, key=lambda one: one.confidence)
        placed = [(one, self._inside(one.box or (0, 0, 0, 0), scale)) for one in surest_last]
        self._fill(placed)
        pen = ImageDraw.Draw(self.picture)
        for one, box in placed:
            dark, radius = self._line + 2, self._line * 2
            around = (box[0] - 1, box[1] - 1, box[2] + 1, box[3] + 1)
            pen.rounded_rectangle(around, radius + 1, outline=(20, 20, 20), width=dark)
            pen.rounded_rectangle(box, radius, outline=self._colours[one.label], width=self._line)
        for one, box in reversed(placed):
            self._tag(pen, box, f"{self._words[one.label]} {_percent(one.confidence)}", self._colours[one.label])

    def _fill(self, placed: Sequence[tuple[Prediction, Rectangle]]) -> None:
        """A breath of the class's colour, only where there are few enough to tell apart."""
        if len(placed) > 12:
            return
        veil = self.picture.copy()
        pen = ImageDraw.Draw(veil)
        for one, box in placed:
            pen.rounded_rectangle(box, self._line * 2, fill=self._colours[one.label])
        self.picture = Image.blend(self.picture, veil, 0.1)

    def _inside(self, box: Rectangle, scale: float) -> Rectangle:
        """In this picture's pixels, its corners in order and within the picture."""
        edge = self._line
        across = sorted(min(max(side * scale, 0), self.picture.width - 1) for side in (box[0], box[2]))
        down = sorted(min(max(side * scale, 0), self.picture.height - 1) for side in (box[1], box[3]))
        right, bottom = max(across[1], across[0] + edge * 2), max(down[1], down[0] + edge * 2)
        return across[0], down[0], right, bottom

    def _tag(self, pen: ImageDraw.ImageDraw, box: Rectangle, text: str, colour: Colour) -> None:
        pad = self._line + 2
        text = self._cut(text, self.picture.width - 2 * pad)
        width, height = pen.textlength(text, self._font) + 2 * pad, self._row + pad
        left = max(0, min(box[0], self.picture.width - width))
        place = self._free(left, box, width, height)
        self._tags.append(place)
        pen.rounded_rectangle(place, self._line * 1.5, fill=colour)
        pen.text((place[0] + pad, (place[1] + place[3]) / 2), text, _ink(colour), self._font, anchor="lm")

    def _cut(self, text: str, width: float) -> str:
        """As much of it as fits."""
        pen = ImageDraw.Draw(self.picture)
        if pen.textlength(text, self._font) <= width:
            return text
        while text and pen.textlength(f"{text}…", self._font) > width:
            text = text[:-1]
        return f"{text}…" if text else ""

    def _free(self, left: float, box: Rectangle, width: float, height: float) -> Rectangle:
        """Above the box, inside it at the top, below it: the first place within the picture that no other tag has."""
        tops = (box[1] - height, box[1], box[3], box[3] - height, box[1] + height)
        places = [(left, top, left + width, top + height) for top in tops]
        within = [place for place in places if place[1] >= 0 and place[3] <= self.picture.height]
        free = [place for place in within if not any(_overlap(place, other) for other in self._tags)]
        return (free or within or [(left, 0, left + width, height)])[0]

    @property
    def _row(self) -> int:
        top, bottom = self._font.getbbox("Åg가")[1::2]
        return round(bottom - top) + self._line

    # -- classification --------------------------------------------------------------------------------------------

    def panel(self, best: Prediction) -> None:
        """In the lower left corner, over a dark glass: the classes with their bars, the likeliest first."""
        scores = dict(best.scores or {}) | {best.label: best.confidence}
        ranked = sorted(scores.items(), key=lambda pair: -pair[1])[:5]
        row, gap = round(self._row * 1.35), self._line * 3
        if self.picture.height < row + 4 * gap or self.picture.width < 12 * gap:
            return  # a line of pixels, which nothing can be written on
        ranked = ranked[: max(1, int((self.picture.height * 0.45 - 2 * gap) // row))]
        pen = ImageDraw.Draw(self.picture)
        numbers = pen.textlength("8.8%", self._font)
        room = self.picture.width - 2 * gap  # of the whole panel
        names = [self._cut(self._words[label], max(0, room - 3 * gap - numbers)) for label, _ in ranked]
        longest = max(pen.textlength(name, self._font) for name in names)
        width = longest + numbers + 3 * gap
        bar = min(self.picture.width * 0.22, room - width - gap)
        if bar < 4 * gap:
            bar = 0
        width += bar + gap if bar else 0
        left, top = gap, max(0, self.picture.height - row * len(ranked) - gap * 3)
        self._glass((left, top, left + width, self.picture.height - gap))
        for number, (label, score) in enumerate(ranked):
            middle = top + gap + row * (number + 0.5)
            ink = (255, 255, 255) if number == 0 else (196, 200, 208)
            pen.text((left + gap, middle), names[number], ink, self._font, anchor="lm")
            if bar:
                self._bar(pen, left + longest + 2 * gap, middle, bar, score, self._colours[label])
            pen.text((left + width - gap, middle), _percent(score), ink, self._font, anchor="rm")

    def _bar(
        self, pen: ImageDraw.ImageDraw, left: float, middle: float, width: float, score: float, colour: Colour
    ) -> None:
        half = max(2.0, self._row * 0.22)
        pen.rounded_rectangle((left, middle - half, left + width, middle + half), half, fill=(70, 74, 84))
        if score * width >= 1:
            length = max(score * width, 2 * half)
            pen.rounded_rectangle((left, middle - half, left + length, middle + half), half, fill=colour)

    def _glass(self, place: Rectangle) -> None:
        shade = Image.new("L", self.picture.size)
        ImageDraw.Draw(shade).rounded_rectangle(place, self._line * 4, fill=200)
        self.picture.paste((16, 18, 24), mask=shade)


def _percent(share: float) -> str:
    return f"{share * 100:.0f}%" if share >= 0.1 else f"{share * 100:.1f}%"


def _ink(colour: Colour) -> Colour:
    """Black or white, whichever reads better on it."""
    light = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
    return (12, 12, 12) if light > 140 else (255, 255, 255)


def _overlap(one: Rectangle, other: Rectangle) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _saved(picture: Image.Image) -> bytes:
    """As good as fits; what is too large at every quality is made smaller."""
    picture.thumbnail((SHOWN_SIDE, SHOWN_SIDE), Image.Resampling.LANCZOS)
    while True:
        for quality in QUALITIES:
            file = io.BytesIO()
            picture.save(file, "JPEG", quality=quality)
            if file.tell() <= MOST_BYTES:
                return file.getvalue()
        picture = picture.resize((max(1, picture.width * 3 // 4), max(1, picture.height * 3 // 4)))
