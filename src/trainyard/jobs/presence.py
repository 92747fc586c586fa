"""When this backend was last away. What happened while nobody looked is held against no trainer.

A backend that was down, a process that was stopped, a laptop that slept or a clock that jumped: trainers were silent to
nobody then, and tokens could not be renewed. The last look is the time of a file, so that a restart knows it too.
"""

import os
import time
from contextlib import suppress
from pathlib import Path

ABSENT_SECONDS = 15.0  # looks come each second


class Presence:
    def __init__(self, mark: Path, now: float | None = None) -> None:
        self.since = time.time() if now is None else now
        self._mark = mark
        self._away_from = _time_of(mark, self.since)
        self._looked_at = self.since
        mark.touch()

    def look(self, now: float) -> float:
        """Note a look; the time from which silence counts."""
        if abs(now - self._looked_at) > ABSENT_SECONDS:
            self._away_from, self.since = self._looked_at, now
        self._looked_at = now
        with suppress(OSError):  # a full disk is told elsewhere
            os.utime(self._mark, (now, now))
        return self.since

    def was_away(self, moment: float) -> bool:
        """Whether that moment lies in the last absence."""
        return self._away_from <= moment <= self.since


def _time_of(mark: Path, default: float) -> float:
    try:
        return min(mark.stat().st_mtime, default)
    except FileNotFoundError:
        return default
