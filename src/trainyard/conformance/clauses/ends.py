"""How it ends by itself: exit codes, done, the receipt, its lines."""

from trainyard.conformance.evidence import Seen
from trainyard.conformance.verdict import Clause, Fail, NotJudged, Pass, Result
from trainyard.contract.keys import receipt_mark

CODES = "0 success, 2 bad configuration (one line naming the variable), anything else a failure."
DONE = "done: {status, metrics, checkpoint, mlflow_run_id, error{type, message, traceback}}"
RECEIPT = "Its last line on stdout repeats the `done` body as `[TRACE:{trace_id}] DONE {json}`."


def _success(seen: Seen) -> Result:
    run = seen["whole"]
    if run.succeeded:
        return Pass(f"exit 0 and done succeeded after {run.seconds:.1f} s")
    said = str(run.fault.get("message") or (run.stderr.strip().splitlines() or ["nothing"])[-1])
    return Fail(
        f"{run.end}; it said: {said[:200]}",
        "exit 0 and done succeeded",
        "Look at stdout, stderr and callbacks.json of this run.",
    )


def _receipt(seen: Seen) -> Result:
    run = seen["whole"]
    if run.done is None:
        return NotJudged(f"done never came: {run.end}")
    if run.receipt() == run.done:
        return Pass("its last line is done's body")
    last = (run.stdout.strip().splitlines() or ["nothing"])[-1]
    return Fail(
        f"its last line is {last[:120]}",
        f"{receipt_mark(run.trace_id)}{{the very body of done}}",
        "Print it as the last thing, after every other line.",
    )


def _lines(seen: Seen) -> Result:
    run = seen["whole"]
    mark = f"[TRACE:{run.trace_id}]"
    lines = [line for line in run.stdout.splitlines() if not line.startswith(receipt_mark(run.trace_id))]
    marked = [line for line in lines if line.startswith(mark)]
    if marked:
        return Pass(f"{len(marked)} lines of its own begin with it")
    if not lines:
        return NotJudged("it printed nothing but its receipt")
    return Fail(
        f"none of its {len(lines)} lines begins with [TRACE:…]; the first is {lines[0][:80]}",
        f"lines of its own begin with {mark}",
        "Print through one function that puts TRACE_ID before each line.",
    )


def _failed_code(seen: Seen) -> Result:
    run = seen["dataset-broken"]
    if run.code in (0, 2):
        return Fail(
            f"with a broken dataset it exits with {run.code}",
            "a code that is neither 0 (success) nor 2 (configuration)",
            "Exit with 1 when training fails.",
        )
    return NotJudged(run.end) if run.code is None else Pass(f"exit {run.code} after a failure")


def _failed_done(seen: Seen) -> Result:
    run = seen["dataset-broken"]
    if run.done is None:
        return Fail(
            "done never came after a failure", "done failed with its error", "Send done from an outermost catch."
        )
    if run.status != "failed":
        return NotJudged(f"it did not fail: {run.end}")
    lacking = [name for name in ("type", "traceback") if not run.fault.get(name)]
    if not lacking:
        return Pass(f"done failed with a {run.fault['type']} and its traceback")
    return Fail(
        f"done failed lacks error.{' and error.'.join(lacking)}",
        "error{type, message, traceback}",
        "Fill them from the exception; a language without tracebacks says where it failed.",
    )


def _done_once(seen: Seen) -> Result:
    told = [run for run in seen.values() if run.done]
    for run in told:
        ends = {call.seq: str(call.body["status"]) for call in run.arrived if call.kind == "done"}
        if len(ends) > 1:
            return Fail(
                f"{len(ends)} calls of done: {', '.join(ends.values())} (in {run.scenario})",
                "done is one call; only a repetition under the same seq is no second one",
                "End in one place only, which signals and failures lead to as well.",
            )
    return Pass(f"one done in each of {len(told)} runs") if told else NotJudged("done never came")


BROKEN = ("dataset-broken",)
CLAUSES = (
    Clause("ends.success", "ends with 0 and done succeeded", CODES, ("whole",), _success),
    Clause("ends.receipt", "prints its receipt last", RECEIPT, ("whole",), _receipt),
    Clause("ends.lines", "begins its lines with its trace", "lines of its own begin", ("whole",), _lines),
    Clause("ends.failed-code", "exits with 1 when it fails", CODES, BROKEN, _failed_code),
    Clause("ends.failed-done", "tells its failure in done", DONE, BROKEN, _failed_done),
    Clause("ends.done-once", "says done once", DONE, ("whole", "dataset-broken", "stop-training"), _done_once),
)
