"""predict.py: asked once, and kept warm."""

import json
from typing import Any, cast

from trainyard.conformance.evidence import Evidence, Seen
from trainyard.conformance.predicting import CONFIDENCE
from trainyard.conformance.services import PICTURES
from trainyard.conformance.verdict import Clause, Fail, NotApplicable, NotJudged, Pass, Result
from trainyard.contract.vocabulary import Task
from trainyard.predictions.answers import PredictionFailed, read_answer

COLD = "predict.py: prints one JSON object `{predictions: [...], count}` as its last line."
WARM = "With PREDICT_SERVE=1 it says {ready: true}, then answers a line of stdin with a line of stdout."


def _unable(run: Evidence) -> Result | None:
    if not run.unable:
        return None
    return NotJudged(run.unable) if "left no" in run.unable else NotApplicable(run.unable)


def _wrong(run: Evidence, answer: object, keys: tuple[str, ...] = PICTURES) -> str:
    """What is wrong with an answer for these pictures; empty: nothing. A classifier at confidence 0 always sees
    something, a small detector that was hardly trained may truly see nothing."""
    try:
        found = read_answer(answer, list(keys), "it").predictions
    except PredictionFailed as error:
        return error.message
    count: Any = cast("dict[str, Any]", answer).get("count")
    if count != len(found):
        return f"its count is {count}, and there are {len(found)} predictions"
    if not found and run.task == Task.CLASSIFY:
        return f"at CONFIDENCE={CONFIDENCE} it found nothing, and a classifier has a likeliest class for each picture"
    return ""


def _cold(seen: Seen) -> Result:
    run = seen["predict"]
    if (unable := _unable(run)) is not None:
        return unable
    last = (run.stdout.strip().splitlines() or [""])[-1]
    try:
        answer: Any = json.loads(last)
    except ValueError:
        answer = None
    wrong = _wrong(run, answer) if answer is not None else "its last line is no JSON"
    if run.code == 0 and answer is not None and not wrong:
        return Pass(f"{answer['count']} predictions in two pictures after {run.seconds:.1f} s")
    said = last or (run.stderr.strip().splitlines() or ["nothing"])[-1]
    return Fail(
        f"exit code {run.code}, {wrong or 'a fitting answer'}: {said[:120]}",
        "exit 0, the last line on stdout {predictions: [{input, label, confidence, box or scores}], count}",
        "Load CHECKPOINT, look at each key in INPUT, print one JSON object last.",
    )


def _answers(seen: Seen) -> Result:
    run = seen["serve"]
    if (unable := _unable(run)) is not None:
        return unable
    answers = run.answers
    if not any(answer.get("ready") is True for answer in answers):
        return Fail(
            f"it said {json.dumps(answers[0])[:100]}" if answers else f"it never said a line of JSON; {run.end}",
            'a line {"ready": true} once its model is loaded',
            "Print it and flush it; then answer each line of stdin.",
        )
    first = next((answer for answer in answers if answer.get("id") == "question-1"), None)
    wrong = _wrong(run, first) if first is not None else "missing"
    if first is not None and not wrong:
        took = f", the model itself took {first['seconds']:.3f} s" if first.get("seconds") is not None else ""
        return Pass(f"{first['count']} predictions{took}")
    return Fail(
        f"the answer to question-1: {wrong}" + (f": {json.dumps(first)[:100]}" if first else ""),
        '{"id", "predictions", "count"} on one line',
        "Answer with the question's id; count the predictions.",
    )


def _error(seen: Seen) -> Result:
    run = seen["serve"]
    if (unable := _unable(run)) is not None:
        return unable
    if not any("id" in answer for answer in run.answers):
        return NotJudged("it answered nothing")
    wrong: dict[str, Any] = next((answer for answer in run.answers if answer.get("id") == "question-2"), {"id": None})
    third = next((answer for answer in run.answers if answer.get("id") == "question-3"), None)
    after = third is not None and not _wrong(run, third, PICTURES[:1])
    if isinstance(wrong.get("error"), dict) and after:
        return Pass("a picture that is not there got an error, the next one its predictions")
    return Fail(
        f"asked for a missing picture it said {json.dumps(wrong)[:80]}; the next question "
        f"{'was answered' if after else 'got no predictions'}",
        '{"id", "error": {…}}, and it goes on',
        "Catch what a question raises, answer it with its id, and keep the model.",
    )


def _end(seen: Seen) -> Result:
    run = seen["serve"]
    if (unable := _unable(run)) is not None:
        return unable
    if not run.answers:
        return NotJudged(run.end)
    took = run.moments.get("end", 0.0) - run.moments.get("stop", 0.0)
    if run.code == 0:
        return Pass(f"it ended {took:.1f} s after stdin did")
    end = "it went on" if run.code is None else f"exit code {run.code}"
    return Fail(f"when stdin ended: {end}", "it ends with 0", "Leave the loop at the end of stdin.")


CLAUSES = (
    Clause("predict.cold", "predicts with a checkpoint", COLD, ("predict",), _cold, callbacks=False),
    Clause("predict.warm", "answers while it is warm", WARM, ("serve",), _answers, callbacks=False),
    Clause("predict.warm-error", "survives a bad question", WARM, ("serve",), _error, callbacks=False),
    Clause("predict.warm-end", "ends with its stdin", WARM, ("serve",), _end, callbacks=False),
)
