"""What it tells the backend while all is well: running, dataset_ready, epochs, the timer, numbers that JSON lacks."""

import itertools

from trainyard.conformance.evidence import Evidence, Seen
from trainyard.conformance.run import TOKEN
from trainyard.conformance.verdict import Clause, Fail, NotApplicable, NotJudged, Pass, Result

EVENTS = "types: running, dataset_ready, mlflow_run, validation, checkpoint, sample, warning, and its own."


def _unfinished(run: Evidence) -> NotJudged | None:
    return None if run.succeeded else NotJudged(f"the run did not succeed: {run.end}")


def _running(seen: Seen) -> Result:
    run = seen["whole"]
    if not run.arrived:
        return _unfinished(run) or Fail(
            "no call ever came", "an event `running` first", "Send it before anything else."
        )
    first = run.arrived[0].name
    if first == "running":
        return Pass("its first call is the event running")
    return Fail(f"its first call is {first}", "an event `running` first", "Send it before anything that takes time.")


def _dataset_ready(seen: Seen) -> Result:
    run = seen["whole"]
    if any(run.events("dataset_ready")):
        return Pass("the event dataset_ready came")
    return _unfinished(run) or Fail(
        "the event dataset_ready never came",
        "it says so once the dataset is unpacked",
        "Send it before the first epoch.",
    )


def _order(seen: Seen) -> Result:
    run = seen["whole"]
    first = list(dict.fromkeys(call.seq for call in run.arrived))
    if not first:
        return NotJudged("no call ever came")
    wrong = next(((a, b) for a, b in itertools.pairwise(first) if b <= a), None)
    if wrong is None:
        return Pass(f"{len(first)} calls, seq {first[0]} to {first[-1]}")
    return Fail(
        f"seq {wrong[1]} came after {wrong[0]}",
        "a seq that grows from call to call",
        "Give a call its number and its place in the queue together, under one lock, and send them in that order.",
    )


def _attempt(seen: Seen) -> Result:
    for name in ("whole", "resume"):
        run = seen[name]
        if run.unable or not run.arrived:
            return NotJudged(run.unable or "no call ever came")
        wrong = next((call for call in run.arrived if call.body["attempt"] != run.attempt), None)
        if wrong is not None:
            return Fail(
                f"{wrong.name} says attempt {wrong.body['attempt']} while ATTEMPT is {run.attempt}",
                "every body carries ATTEMPT's number",
                "Read ATTEMPT and put it into each call.",
            )
    return Pass("every body carries ATTEMPT")


def _epochs(seen: Seen) -> Result:
    run = seen["whole"]
    told = [call.body.get("epoch") for call in run.epoch_calls()]
    if told == list(range(1, run.epochs + 1)):
        return Pass(f"each of {run.epochs} epochs with its metrics")
    return _unfinished(run) or Fail(
        f"heartbeats with metrics for the epochs {told}",
        f"one for each of 1 to {run.epochs}",
        "At each epoch's end send a heartbeat with epoch (from 1), epochs and metrics.",
    )


def _timer(seen: Seen) -> Result:
    run = seen["whole"]
    if (unfinished := _unfinished(run)) is not None:
        return unfinished
    until = next(call.at for call in run.arrived if call.kind == "done")
    times = [call.at for call in run.arrived if call.at <= until]
    gap = max((b - a for a, b in itertools.pairwise(times)), default=0.0)
    released = run.requests[0].at if run.requests else 0.0  # until then the storage was held back
    beats = [call for call in run.arrived if call.kind == "heartbeat" and 0 < released - call.at < run.timing.hold]
    wanted = run.timing.hold / run.timing.beat / 3
    if gap <= run.timing.silence and len(beats) >= wanted:
        return Pass(f"{len(beats)} heartbeats while its dataset was slow to come, and no gap over {gap:.1f} s")
    return Fail(
        f"with HEARTBEAT_SECONDS={run.timing.beat:g}: silent for {gap:.1f} s, and {len(beats)} heartbeats in "
        f"the {run.timing.hold:g} s that its dataset was slow to come",
        f"at least {wanted:.0f} of them, and no gap over {run.timing.silence:g} s",
        "Send heartbeats from a thread of their own, from the start to `done`: in downloads and long epochs, too.",
    )


def _strict(seen: Seen) -> Result:
    for run in seen.values():
        if run.problems:
            return Fail(
                f"{run.problems[0]} (in {run.scenario})",
                "strict JSON in the fields of the contract",
                "Correct the body; NaN, Infinity and -Infinity travel as the strings of that name.",
            )
    calls = sum(len(run.arrived) for run in seen.values())
    return Pass(f"{calls} calls in all runs, each as the contract has it") if calls else NotJudged("no call ever came")


def _nan(seen: Seen) -> Result:
    run, usual = seen["nan"], {name for call in seen["whole"].epoch_calls() for name in call.body["metrics"]}
    if run.unable:
        return NotApplicable(run.unable)
    if run.problems:
        return NotJudged("its calls were not as the contract has them")
    odd = sorted({str(value) for call in run.epoch_calls() for value in call.body["metrics"].values()} & _ODD)
    if odd:
        return Pass(f"sent as {' and '.join(odd)}")
    if run.status == "failed":
        said = any(word in run.words.lower() for word in ("nan", "inf", "finite", "diverge", "overflow"))
        return Pass("it failed and said so") if said else NotJudged(f"it failed for another reason: {run.end}")
    missing = sorted({name for call in run.epoch_calls() for name in usual - set(call.body["metrics"])})
    if missing or not run.epoch_calls():
        return Fail(
            f"with the highest learning rate {', '.join(missing) or 'all metrics'} vanished from its epochs",
            'a metric that is no number is sent as "NaN", or the run fails saying so',
            "Send every metric each epoch; spell what JSON lacks as text.",
        )
    return NotApplicable("no NaN came up, even with the highest learning rate")


_ODD = {"NaN", "Infinity", "-Infinity", "nan", "inf", "-inf"}


def _first_token(seen: Seen) -> Result:
    run = seen["whole"]
    renewed = run.moments.get("renewed")
    if renewed is None:
        return NotJudged("no epoch came in whose answer the token could be renewed")
    later = [call for call in run.arrived if call.at > renewed]
    wrong = [call for call in later[1:] if call.token == TOKEN]  # one may have been on its way already
    if not wrong:
        return Pass(f"{len(later)} calls with the new one") if later else NotJudged("no call came after it was renewed")
    return Fail(
        f"{len(wrong)} of {len(later)} calls after the renewal still used the old token",
        "an answer's token is used from then on",
        "Read `token` in every answer and, where there is one, use it for all later calls.",
    )


CLAUSES = (
    Clause("callbacks.running", "says running first", EVENTS, ("whole",), _running),
    Clause("callbacks.dataset-ready", "says dataset_ready", EVENTS, ("whole",), _dataset_ready),
    Clause("callbacks.order", "numbers its calls upwards", "a `seq` that grows", ("whole",), _order),
    Clause(
        "callbacks.attempt", "carries its attempt", "JSON with `attempt` and a `seq`", ("whole", "resume"), _attempt
    ),
    Clause("callbacks.epochs", "tells each epoch with metrics", "heartbeat every epoch", ("whole",), _epochs),
    Clause("callbacks.timer", "is never silent for long", "every epoch and on a timer thread", ("whole",), _timer),
    Clause("callbacks.json", "sends strict JSON", "JSON with the fields of the contract", ("whole", "nan"), _strict),
    Clause("callbacks.nan", "sends NaN as text", "Numbers that JSON lacks travel as strings.", ("whole", "nan"), _nan),
    Clause("callbacks.token", "uses a renewed token", "`token` replaces one about to expire", ("whole",), _first_token),
)
