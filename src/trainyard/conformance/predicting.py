"""The scenarios of predict.py: asked once, and kept warm for several questions."""

import contextlib
import json
import time
from collections.abc import Callable
from typing import Any, cast

from trainyard.conformance.evidence import Evidence, Seen
from trainyard.conformance.run import Run, Stage
from trainyard.conformance.services import PICTURES

CONFIDENCE = 0  # even a model that has hardly learnt has something to say
MISSING = "check/missing.png"
# a predictor has no job's backend, dataset or tracking
_NOT_GIVEN = ("BACKEND_BASE_URL", "CALLBACK_TOKEN", "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "DATASET_ID")
_LACKING = "the whole run left no checkpoint"


def _run(stage: Stage, seen: Seen, name: str, **variables: str) -> tuple[Run, str]:
    whole = seen["whole"]
    told = str((whole.done or {}).get("checkpoint") or "")
    key = told if told in whole.stored else whole.key("best.pt")
    changes: dict[str, str | None] = {**dict.fromkeys(_NOT_GIVEN), "CHECKPOINT": key, **variables}
    if not stage.subject.can_predict:
        return Run(stage, name), f"it has no {stage.subject.manifest.predict.entrypoint}"
    return Run(stage, name, changes=changes), "" if key in whole.stored else _LACKING


def predict(stage: Stage, seen: Seen) -> Evidence:
    run, unable = _run(stage, seen, "predict", INPUT=",".join(PICTURES), CONFIDENCE=str(CONFIDENCE))
    if unable:
        return run.nothing(unable)
    run.start(predict=True)
    _close(run)
    run.end(stage.timing.start)
    return run.evidence()


def serve(stage: Stage, seen: Seen) -> Evidence:
    """Two questions that can be answered and one between them that cannot; then stdin ends."""
    run, unable = _run(stage, seen, "serve", PREDICT_SERVE="1", CONFIDENCE=str(CONFIDENCE))
    if unable or not stage.subject.manifest.predict.warm:
        return run.nothing(unable or "trainer.toml does not say `warm = true` below [predict]")
    run.start(predict=True)
    questions = (list(PICTURES), [MISSING], [PICTURES[0]])
    alive = _wait_for(run, lambda message: message.get("ready") is True)
    for number, keys in enumerate(questions, 1):
        if not alive:
            break
        name = f"question-{number}"
        _ask(run, {"id": name, "input": keys, "confidence": CONFIDENCE})
        alive = _wait_for(run, lambda message, name=name: message.get("id") == name)
    run.note("stop")
    _close(run)
    run.end(stage.timing.grace)
    run.answers = _messages(run)
    return run.evidence()


def _ask(run: Run, question: dict[str, Any]) -> None:
    assert run.process.stdin is not None
    with contextlib.suppress(OSError):  # it is gone: its answer will be missing
        run.process.stdin.write(json.dumps(question).encode() + b"\n")
        run.process.stdin.flush()


def _close(run: Run) -> None:
    assert run.process.stdin is not None
    with contextlib.suppress(OSError):
        run.process.stdin.close()


def _wait_for(run: Run, fits: Callable[[dict[str, Any]], bool]) -> bool:
    """Whether it says such a message before it ends or the time is over."""
    deadline = time.monotonic() + run.stage.timing.start
    while not (found := any(map(fits, _messages(run)))) and time.monotonic() < deadline and run.process.poll() is None:
        time.sleep(0.01)
    return found or any(map(fits, _messages(run)))


def _messages(run: Run) -> list[dict[str, Any]]:
    """Its lines that are JSON objects; what else it prints the platform does not look at either."""
    found: list[dict[str, Any]] = []
    for line in (run.folder / "stdout").read_text(encoding="utf-8", errors="replace").splitlines():
        with contextlib.suppress(ValueError):
            message: Any = json.loads(line)
            if isinstance(message, dict):
                found.append(cast("dict[str, Any]", message))
    return found
