"""One request from beginning to end: pictures are checked and stored, a predictor looks at them, overlays are drawn."""

import logging
import secrets
import threading
import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from trainyard.contract.keys import prediction_prefix
from trainyard.db.engine import Database
from trainyard.errors import TrainyardError, Unavailable
from trainyard.jobs import repository
from trainyard.jobs.trainers import Catalog
from trainyard.predictions import overlay
from trainyard.predictions.answers import Answer, Prediction, read_answer
from trainyard.predictions.environments import Environments
from trainyard.predictions.pictures import Picture, read_picture
from trainyard.predictions.pool import Pool
from trainyard.predictions.predictor import Question
from trainyard.predictions.process import Program, sweep_homes
from trainyard.predictions.programs import Programs
from trainyard.settings import Settings
from trainyard.storage.store import Store

log = logging.getLogger(__name__)
ROOT = prediction_prefix("", "").partition("/")[0] + "/"
WAITING = 8  # requests that may wait for the others; each may hold its body in memory
STAMP = "%Y%m%d-%H%M%S"
LEFT_OVER = timedelta(days=1)
SWEEP_AFTER = 5.0  # seconds from the start, in which there is more to do


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to know. `pictures`: names with base64."""

    pictures: Sequence[tuple[str, str]]
    confidence: float | None
    checkpoint: str | None  # best, last, epoch-{n}; None: best, else last
    overlay: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """The pictures as they were shown to the model, what it saw by their places, and overlays where wanted."""

    checkpoint: str
    note: str
    warm: bool
    model_seconds: float | None
    total_seconds: float
    pictures: list[Picture]
    predictions: list[tuple[int, Prediction]]
    overlays: list[bytes | None]


class PredictionService:
    def __init__(self, settings: Settings, database: Database, catalog: Catalog, store: Store) -> None:
        self._settings = settings
        self._database = database
        self._store = store
        self._environments = Environments(settings)
        self._programs = Programs(settings, catalog, store, self._environments)
        self._pool = Pool(settings.predictors_dir, settings.predictors, settings.predictor_idle_seconds)
        # of its own: one request may take minutes, and streams and logs are served by the shared one
        self.workers = ThreadPoolExecutor(settings.predictors * 2, "predict")
        self._places = threading.Semaphore(settings.predictors * 2 + WAITING)
        self._sweeper = threading.Timer(SWEEP_AFTER, self.sweep)
        self._sweeper.daemon = True
        self._sweeper.start()

    @contextmanager
    def place(self) -> Generator[None]:
        """Taken before a request's body is read: what waits is bounded. Raises Unavailable."""
        if not self._places.acquire(blocking=False):
            raise Unavailable("Too many requests to predict wait already.", hint="Try again in some seconds.")
        try:
            yield
        finally:
            self._places.release()

    def predict(self, job_id: str, asked: Asked) -> Seen:
        """Blocks: run it in `workers`. Raises InvalidInput naming the picture before anything is stored."""
        began = time.monotonic()
        with self._database.read() as conn:
            job = repository.get(conn, job_id)
        program, note = self._programs.program(job, asked.checkpoint)
        limit = self._settings.max_picture_pixels
        pictures = [read_picture(number, name, text, limit) for number, (name, text) in enumerate(asked.pictures)]
        answer, warm, places = self._show(job.id, program, pictures, asked.confidence)
        found = [(places[one.input], one) for one in answer.predictions]
        found.sort(key=lambda pair: (pair[0], -pair[1].confidence))
        return Seen(
            checkpoint=program.checkpoint,
            note=note,
            warm=warm,
            model_seconds=answer.seconds,
            pictures=pictures,
            predictions=found,
            overlays=_overlays(pictures, found) if asked.overlay else [None] * len(pictures),
            total_seconds=time.monotonic() - began,
        )

    def _show(
        self, job_id: str, program: Program, pictures: Sequence[Picture], confidence: float | None
    ) -> tuple[Answer, bool, dict[str, int]]:
        """The checked answer, whether the model was there already, and the pictures' places by their keys."""
        prefix = prediction_prefix(job_id, f"{datetime.now(UTC):{STAMP}}-{secrets.token_hex(4)}")
        keys = [f"{prefix}{number}{picture.suffix}" for number, picture in enumerate(pictures)]
        seconds = self._settings.predict_seconds
        until = time.monotonic() + seconds
        try:
            for key, picture in zip(keys, pictures, strict=True):
                self._store.put_stream(key, [picture.data])
            with self._pool.predictor(program, until) as (predictor, warm):
                body = predictor.ask(Question(keys, confidence, until, seconds))
        finally:
            for key in keys:
                self._remove(key)
        return read_answer(body, keys, program.who), warm, {key: number for number, key in enumerate(keys)}

    def _remove(self, key: str) -> None:
        try:
            self._store.delete(key)
        except TrainyardError:
            log.warning("the picture %s is still in the store; a later start removes it", key, exc_info=True)

    def sweep(self) -> None:
        """Remove what a backend that was killed left: pictures in the store, predictors' folders. Never raises for a
        store that is away."""
        sweep_homes(self._settings.predictors_dir)
        oldest = datetime.now(UTC) - LEFT_OVER
        try:
            for found in list(self._store.list(ROOT)):
                if _is_older(found.key, oldest):
                    self._store.delete(found.key)
        except TrainyardError as error:
            log.info("could not look for pictures that were left over: %s", error)

    def close(self) -> None:
        """End every predictor; requests under way fail. Blocks for seconds at most."""
        self._sweeper.cancel()
        self._pool.close()
        self._environments.close()
        self.workers.shutdown(cancel_futures=True)


def _is_older(key: str, than: datetime) -> bool:
    """By the request's id in it. What has none is not ours."""
    request = key.split("/")[2] if key.count("/") >= 3 else ""
    try:
        at = datetime.strptime(request[: len("20261121-101112")], STAMP).replace(tzinfo=UTC)
    except ValueError:
        return False
    return at < than


def _overlays(pictures: Sequence[Picture], found: Sequence[tuple[int, Prediction]]) -> list[bytes | None]:
    labels = [label for _, one in found for label in (one.label, *(one.scores or {}))]
    words, colours = overlay.words_of(labels), overlay.colours_of(labels)
    drawn: list[bytes | None] = []
    for number, picture in enumerate(pictures):
        mine = [one for place, one in found if place == number]
        drawn.append(overlay.draw(picture.shown, picture.shown.width / picture.width, mine, words, colours))
    return drawn
