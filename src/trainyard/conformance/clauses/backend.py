"""What it does when the backend errs, is slow, refuses it or is away."""

import itertools

from trainyard.conformance.evidence import Evidence, Seen
from trainyard.conformance.recorder import Call
from trainyard.conformance.verdict import Clause, Fail, NotApplicable, NotJudged, Pass, Result

IDEMPOTENT = "Every call is idempotent by (job, attempt, seq)."
SPOOL = (
    "A trainer that can't reach the backend keeps training, keeps its calls in a bounded spool and sends them later."
)
FEW = 5


def _copies(run: Evidence, seq: int) -> list[Call]:
    return [call for call in run.arrived if call.seq == seq]


def _again(runs: list[Evidence], kind: str, what: str) -> Result:
    """Whether each mistreated call came again, with the same number and the same body."""
    chosen = [(run, seq) for run in runs for seq in run.chosen.get(kind, ())]
    if not chosen:
        return NotJudged("no call came that could be mistreated")
    for run, seq in chosen:
        copies = _copies(run, seq)
        differs = any(copy.body != copies[0].body for copy in copies)
        if len(copies) < 2 or differs or (kind == "error" and seq not in {call.seq for call in run.taken}):
            return Fail(
                f"{copies[0].name} (seq {seq}) {what} and {'came again with another body' if differs else 'was lost'}",
                "the same seq again with the same body, until it is taken",
                "Keep a call until it was answered with 2xx; send it again as it was, with growing pauses.",
            )
    names = ", ".join(_copies(run, seq)[0].name for run, seq in chosen)
    return Pass(f"sent again unchanged: {names}")


def _lost(seen: Seen) -> Result:
    return _again([seen["backend-trouble"], seen["storage-reset"]], "lost", "lost its answer")


def _errors(seen: Seen) -> Result:
    return _again([seen["backend-trouble"]], "error", "was answered with 5xx")


def _slow(seen: Seen) -> Result:
    run = seen["backend-trouble"]
    slow = run.chosen.get("slow", ())
    if not slow:
        return NotJudged("no second epoch came that could be answered slowly")
    call = _copies(run, slow[0])[0]
    content = {name: value for name, value in call.body.items() if name != "seq"}
    if call.kind == "heartbeat" and not call.is_epoch:
        twins: list[Call] = []  # two timer heartbeats may well say the same
    else:
        twins = [
            other
            for other in run.arrived
            if other.seq != call.seq and {name: value for name, value in other.body.items() if name != "seq"} == content
        ]
    after = [other for other in run.arrived if other.at > call.at and other.seq != call.seq]
    if not twins and after:
        return Pass(f"{call.name} was answered late, and all went on")
    return Fail(
        f"{call.name} came twice, as seq {call.seq} and {twins[0].seq}" if twins else f"no call came after; {run.end}",
        "it waits, or sends the same seq again",
        "Wait 10 s for an answer; after a timeout send the call again under the number it has.",
    )


def _goes_on(seen: Seen) -> Result:
    run = seen["backend-trouble"]
    away, back = run.moments.get("away"), run.moments.get("back")
    if away is None or back is None:
        return NotJudged("no third epoch came from which on the backend could be away")
    uploads = run.uploads()
    on_its_way = min(2.0, (back - away) / 3)  # an upload of the epoch before proves nothing
    meanwhile = [at for at in uploads if away + on_its_way <= at <= back]
    later = [at for at in uploads if at > back]
    if not uploads:
        return NotJudged("it uploads nothing from which its progress could be seen")
    if meanwhile or not later:
        what = f"{len(meanwhile)} uploads meanwhile" if meanwhile else "it had trained to its end by then"
        return Pass(f"away for {back - away:.0f} s: {what}")
    pace = max((b.at - a.at for a, b in itertools.pairwise(seen["whole"].epoch_calls())), default=0.0)
    if pace * 2 > back - away:
        return NotApplicable(f"its epochs take {pace:.0f} s, too long to see it in {back - away:.0f} s: raise --away")
    return Fail(
        f"while the backend was away for {back - away:.0f} s it uploaded nothing; afterwards it went on",
        "training goes on while the backend is away",
        "Hand calls to a thread that sends them; never wait for an answer in the training loop.",
    )


def _delivers(seen: Seen) -> Result:
    run = seen["backend-trouble"]
    if "away" not in run.moments:
        return NotJudged("no third epoch came from which on the backend could be away")
    usual = seen["whole"]
    told = {call.body.get("epoch") for call in run.arrived if call.is_epoch}
    measured = {call.body["data"].get("epoch") for call in run.arrived if call.name == "validation"}
    wanted = set(range(1, run.epochs + 1))
    # what it never tells, backend or not, is another clause's
    epochs_usual = len(usual.epoch_calls()) == usual.epochs
    validates = len(list(usual.events("validation"))) == usual.epochs
    lacking = [f"epoch {epoch}" for epoch in sorted(wanted - told)] if epochs_usual else []
    lacking += [f"validation {epoch}" for epoch in sorted(wanted - measured)] if validates else []
    lacking += [] if run.done else ["done"]
    checkpoints = {str(call.body["data"].get("key")) for call in run.arrived if call.name == "checkpoint"}
    best = {run.key(name) for name in ("best.pt", "last.pt")} & set(run.stored)
    announced_elsewhere = any(usual.events("checkpoint"))
    lacking += [key.rpartition("/")[2] for key in sorted(best - checkpoints)] if announced_elsewhere else []
    if not lacking:
        return Pass(f"all was told once it was back, {len(run.taken)} calls")
    return Fail(
        f"never arrived: {', '.join(lacking)}; {run.end}",
        "everything that was told while the backend was away arrives when it is back",
        "Keep the calls in order, try again at least each 15 s, and wait for them at the end (a minute, say).",
    )


def _refused(seen: Seen) -> Result:
    run = seen["refused"]
    if "refused" not in run.moments:
        return NotJudged("no epoch came whose call could be refused")
    receipt = run.receipt() or {}
    after = [call for call in run.arrived if call.at > run.moments["refused"]]
    if run.code == 0 and len(after) > FEW:
        return Fail(
            f"after a 401 it called {len(after)} more times, the last was {after[-1].name}",
            f"at most {FEW} more calls, which were on their way: this token never counts again",
            "Stop calling, say so once, train on; the receipt tells the end.",
        )
    if run.code == 0 and any(run.key(name) in run.stored for name in ("best.pt", "last.pt")):
        return Pass(f"it trained to its end, left its checkpoint, and called {len(after)} more times")
    return Fail(
        f"after a 401 in an epoch: exit code {run.code}, receipt {receipt.get('status', 'none')}",
        "a token that no longer counts does not stop the training",
        "Stop calling, say so once, train on; the receipt tells the end.",
    )


TROUBLE = ("backend-trouble",)
CLAUSES = (
    Clause("backend.lost-answer", "repeats a call unanswered", IDEMPOTENT, (*TROUBLE, "storage-reset"), _lost),
    Clause("backend.server-error", "repeats a call after 5xx", IDEMPOTENT, TROUBLE, _errors),
    Clause("backend.slow-answer", "bears slow answers", IDEMPOTENT, TROUBLE, _slow),
    Clause("backend.away-training", "trains on while it is away", SPOOL, (*TROUBLE, "whole"), _goes_on),
    Clause("backend.away-delivery", "tells all once it is back", SPOOL, (*TROUBLE, "whole"), _delivers),
    Clause("backend.refused-token", "trains on after a 401", SPOOL, ("refused",), _refused),
)
