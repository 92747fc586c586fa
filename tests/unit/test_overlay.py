"""What is drawn on a picture: legible at any size, within its bounds, the same class in the same colour."""

import io
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageFont

from trainyard.predictions import fonts, overlay
from trainyard.predictions.answers import Prediction
from trainyard.predictions.overlay import MOST_BYTES, PALETTE, colours_of, words_of

GREY = (128, 128, 128)


def seen(label: str = "cat", box: tuple[float, float, float, float] | None = None, **given: object) -> Prediction:
    return Prediction.model_validate({"input": "k", "label": label, "confidence": 0.9, "box": box} | given)


def drawn(
    picture: Image.Image, found: Sequence[Prediction], words: Mapping[str, str] | None = None, scale: float = 1
) -> Image.Image:
    labels = [label for one in found for label in (one.label, *(one.scores or {}))]
    data = overlay.draw(picture, scale, found, words or words_of(labels), colours_of(labels))
    assert len(data) <= MOST_BYTES
    made = Image.open(io.BytesIO(data))
    assert made.format == "JPEG"
    assert max(made.size) <= 1600
    return made


def near(one: object, other: tuple[int, ...]) -> bool:
    assert isinstance(one, tuple)
    return all(abs(a - b) < 60 for a, b in zip(one, other, strict=True))


def changed(made: Image.Image, colour: tuple[int, ...] = GREY) -> Image.Image:
    """White where something was drawn."""
    difference = ImageChops.difference(made, Image.new("RGB", made.size, colour)).convert("L")
    return difference.point(lambda value: 255 if value > 24 else 0)


def test_a_box_is_drawn_where_it_is_in_its_classes_colour() -> None:
    made = drawn(Image.new("RGB", (600, 400), GREY), [seen(box=(100, 120, 300, 320))])
    assert made.size == (600, 400)
    colour = colours_of(["cat"])["cat"]
    edges = [made.getpixel((x, 200)) for x in range(97, 106)] + [made.getpixel((200, y)) for y in range(316, 324)]
    assert any(near(pixel, colour) for pixel in edges[:9])
    assert any(near(pixel, colour) for pixel in edges[9:])
    assert changed(made).getbbox() is not None
    left, top, right, bottom = changed(made).getbbox() or (0, 0, 0, 0)
    assert 90 <= left <= 101 and right <= 306 and bottom <= 326
    assert 90 <= top < 118  # the tag stands above it


def test_boxes_of_a_large_picture_are_scaled_with_it() -> None:
    made = drawn(Image.new("RGB", (1600, 800), GREY), [seen(box=(2000, 1000, 3000, 1500))], scale=0.4)
    box = changed(made).getbbox() or (0, 0, 0, 0)
    assert 795 <= box[0] <= 801 and 1199 <= box[2] <= 1206


def test_tiny_pictures_are_enlarged_so_that_words_can_be_read() -> None:
    digit = Image.new("L", (8, 8), 128).convert("RGB")
    assert drawn(digit, [seen("7", scores={"7": 0.9, "1": 0.1})]).size == (480, 480)
    assert drawn(Image.new("RGB", (200, 150), GREY), [seen()]).size == (480, 360)


def test_the_likeliest_class_is_in_a_panel_that_leaves_the_picture_to_be_seen() -> None:
    made = drawn(Image.new("RGB", (800, 600), GREY), [seen("cat", scores={"cat": 0.9, "dog": 0.1})])
    left, top, right, bottom = changed(made).getbbox() or (0, 0, 0, 0)
    assert left > 0 and bottom < 600
    assert top > 450 and right < 500


sides = st.one_of(st.floats(-1e9, 1e9), st.floats(0, 1000))


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 1600), st.integers(1, 1600)),
    st.lists(st.tuples(st.tuples(sides, sides, sides, sides), st.text(min_size=1, max_size=200)), max_size=20),
    st.booleans(),
)
def test_nothing_that_a_trainer_answers_breaks_the_drawing(
    size: tuple[int, int], found: list[tuple[tuple[float, float, float, float], str]], boxed: bool
) -> None:
    told = [seen(label.encode("utf-8", "replace").decode(), box if boxed else None) for box, label in found]
    made = drawn(Image.new("RGB", size, GREY), told)
    long = 0 if size[0] >= size[1] else 1
    assert abs(made.size[1 - long] - size[1 - long] * made.size[long] / size[long]) <= 1


def test_noise_is_saved_within_its_limit_too() -> None:
    noise = Image.merge("RGB", [Image.effect_noise((1600, 1600), 200) for _ in range(3)])
    drawn(noise, [seen(box=(10, 10, 900, 900))])


def test_the_picture_that_was_given_is_left_as_it_was() -> None:
    picture = Image.new("RGB", (500, 500), GREY)
    drawn(picture, [seen(box=(0, 0, 100, 100))])
    assert picture.getcolors() == [(250_000, GREY)]


def test_a_class_has_its_colour_wherever_it_is_seen_and_no_two_share_one() -> None:
    labels = [f"class {number}" for number in range(len(PALETTE))]
    assert len(set(colours_of(labels).values())) == len(PALETTE)
    assert colours_of(["cat"]) == colours_of(["cat", "cat"])
    assert len(colours_of([*labels, "one more", "another"])) == len(PALETTE) + 2
    alone = colours_of(["고양이"])["고양이"]
    assert colours_of(["고양이", "cat"])["고양이"] == alone


def test_a_name_that_no_font_can_write_is_shown_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "NAMES", ())  # a machine without a font that has Hangul
    caches = (fonts._system_font, fonts.font_of, fonts.has_letter, fonts._drawn)
    for cached in caches:
        cached.cache_clear()
    try:
        assert words_of(["cat", "고양이", "dog", "개"]) == {"cat": "cat", "고양이": "#2", "dog": "dog", "개": "#4"}
        drawn(Image.new("RGB", (500, 400), GREY), [seen("고양이", box=(1, 1, 200, 200))])
    finally:
        for cached in caches:
            cached.cache_clear()


def test_a_letter_counts_as_missing_only_where_the_box_for_missing_ones_is_drawn() -> None:
    assert all(map(fonts.has_letter, "aZ0 %"))
    assert not fonts.has_letter("\ue123")
    assert isinstance(fonts.font_of(20), ImageFont.FreeTypeFont)


def test_a_very_long_name_is_cut() -> None:
    assert words_of(["x" * 300]) == {"x" * 300: "x" * 39 + "…"}
