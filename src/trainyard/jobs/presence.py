"""Since when this backend has been looking without a break. What happened while nobody looked is nobody's fault.

A process that was stopped, a laptop that slept or a clock that jumped: the next look comes late, and then neither the
silence of trainers nor tokens that nobody renewed may be held against them.
"""

import time

ABSENT_SECONDS = 15.0  # looks come each second


class Presence:
    def __init__(self, now: float | None = None) -> None:
        self.since = time.time() if now is None else now
        self._looked_at = self.since

    def look(self, now: float) -> float:
        """Note a look; the time from which silence counts."""
        if abs(now - self._looked_at) > ABSENT_SECONDS:
            self.since = now
        self._looked_at = now
        return self.since
