"""Shows pictures to a checkpoint, once, or as a process that keeps its model for more. predict.py ends with
run(load, predict): load(path) gives a model, predict(model, path, confidence) a list of what it sees in a picture:
{"label", "confidence"} with "box" (left, top, right, bottom in pixels) or "scores" (the likeliest classes).

Every trainer holds the same copy of this file; origin: trainer-template/.
"""

import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import utils


def run(load, predict, confidence=0.0):
    """Answer CHECKPOINT and INPUT (storage keys, with commas between) with one JSON object as the last line.

    With PREDICT_SERVE=1 each line of stdin asks for pictures and is answered with a line, until stdin ends.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    def answer(body):
        print(json.dumps(body), file=answers, flush=True)

    try:
        with tempfile.TemporaryDirectory() as folder:
            _run(load, predict, confidence, Path(folder), answer)
    except utils.BadConfiguration as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


def _run(load, predict, confidence, folder, answer):
    serving = os.getenv("PREDICT_SERVE") == "1"
    utils.check_required_env(CHECKPOINT="the key of a checkpoint")
    if not serving:
        utils.check_required_env(INPUT="the keys of pictures, with commas between")
    wanted = utils.get_env_float("CONFIDENCE", confidence, 0, 1)
    model = load(utils.download_checkpoint(os.environ["CHECKPOINT"].strip(), folder / "checkpoint.pt"))
    if not serving:
        keys = [key.strip() for key in os.environ["INPUT"].split(",") if key.strip()]
        answer(_look(predict, model, keys, wanted, folder))
        return
    answer({"ready": True})
    for line in sys.stdin:
        request = json.loads(line)
        asked = request.get("confidence")
        try:
            body = _look(predict, model, request["input"], wanted if asked is None else asked, folder)
        except Exception as error:  # one bad picture; the model is still good
            body = {"error": {"type": type(error).__name__, "message": str(error)}}
        answer({"id": request["id"], **body})


def _look(predict, model, keys, confidence, folder):
    predictions, seconds = [], 0.0
    for key in keys:
        picture = utils.download_checkpoint(key, folder / f"picture{Path(key).suffix or '.jpg'}")
        began = time.perf_counter()
        predictions += [{"input": key, **one} for one in predict(model, picture, confidence)]
        seconds += time.perf_counter() - began
    return {"predictions": predictions, "count": len(predictions), "seconds": round(seconds, 4)}


def likeliest(classes, likely, confidence, most=5):
    """What a classifier sees: its best class and the scores of the best few; nothing where it is less sure."""
    order = sorted(range(len(classes)), key=lambda place: -likely[place])[:most]
    scores = {str(classes[place]): round(float(likely[place]), 4) for place in order}
    label, best = next(iter(scores.items()))
    return [{"label": label, "confidence": best, "scores": scores}] if best >= confidence else []
