"""Reads a YOLO label file and says what is wrong with it, line by line. Pure."""

import math
from dataclasses import dataclass, field

from trainyard.datasets.check.report import Code, Severity

TOLERANCE = 0.01  # of the picture: exports round, and trainers forgive as much
OUTLINE_FROM = 7  # a class and three points; trainers make a box of it


@dataclass(frozen=True, slots=True)
class Box:
    """What is where, as shares of the picture, cut at its edges."""

    kind: int
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Fault:
    code: Code
    severity: Severity
    line: int  # from 1


@dataclass(slots=True)
class Labels:
    boxes: list[Box] = field(default_factory=list[Box])
    faults: list[Fault] = field(default_factory=list[Fault])

    def fault(self, code: Code, line: int, severity: Severity = Severity.ERROR) -> None:
        self.faults.append(Fault(code, severity, line))


def read_labels(text: str, classes: int) -> Labels:
    """A line a box: `class x y width height`, or `class x1 y1 x2 y2 x3 y3 …` around it. A faulty line has no box."""
    found = Labels()
    kinds = set[bool]()
    for number, line in enumerate(text.splitlines(), 1):
        parts = line.split()
        if not parts:
            continue
        outline = len(parts) >= OUTLINE_FROM
        values = _numbers(parts) if len(parts) == 5 or (outline and len(parts) % 2) else None
        kinds.add(outline)
        if values is None or not values[0].is_integer() or len(kinds) > 1:
            found.fault(Code.LABEL_UNREADABLE, number)  # trainers refuse files that mix boxes and outlines
        elif not 0 <= values[0] < classes:
            found.fault(Code.CLASS_OUT_OF_RANGE, number)
        else:
            _add_box(found, int(values[0]), _corners(values[1:], outline), values[1:], number)
    return found


def _numbers(parts: list[str]) -> list[float] | None:
    try:
        values = [float(part) for part in parts]
    except ValueError:
        return None
    return values if all(map(math.isfinite, values)) else None


def _corners(values: list[float], outline: bool) -> tuple[float, float, float, float]:
    if outline:
        return min(values[::2]), min(values[1::2]), max(values[::2]), max(values[1::2])
    x, y, width, height = values
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _add_box(
    found: Labels, kind: int, corners: tuple[float, float, float, float], values: list[float], line: int
) -> None:
    left, top, right, bottom = corners
    if right <= left or bottom <= top:
        found.fault(Code.BOX_DEGENERATE, line)
        return
    if min(values) < -TOLERANCE or max(values) > 1 + TOLERANCE:
        found.fault(Code.BOX_OUTSIDE, line)  # in pixels, say: trainers leave out the whole picture
        return
    if min(left, top) < -TOLERANCE or max(right, bottom) > 1 + TOLERANCE:
        found.fault(Code.BOX_OUTSIDE, line, Severity.WARNING)
    cut = [round(min(1.0, max(0.0, value)), 5) for value in corners]
    if cut[2] <= cut[0] or cut[3] <= cut[1]:
        found.fault(Code.BOX_DEGENERATE, line)
        return
    found.boxes.append(Box(kind, *cut))
