"""How often somebody may try to sign in. In memory: a restart forgets it, and each backend counts for itself."""

import ipaddress
import math
import threading
import time
from collections.abc import Callable

from trainyard.errors import TooManyTries

WINDOW_SECONDS = 900.0
PER_NAME = 10
PER_ADDRESS = 60  # a whole office may come from one
MOST_KEYS = 20_000


class Tries:
    """Counted before the password is looked at, so that many at once are no way around it. For any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._names: dict[str, tuple[int, float]] = {}  # how often, until when
        self._addresses: dict[str, tuple[int, float]] = {}

    def count(self, name: str, address: str) -> None:
        """Raises TooManyTries, saying when to come back."""
        with self._lock:
            now = self._clock()
            name, place = name.strip().lower(), _network(address)
            kept = [(self._names, name, PER_NAME), (self._addresses, place, PER_ADDRESS)]
            wait = max(self._wait(counts, key, most, now) for counts, key, most in kept)
            if wait > 0:
                raise TooManyTries("Too many tries to sign in.", retry_after=math.ceil(wait))
            for counts, key, _ in kept:
                tries, until = counts.get(key, (0, now + WINDOW_SECONDS))
                _make_room(counts, now)
                counts[key] = (tries + 1, until)

    def forgive(self, name: str, address: str) -> None:
        """It was the right one: the name starts anew, and the address has one try less."""
        with self._lock:
            self._names.pop(name.strip().lower(), None)
            place = _network(address)
            tries, until = self._addresses.get(place, (1, 0.0))
            if tries <= 1:
                self._addresses.pop(place, None)
            else:
                self._addresses[place] = (tries - 1, until)

    def _wait(self, counts: dict[str, tuple[int, float]], key: str, most: int, now: float) -> float:
        tries, until = counts.get(key, (0, 0.0))
        if until <= now:
            counts.pop(key, None)
            return 0.0
        return until - now if tries >= most else 0.0


def _make_room(counts: dict[str, tuple[int, float]], now: float) -> None:
    if len(counts) < MOST_KEYS:
        return
    for key in [key for key, (_, until) in counts.items() if until <= now]:
        del counts[key]
    while len(counts) >= MOST_KEYS:
        del counts[next(iter(counts))]  # the oldest


def _network(address: str) -> str:
    """Of IPv6 the /64: a household has that many addresses."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:60]
    if parsed.version == 6 and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
