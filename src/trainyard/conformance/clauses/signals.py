"""How it ends when it is told to: by a signal at any time, or in an answer."""

from collections.abc import Callable

from trainyard.conformance.evidence import Seen
from trainyard.conformance.verdict import Clause, Fail, NotJudged, Pass, Result

STOPS = "SIGTERM or SIGINT: stop, upload what is useful, `done cancelled`, remove temporary files, exit 143/130 (or 0)."
CODES = (143, 130, 0)


def _cancelled(scenario: str, after: str) -> Callable[[Seen], Result]:
    def judge(seen: Seen) -> Result:
        run = seen[scenario]
        if run.unable:
            return NotJudged(f"{run.unable}: {run.end}")
        took = run.moments.get("end", 0.0) - run.moments.get("stop", 0.0)
        if run.status == "cancelled" and run.code in CODES:
            return Pass(f"cancelled with code {run.code} after {took:.1f} s")
        return Fail(
            f"{after}: {run.end}" + (f", after {run.timing.grace:.0f} s" if run.code is None else ""),
            f"done cancelled and exit 143, 130 or 0 within {run.timing.grace:.0f} s",
            "Set the handler first; look at what it noted in each step and wait; leave no thread that delays the exit.",
        )

    return judge


def _uploading(seen: Seen) -> Result:
    run, usual = seen["stop-uploading"], seen["whole"]
    if run.succeeded and usual.key("best.pt") not in usual.stored:
        return NotJudged("it has no best.pt, whose upload it would have to wait for")
    if run.succeeded and run.key("best.pt") in run.stored:
        return Pass("its best.pt was there already, and it ended at once")
    return _cancelled("stop-uploading", "SIGTERM in an upload")(seen)


def _after_done(seen: Seen) -> Result:
    run = seen["storage-reset"]
    if "stop" not in run.moments:
        return NotJudged(f"done did not come again after its answer was lost: {run.end}")
    if run.code == 0:
        return Pass("it stayed with its end")
    if run.status != "succeeded":
        return NotJudged(f"the run did not succeed before: {run.end}")
    return Fail(
        f"SIGTERM after `done succeeded`: exit code {run.code}",
        "a signal after done changes nothing: exit 0",
        "Once training is over, let the handler do nothing.",
    )


def _clause(name: str, title: str, scenario: str, after: str) -> Clause:
    return Clause(f"signals.{name}", title, STOPS, (scenario,), _cancelled(scenario, after))


CLAUSES = (
    _clause("starting", "stops at its start", "stop-starting", "SIGTERM with its first call"),
    _clause("training", "stops in an epoch", "stop-training", "SIGTERM in an epoch"),
    Clause("signals.uploading", "stops in an upload that hangs", STOPS, ("stop-uploading", "whole"), _uploading),
    _clause("interrupt", "stops on SIGINT", "interrupt", "SIGINT in an epoch"),
    _clause("answer", "stops when an answer says so", "cancel-answer", "`cancel: true` in answers"),
    Clause("signals.after-done", "ignores a signal after done", STOPS, ("storage-reset",), _after_done),
)
