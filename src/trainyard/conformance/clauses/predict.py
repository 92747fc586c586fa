"""predict.py: asked once, and kept warm."""

import json
from typing import Any, cast

from trainyard.conformance.evidence import Evidence, Seen
from trainyard.conformance.verdict import Clause, Fail, NotApplicable, NotJudged, Pass, Result

COLD = "predict.py: prints one JSON object `{predictions: [...], count}` as its last line."
WARM = "With PREDICT_SERVE=1 it says {ready: true}, then answers a line of stdin with a line of stdout."


def _unable(run: Evidence) -> Result | None:
    if not run.unable:
        return None
    return NotJudged(run.unable) if "left no" in run.unable else NotApplicable(run.unable)


def _fits(answer: object) -> bool:
    if not isinstance(answer, dict):
        return False
    found = cast("dict[str, Any]", answer)
    predictions: Any = found.get("predictions")
    return isinstance(predictions, list) and found.get("count") == len(cast("list[Any]", predictions))


def _cold(seen: Seen) -> Result:
    run = seen["predict"]
    if (unable := _unable(run)) is not None:
        return unable
    last = (run.stdout.strip().splitlines() or [""])[-1]
    try:
        answer: Any = json.loads(last)
    except ValueError:
        answer = None
    if run.code == 0 and _fits(answer):
        return Pass(f"{answer['count']} predictions in two pictures after {run.seconds:.1f} s")
    said = last or (run.stderr.strip().splitlines() or ["nothing"])[-1]
    return Fail(
        f"exit code {run.code}, its last line: {said[:120]}",
        "exit 0, the last line on stdout {predictions: [...], count}",
        "Load CHECKPOINT, look at each key in INPUT, print one JSON object last.",
    )


def _answers(seen: Seen) -> Result:
    run = seen["serve"]
    if (unable := _unable(run)) is not None:
        return unable
    answers = run.answers
    if not answers or answers[0] != {"ready": True}:
        return Fail(
            f"its first line is {json.dumps(answers[0])[:100]}" if answers else f"it never said a line; {run.end}",
            '{"ready": true} once its model is loaded',
            "Print nothing else on stdout; libraries' words belong on stderr.",
        )
    first = next((answer for answer in answers[1:] if answer.get("id") == "question-1"), None)
    if first is not None and _fits(first) and isinstance(first.get("seconds"), int | float):
        return Pass(f"{first['count']} predictions, the model itself took {first['seconds']:.3f} s")
    return Fail(
        f"the answer to question-1 is {json.dumps(first)[:100] if first else 'missing'}",
        '{"id", "predictions", "count", "seconds"} on one line',
        "Answer with the question's id; count the predictions; say how long the model took.",
    )


def _error(seen: Seen) -> Result:
    run = seen["serve"]
    if (unable := _unable(run)) is not None:
        return unable
    if len(run.answers) < 2:
        return NotJudged("it answered nothing")
    wrong: dict[str, Any] = next((answer for answer in run.answers if answer.get("id") == "question-2"), {"id": None})
    after = any(answer.get("id") == "question-3" and _fits(answer) for answer in run.answers)
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
