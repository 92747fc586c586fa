"""At most so many predictors at once, each kept for a while after its last question."""

import logging
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from trainyard.errors import Unavailable
from trainyard.predictions.predictor import Predictor, make_predictor
from trainyard.predictions.process import Program

log = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
ENOUGH_MEMORY = 1 << 30


@dataclass(slots=True, eq=False)
class _Place:
    """One of the pool's places: what runs in it, and whether somebody is asking it."""

    program: Program
    predictor: Predictor | None = None  # None: being started
    busy: bool = True
    idle_since: float = field(default_factory=time.monotonic)


class Pool:
    def __init__(self, homes: Path, limit: int, idle_seconds: float) -> None:
        self._homes = homes
        self._limit = limit
        self._idle_seconds = idle_seconds
        self._places: list[_Place] = []
        self._changed = threading.Condition()
        self._closed = False
        self._keeper: threading.Thread | None = None

    @contextmanager
    def predictor(self, program: Program, until: float) -> Generator[tuple[Predictor, bool]]:
        """One for this program, for oneself; and whether it was there before. Blocks until it is one's turn; raises
        Unavailable when that has not come by `until`."""
        place, fresh = self._taken(program, until)
        try:
            if place.predictor is None:
                place.predictor = make_predictor(program, self._homes)
            if self._closed:  # asked after that was set: whoever closes has seen this predictor, or we see the mark
                raise _closing()
            yield place.predictor, not fresh
        finally:
            self._give_back(place)

    def _taken(self, program: Program, until: float) -> tuple[_Place, bool]:
        ended: list[_Place] = []
        try:
            with self._changed:
                while not self._closed:
                    ended += self._without(self._outdated(program))
                    same = [place for place in self._places if place.program == program]
                    idle = [place for place in self._places if not place.busy]
                    if found := next((place for place in same if not place.busy), None):
                        found.busy = True
                        return found, False
                    if not same and (len(self._places) < self._limit or idle):
                        if len(self._places) >= self._limit:
                            ended += self._without([min(idle, key=lambda place: place.idle_since)])
                        self._places.append(_Place(program))
                        return self._places[-1], True
                    if not self._changed.wait(max(0, until - time.monotonic())):
                        break
        finally:
            for place in ended:
                _end(place)
        if self._closed:
            raise _closing()
        raise Unavailable(
            "All predictors are busy.", hint="Try again; TRAINYARD_PREDICTORS says how many there may be."
        )

    def _outdated(self, program: Program) -> list[_Place]:
        """Idle ones that died, and those of the same checkpoint from before it or the trainer was changed."""
        return [
            place
            for place in self._places
            if not place.busy
            and place.predictor is not None
            and (
                not place.predictor.is_alive
                or (place.program.checkpoint == program.checkpoint and place.program != program)
            )
        ]

    def _without(self, places: list[_Place]) -> list[_Place]:
        self._places = [place for place in self._places if place not in places]
        return places

    def _give_back(self, place: _Place) -> None:
        keep = place.predictor is not None and place.predictor.is_alive and self._idle_seconds > 0
        with self._changed:
            keep = keep and not self._closed
            if keep:
                place.busy, place.idle_since = False, time.monotonic()
                self._watch()
                self._changed.notify_all()
        if not keep:
            _end(place)  # before its place is another's: their number is what bounds the memory
            with self._changed:
                self._without([place])
                self._changed.notify_all()

    # -- ending those that nobody asks -----------------------------------------------------------------------------

    def _watch(self) -> None:
        if self._keeper is None:
            self._keeper = threading.Thread(target=self._keep, name="predictors", daemon=True)
            self._keeper.start()

    def _keep(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed, LOOK_SECONDS)
                if self._closed:
                    return
                leaving = self._without(self._leaving(time.monotonic()))
            for place in leaving:
                _end(place)

    def _leaving(self, now: float) -> list[_Place]:
        idle = sorted((place for place in self._places if not place.busy), key=lambda place: place.idle_since)
        gone = [place for place in idle if place.predictor is None or not place.predictor.is_alive]
        gone += [place for place in idle if now - place.idle_since >= self._idle_seconds and place not in gone]
        if not gone and idle and psutil.virtual_memory().available < ENOUGH_MEMORY:
            log.info("memory is short: an idle predictor is ended")
            gone = idle[:1]  # the next look sees whether that was enough
        return gone

    def close(self) -> None:
        """End all of them, also those that are being asked. Idempotent."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            places = self._without(list(self._places))
        for place in places:
            _end(place)
        if self._keeper is not None:
            self._keeper.join()


def _closing() -> Unavailable:
    return Unavailable("The backend is shutting down.", hint="Try again in a moment.")


def _end(place: _Place) -> None:
    if place.predictor is not None:
        place.predictor.end()
