"""Reading job logs by offset and from the end, also while they grow: never more than a chunk in memory.

Offsets are bytes of the file and stay what they are when the middle of a log is cut out: readers jump over the hole.
"""

import codecs
import json
import re
from dataclasses import dataclass
from pathlib import Path

MOST_AT_ONCE = 1 << 20
LEAST_AT_ONCE = 8  # the longest character has 4 bytes
_CUTS = "cuts.json"


@dataclass(frozen=True, slots=True)
class Cut:
    """What a log lost: from `start` to `end` or, where those are the same, `dropped` bytes that stood at `start`."""

    start: int
    end: int
    dropped: int
    limit_mb: int

    def mark(self, dropped: int) -> str:
        return (
            f"[trainyard] {dropped / (1 << 20):.1f} MB of output were cut here "
            f"(limit {self.limit_mb} MB; setting TRAINYARD_LOG_LIMIT_MB)\n"
        )


def read_cut(path: Path) -> Cut | None:
    """What was cut out of a log; None for most."""
    try:
        note = json.loads(path.with_name(_CUTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return Cut(note["start"], note["end"], note["bytes"], note["limit_mb"])


def size(path: Path) -> int:
    """How far offsets go; 0 where there is no log yet."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def read_range(path: Path, offset: int, limit: int = MOST_AT_ONCE, *, ended: bool = True) -> tuple[str, int]:
    """Text from an offset on, from at most `limit` bytes, and the offset to go on from. Nothing comes, and the offset
    stays, at the end of the log. While it may still grow (`ended=False`) a character that is not complete waits."""
    offset, limit = max(0, offset), max(LEAST_AT_ONCE, min(limit, MOST_AT_ONCE))
    while True:
        cut = read_cut(path)
        result = _read(path, cut, offset, limit, ended)
        if read_cut(path) == cut:  # else it was cut while we read: what we have may be zeros
            return result


def _read(path: Path, cut: Cut | None, offset: int, limit: int, ended: bool) -> tuple[str, int]:
    total = size(path)
    mark = ""
    if cut is not None:
        if cut.start <= offset < cut.end:
            mark, offset = cut.mark(cut.end - offset), cut.end
        elif cut.start == cut.end and (offset == cut.start or offset > total):
            mark, offset = cut.mark(cut.dropped), cut.start
        elif offset < cut.start:
            limit = min(limit, cut.start - offset)
    data = _bytes(path, offset, limit)
    if not data and not (mark and cut and cut.end > cut.start):
        return "", offset if cut is None or cut.start < cut.end else min(offset, total)
    at_border = offset + len(data) == (cut.start if cut else -1)
    text, used = decode(data, final=at_border or (ended and offset + len(data) >= total))
    if at_border and not text.endswith("\n"):
        text += "\n"  # the mark gets a line of its own
    return mark + text, offset + used


def _bytes(path: Path, offset: int, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(limit)
    except FileNotFoundError:
        return b""


def decode(data: bytes, final: bool) -> tuple[str, int]:
    """The text, and how many bytes it took: a character cut in two stays for the next time unless this is the end."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(data, final)
    return text, len(data) - len(decoder.getstate()[0])


def tail(path: Path, lines: int, max_bytes: int) -> str:
    """The last lines, as a terminal would show them: of a progress bar that overwrote itself, only how it ended."""
    total, cut = size(path), read_cut(path)
    start = max(0, total - max_bytes)
    mark = ""
    if cut is not None and start < cut.end:
        start, mark = cut.end, cut.mark(cut.dropped)
    text, _ = decode(_bytes(path, start, total - start), final=True)
    if start > 0 and not mark:
        _, newline, rest = text.partition("\n")
        text = rest if newline else text
    shown = [_overwritten(line) for line in (mark + text).split("\n")]
    ends_with_newline = shown[-1] == ""
    return "\n".join(shown[-lines - ends_with_newline :])


def _overwritten(line: str) -> str:
    body = line.rstrip("\r")
    return body.rpartition("\r")[2] + line[len(body) :]


def last_traceback(text: str) -> str:
    """The last Python traceback in a text, or the last syntax error; empty where there is none."""
    at = text.rfind("Traceback (most recent call last):")
    if at < 0:
        found = re.findall(r"^  File \".*\", line \d+\n(?:    .*\n)+\w+Error:.*$", text, re.MULTILINE)
        return found[-1] if found else ""
    taken: list[str] = []
    for line in text[at:].split("\n"):
        taken.append(line)
        if len(taken) > 1 and line and not line.startswith((" ", "\t")):  # the exception itself comes last
            break
    return "\n".join(taken)
