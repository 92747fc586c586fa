"""Some validation pictures after each epoch, with what was found and what is true drawn on them: progress to look at.

Every trainer holds the same copy of this file; origin: trainer-template/.
"""

import colorsys
import functools
import io
from pathlib import Path

import utils
from pictures import open_picture, upright
from PIL import Image, ImageDraw, ImageFont

SIDE, SMALL, WAITING = 320, 160, 10  # pixels of the longer side, at most and at least; epochs that wait for the storage
RIGHT, WRONG, PAPER = "#1f9d55", "#d64545", "#16181d"
# fonts that know Hangul, on Linux, Windows and macOS; Pillow's own doesn't
FONTS = ("NotoSansCJK-Regular.ttc", "NanumGothic.ttf", "malgun.ttf", "AppleSDGothicNeo.ttc", "DejaVuSans.ttf")


def choose(total):
    """The places of the pictures to show, the same each epoch: spread over all, as many as SAMPLE_COUNT asks for."""
    count = min(utils.get_env_int("SAMPLE_COUNT", 4, 0, 64), total)
    return [place * total // count for place in range(count)]


def send(epoch, shown):
    """Upload this epoch's samples, drawn in the background: shown is a list of (picture, truth, found).

    picture: a path, or an array or PIL picture that nobody changes. truth, found: lists of {"label", "confidence"?,
    "box"?}, a box being left, top, right, bottom in the picture's pixels.
    """
    job = utils.current
    if shown and job.is_main:
        job.storage.put(f"samples of epoch {epoch}", functools.partial(_deliver, job, epoch, shown), keep=False)
        waiting = [key for key in tuple(job.storage.calls) if key.startswith("samples")]
        with job.storage.changed:  # while the storage is away the newest are enough
            for key in waiting[:-WAITING]:
                job.storage.calls.pop(key, None)


def _deliver(job, epoch, shown):
    try:
        drawn = [draw(*one) for one in shown]
    except Exception as error:  # a picture that can't be drawn is no reason to try for ever
        job.warn(f"the sample pictures of epoch {epoch} could not be drawn: {type(error).__name__}: {error}")
        return
    client, bucket = utils.get_storage_client()
    for index, (plain, picture, truth, found) in enumerate(drawn):
        keys = {"key": f"samples/job-{job.id}/epoch-{epoch}/{index}.jpg"}
        keys["plain"] = f"samples/job-{job.id}/epoch-0/{index}.jpg"
        for name, image in (("plain", plain), ("key", picture)):
            if keys[name] not in job.shown:
                client.put_object(Bucket=bucket, Key=keys[name], Body=_jpeg(image), ContentType="image/jpeg")
                job.shown.add(keys[name])
        job.event("sample", epoch=epoch, index=index, truth=truth, found=found, **keys)


def draw(picture, truth, found):
    """(the picture, the same with all of it drawn on, truth and found with boxes as shares of 1)."""
    if isinstance(picture, (str, Path)):
        image = open_picture(picture)
    else:
        image = upright(picture if isinstance(picture, Image.Image) else Image.fromarray(picture))
    size, scale = image.size, SIDE / max(image.size)
    if scale < 1 or max(size) < SMALL:
        scale = scale if scale < 1 else SMALL / max(size)
        tiny = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BILINEAR
        image = image.resize([max(1, round(side * scale)) for side in size], tiny)
    truth, found = _as_shares(truth, size), _as_shares(found, size)
    boxes = any("box" in one for one in truth + found)
    return image, (_with_boxes if boxes else _with_caption)(image.copy(), truth, found), truth, found


def _as_shares(marks, size):
    sides = size * 2
    return [
        one | {"box": [round(min(1, max(0, at / side)), 4) for at, side in zip(one["box"], sides, strict=True)]}
        if "box" in one
        else one
        for one in marks
    ]


def _with_boxes(image, truth, found):
    """What is true as dotted white frames, what was found as solid ones in its class's colour."""
    pen, font = ImageDraw.Draw(image), _font(12)
    for one in truth:
        left, top, right, bottom = _pixels(one["box"], image.size)
        for start in range(left, right, 6):
            pen.line([(start, top), (min(start + 3, right), top)], "white")
            pen.line([(start, bottom), (min(start + 3, right), bottom)], "white")
        for start in range(top, bottom, 6):
            pen.line([(left, start), (left, min(start + 3, bottom))], "white")
            pen.line([(right, start), (right, min(start + 3, bottom))], "white")
    for one in sorted(found, key=lambda one: one["confidence"]):
        left, top, right, bottom = _pixels(one["box"], image.size)
        colour = _colour(one["label"])
        pen.rectangle([left, top, right, bottom], outline=colour, width=2)
        text = f"{one['label']} {one['confidence']:.2f}"
        room = pen.textbbox((0, 0), text, font)
        down = max(0, top - room[3] - 4)
        pen.rectangle([left, down, left + room[2] + 6, down + room[3] + 4], fill=colour)
        pen.text((left + 3, down + 1), text, "white", font)
    return image


def _with_caption(image, truth, found):
    """The class found, below the picture: green where it is right; where it is wrong, red with the right one."""
    best = max(found, key=lambda one: one["confidence"]) if found else None
    wanted = truth[0]["label"] if truth else None
    right = best is not None and best["label"] == wanted
    text = f"{best['label']} {best['confidence']:.2f}" if best else "nothing"
    text += "" if right or wanted is None else f"  (is {wanted})"
    sheet = Image.new("RGB", (image.width, image.height + 22), PAPER)
    sheet.paste(image)
    pen = ImageDraw.Draw(sheet)
    pen.rectangle([0, image.height, 5, sheet.height], fill=RIGHT if right else WRONG)
    pen.text((11, image.height + 3), text, "white", _font(13))
    return sheet


def _pixels(box, size):
    return [round(share * (side - 1)) for share, side in zip(box, size * 2, strict=True)]


def _colour(label):
    hue = sum(ord(letter) * place for place, letter in enumerate(label, 7)) * 0.618 % 1  # the same in every run
    return tuple(round(part * 255) for part in colorsys.hls_to_rgb(hue, 0.42, 0.7))


@functools.cache
def _font(size):
    for name in FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def _jpeg(image):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=82)
    return buffer.getvalue()
