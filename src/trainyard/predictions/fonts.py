"""A font for class names: one of the system's, with Hangul if there is any, else Pillow's own, which has ASCII."""

from functools import cache

from PIL import Image, ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

# looked for in the system's font folders; the bolder of a family first: labels are small and on colour
NAMES = (
    *("NotoSansCJK-Bold.ttc", "NotoSansCJK-Medium.ttc", "NotoSansCJK-Regular.ttc", "NotoSansCJKkr-Bold.otf"),
    *("NotoSansCJKkr-Regular.otf", "NotoSansKR-Bold.otf", "NotoSansKR-Regular.otf", "NotoSansKR-VF.ttf"),
    *("NanumGothicBold.ttf", "NanumGothic.ttf", "NanumBarunGothicBold.ttf", "NanumBarunGothic.ttf"),
    *("malgunbd.ttf", "malgun.ttf", "AppleSDGothicNeo.ttc", "AppleGothic.ttf", "UnDotum.ttf"),
    *("DejaVuSans-Bold.ttf", "DejaVuSans.ttf", "LiberationSans-Bold.ttf", "arialbd.ttf", "arial.ttf"),  # no Hangul
)
NOT_IN_ANY_FONT = "\U0010fffe"


@cache
def _system_font() -> str | None:
    """The first that is installed. Looks through the system's folders once."""
    for name in NAMES:
        try:
            ImageFont.truetype(name, 12)
        except OSError:
            continue
        return name
    return None


@cache
def font_of(size: int) -> Font:
    """In pixels. Never fails."""
    name = _system_font()
    # letters one after the other, which Hangul and Latin want no more of: the other engine fails on some texts
    if name is not None:
        return ImageFont.truetype(name, size, layout_engine=ImageFont.Layout.BASIC)
    default = ImageFont.load_default(size)
    simple = isinstance(default, ImageFont.FreeTypeFont)
    return default.font_variant(layout_engine=ImageFont.Layout.BASIC) if simple else default


@cache
def has_letter(letter: str) -> bool:
    """Whether the font draws it as itself, not as the box that stands for what a font lacks."""
    return letter.isspace() or _drawn(letter) != _drawn(NOT_IN_ANY_FONT)


@cache
def _drawn(letter: str) -> bytes:
    canvas = Image.new("L", (48, 48))
    ImageDraw.Draw(canvas).text((8, 8), letter, 255, font_of(24))
    return canvas.tobytes()


def can_draw(text: str) -> bool:
    return all(map(has_letter, text))
