"""A container's log as the kubelet tells it, with a timestamp before each line: what of it is new, without the stamps.

Pure: bytes in, bytes out, and the place up to which the log was read. The same log read from that place on goes on
with the very next byte, also in the middle of a line.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache

_STAMP = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)"
_PREFIX = re.compile(rb"(%s) " % _STAMP)
_PREFIXES = re.compile(rb"^(%s) " % _STAMP, re.MULTILINE)
_NOT_TEXT = re.compile(rb"^(?:%s |[^\n]*\n)" % _STAMP, re.MULTILINE)
_LONGEST_PREFIX = 36
_OUT_OF_ORDER = 500  # two streams, stdout and stderr, can have swapped so many lines


@dataclass(frozen=True, slots=True)
class Place:
    """How far a log was read: the last line by its timestamp, the how-manieth with that one it was, and how many bytes
    of its text were taken where its end has not come yet. `newest` is another one where lines were out of order."""

    stamp: str = ""
    same: int = 0
    partly: int | None = None
    newest: str = ""

    @property
    def since(self) -> str:
        """What to ask the kubelet for: it compares whole seconds, and lines near a second's border may be swapped."""
        if not self.stamp:
            return ""
        second = nanoseconds(self.stamp.encode()) // 10**9 - 1
        return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class _Line(Enum):
    """What is done with the line whose end has not come yet."""

    NONE = 0
    TAKEN = 1
    PASSED_OVER = 2


class Lines:
    """One answer of the kubelet, read from a place on. What lies before that place is passed over: the kubelet tells
    lines in the order of its file, so all that follows the place's line is new, whatever its timestamp."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.lost = False  # the place's line was not there any more: the log was rotated, lines may be missing
        self._newest = nanoseconds(place.newest.encode()) if place.newest else 0
        self._searching = bool(place.stamp)
        self._met = 0
        self._line = _Line.NONE
        self._seen = 0  # bytes of the line that is being taken
        self._rest = b""  # perhaps the begin of a timestamp

    def feed(self, data: bytes) -> bytes:
        """The new text in the next piece, cut anywhere; `place` is behind it then. Of a log that was fed only in part
        nothing is kept but the begin of a timestamp."""
        data, self._rest = self._rest + data, b""
        found: list[bytes] = []
        at = 0
        while at < len(data):
            if self._line is not _Line.NONE:
                at = self._go_on(data, at, found)
            elif not self._searching and data.find(b"\n", at) >= 0:
                at = self._take_lines(data, at, found)
            else:
                begun = self._begin(data, at)
                if begun is None:
                    self._rest = data[at:]
                    break
                at = begun
        return b"".join(found)

    def _take_lines(self, data: bytes, at: int, found: list[bytes]) -> int:
        """All whole lines at once. Lines without a timestamp are the kubelet's own words, not the trainer's."""
        end = data.rfind(b"\n") + 1
        block = data[at:end]
        stamps: list[bytes] = _PREFIXES.findall(block)
        if stamps:
            self._passed(stamps)
            found.append(_NOT_TEXT.sub(b"", block))
        return end

    def _passed(self, stamps: list[bytes]) -> None:
        last = stamps[-1]
        same = next((n for n, stamp in enumerate(reversed(stamps)) if stamp != last), len(stamps))
        if same == len(stamps) and last.decode() == self.place.stamp:
            same += self.place.same
        newest = max((self._newest, b""), *((nanoseconds(stamp), stamp) for stamp in stamps[-_OUT_OF_ORDER:]))
        self._newest = newest[0]
        self.place = Place(last.decode(), same, None, newest[1].decode() or self.place.newest)

    def _begin(self, data: bytes, at: int) -> int | None:
        """Where the text of the line begins that begins here; None: that can't be told yet."""
        match = _PREFIX.match(data, at)
        if match is None:
            if len(data) - at < _LONGEST_PREFIX and data.find(b"\n", at) < 0:
                return None
            self._line = _Line.PASSED_OVER
            return at
        stamp = match[1]
        self._line = _Line.PASSED_OVER
        if self._searching and not self._is_new(stamp):
            return match.end()
        if self._line is _Line.PASSED_OVER:  # else it is the place's own line, which goes on
            self._passed([stamp])
            self.place = replace(self.place, partly=0)
            self._line = _Line.TAKEN
        self._seen = 0
        return match.end()

    def _is_new(self, stamp: bytes) -> bool:
        """Whether this line, or what comes after a part of it, was not taken yet. Ends the search when it can."""
        if stamp.decode() == self.place.stamp:
            self._met += 1
            if self._met < self.place.same:
                return False
            self._searching = False
            if self.place.partly is None:
                return False
            self._line = _Line.TAKEN
            return True
        if nanoseconds(stamp) <= self._newest:
            return False
        self._searching = False
        self.lost = True
        return True

    def _go_on(self, data: bytes, at: int, found: list[bytes]) -> int:
        end = data.find(b"\n", at) + 1
        stop = end or len(data)
        if self._line is _Line.TAKEN:
            had = self.place.partly or 0
            found.append(data[at + max(0, had - self._seen) : stop])
            self._seen += stop - at
            self.place = replace(self.place, partly=None if end else max(had, self._seen))
        if end:
            self._line = _Line.NONE
        return stop


def nanoseconds(stamp: bytes) -> int:
    """A timestamp with up to nine digits behind the dot, in any zone, as nanoseconds since 1970."""
    second, dot, fraction = stamp[:19], stamp[19:20], stamp[20:]
    if dot != b".":
        return _seconds(second, stamp[19:]) * 10**9
    digits = fraction.rstrip(b"Z") if fraction.endswith(b"Z") else fraction[:-6]
    return _seconds(second, fraction[len(digits) :]) * 10**9 + int(digits.ljust(9, b"0"))


@lru_cache(maxsize=4096)
def _seconds(second: bytes, zone: bytes) -> int:
    return int(datetime.fromisoformat((second + zone).decode()).timestamp())
