"""Asks a predictor: a warm one keeps its model for the next question, a cold one is started for each."""

import json
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from trainyard.predictions.answers import PredictionFailed
from trainyard.predictions.process import Process, Program


@dataclass(frozen=True, slots=True)
class Question:
    """Pictures by their keys; `confidence` None: the trainer's default. `until` is a monotonic time."""

    keys: Sequence[str]
    confidence: float | None
    until: float
    seconds: float  # what the deadline was, for words


class Predictor(Protocol):
    """One question at a time. After a failure of `ask`, `is_alive` says whether it may be asked again."""

    @property
    def is_alive(self) -> bool: ...

    def ask(self, question: Question) -> Any:
        """Its answer, as it stands in its JSON. Raises PredictionFailed."""
        ...

    def end(self) -> None: ...


def make_predictor(program: Program, homes: Path) -> Predictor:
    return Warm(program, homes) if program.warm else Cold(program, homes)


def too_slow(program: Program, question: Question, words: str) -> PredictionFailed:
    return PredictionFailed(
        f"{program.who} took longer than {question.seconds:g} s and was ended{words}",
        hint="Ask for fewer pictures at once, or raise TRAINYARD_PREDICT_SECONDS.",
    )


class Warm:
    """A line of JSON for a line of JSON. What else it prints is not ours."""

    def __init__(self, program: Program, homes: Path) -> None:
        self._program = program
        self._changed = threading.Condition()
        self._ready = self._over = False
        self._asked: str | None = None
        self._answer: dict[str, Any] | None = None
        self._process = Process(program, homes, {"PREDICT_SERVE": "1"}, self._hear)

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive and not self._over

    def ask(self, question: Question) -> Any:
        self._wait(lambda: self._ready, question)
        number = secrets.token_hex(8)
        with self._changed:
            self._asked, self._answer = number, None
        asked = {"id": number, "input": list(question.keys), "confidence": question.confidence}
        try:
            self._process.write(json.dumps(asked))
        except OSError:
            raise self._ended() from None
        self._wait(lambda: self._answer is not None, question)
        with self._changed:
            self._asked = None
            return self._answer

    def end(self) -> None:
        self._process.end()

    def _wait(self, is_there: Callable[[], bool], question: Question) -> None:
        with self._changed:
            left = question.until - time.monotonic()
            self._changed.wait_for(lambda: is_there() or self._over, max(0, left))
            if is_there():
                return
            over = self._over
        if over:
            raise self._ended()
        self._process.end()
        raise too_slow(self._program, question, self._process.last_words())

    def _ended(self) -> PredictionFailed:
        return PredictionFailed(
            f"{self._program.who} {self._process.how_it_ended()}",
            hint="The next request starts a fresh one.",
        )

    def _hear(self, line: bytes | None) -> None:
        message = None if line is None else _object(line)
        with self._changed:
            if line is None:
                self._over = True
            elif message is None:
                return
            elif message.get("ready") is True:
                self._ready = True
            elif self._asked is not None and message.get("id") == self._asked:
                self._answer = message
            self._changed.notify_all()


class Cold:
    """Pictures as variables, the answer as the last line."""

    def __init__(self, program: Program, homes: Path) -> None:
        self._program = program
        self._homes = homes
        self._process: Process | None = None
        self._is_ended = False
        self.is_alive = True  # until it was asked: then it is over

    def ask(self, question: Question) -> Any:
        over = threading.Event()
        last: list[bytes] = []

        def hear(line: bytes | None) -> None:
            if line is None:
                over.set()
            elif line.strip():
                last[:] = [line]

        self.is_alive = False
        variables = {"INPUT": ",".join(question.keys)}
        if question.confidence is not None:
            variables["CONFIDENCE"] = repr(question.confidence)
        process = self._process = Process(self._program, self._homes, variables, hear)
        process.end_of_questions()
        if self._is_ended:  # while it was being started
            process.end()
        if not over.wait(max(0, question.until - time.monotonic())):
            process.end()
            raise too_slow(self._program, question, process.last_words())
        how = process.how_it_ended()
        answer = _object(last[0]) if last else None
        if not how.startswith("ended with exit code 0") or answer is None:
            what = "printed no JSON object as its last line and " if how.startswith("ended with exit code 0") else ""
            raise PredictionFailed(f"{self._program.who} {what}{how}")
        return answer

    def end(self) -> None:
        self._is_ended = True
        if self._process is not None:
            self._process.end()


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None
