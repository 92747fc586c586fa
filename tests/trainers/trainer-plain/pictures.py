"""Pictures without a library: PNG in, squares of pixels, JPEG out."""

import struct
import zlib

CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # grey, RGB, and both with transparency
MOST = 50_000_000  # pixels; more is a bomb or a mistake


def read_png(data):
    """(width, height, channels, rows of bytes) of an 8-bit PNG that isn't interlaced."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("it is no PNG")
    packed, place, head = b"", 8, b""
    while place + 8 <= len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        part, place = data[place + 8 : place + 8 + length], place + 12 + length
        if kind == b"IHDR":
            head = part
        elif kind == b"IDAT":
            packed += part
    if len(head) != 13:
        raise ValueError("it is a broken PNG")
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", head)
    if depth != 8 or interlaced or colour not in CHANNELS or not 0 < width * height <= MOST:
        raise ValueError("this trainer reads PNGs with 8 bits a channel, without palette and interlacing")
    channels = CHANNELS[colour]
    stride = width * channels
    try:
        raw = zlib.decompressobj().decompress(packed, height * (stride + 1))  # never more than its head promises
    except zlib.error as error:
        raise ValueError(f"it is a broken PNG: {error}") from None
    if len(raw) != height * (stride + 1):
        raise ValueError("it is a broken PNG: its end is missing")
    rows = [bytearray(stride)]
    for start in range(0, len(raw), stride + 1):
        rows.append(_unfiltered(raw[start], bytearray(raw[start + 1 : start + 1 + stride]), rows[-1], channels))
    return width, height, channels, rows[1:]


def _unfiltered(filter, row, above, step):
    """A PNG's row holds differences: to the left (1), above (2), their mean (3), or the best guess of three (4)."""
    if filter == 2:
        return bytearray(a + b & 255 for a, b in zip(row, above, strict=True))
    for place in range(len(row) if filter else 0):
        left = row[place - step] if place >= step else 0
        up, corner = above[place], above[place - step] if place >= step else 0
        if filter == 1:
            guess = left
        elif filter == 3:
            guess = (left + up) // 2
        else:
            guess = min((left, up, corner), key=lambda one: abs(left + up - corner - one))
        row[place] = row[place] + guess & 255
    return row


def shrink(picture, size):
    """The picture as size rows of size (red, green, blue): the pixel in the middle of each field."""
    width, height, channels, rows = picture
    across = [(2 * x + 1) * width // (2 * size) * channels for x in range(size)]
    lines = [rows[(2 * y + 1) * height // (2 * size)] for y in range(size)]
    if channels < 3:
        return [[(line[x],) * 3 for x in across] for line in lines]
    return [[tuple(line[x : x + 3]) for x in across] for line in lines]


def framed(pixels, colour):
    """The same with a frame of one pixel."""
    edge = [colour] * (len(pixels[0]) + 2)
    return [edge, *([colour, *line, colour] for line in pixels), edge]


def to_jpeg(pixels):
    """A JPEG in which each pixel is a flat field of 8x8: those are a block's first coefficient, the others are 0."""
    bits, before = [], [0, 0, 0]
    for line in pixels:
        for red, green, blue in line:
            bright = round(0.299 * red + 0.587 * green + 0.114 * blue)
            shades = (bright, 128 + round(0.564 * (blue - bright)), 128 + round(0.713 * (red - bright)))
            for number, shade in enumerate(shades):
                value = max(0, min(255, shade)) - 128
                change, before[number] = value - before[number], value
                size = abs(change).bit_length()
                digits = change if change > 0 else change + (1 << size) - 1
                bits.append(f"{size:04b}" + (f"{digits:0{size}b}" if size else "") + "0")  # 0: no more coefficients
    stream = "".join(bits)
    stream += "1" * (-len(stream) % 8)
    scan = int(stream, 2).to_bytes(len(stream) // 8, "big").replace(b"\xff", b"\xff\x00")
    sizes = struct.pack(">HH", 8 * len(pixels), 8 * len(pixels[0]))
    return b"".join(
        (
            b"\xff\xd8",
            _part(0xDB, b"\0" + b"\x08" * 64),  # coefficients are divided by 8
            _part(0xC0, b"\x08" + sizes + b"\x03\x01\x11\0\x02\x11\0\x03\x11\0"),  # three components
            _part(0xC4, b"\0" + bytes([0, 0, 0, 12, *[0] * 12]) + bytes(range(12))),  # a change's size, in 4 bits
            _part(0xC4, b"\x10" + bytes([1, *[0] * 15]) + b"\0"),  # the block's end, in one bit
            _part(0xDA, b"\x03\x01\0\x02\0\x03\0\0\x3f\0") + scan,
            b"\xff\xd9",
        )
    )


def _part(mark, body):
    return struct.pack(">BBH", 0xFF, mark, len(body) + 2) + body
