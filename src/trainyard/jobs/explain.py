"""Why a job is as it is: what happened, the lines that show it, what to do, and what to try. Pure: from its row alone.

The state machine has given the reason by then; a trainer's own words say more, and jobs/causes.py knows many of them.
What an executor knows better stands in the evidence: `lines` that show it, and a `hint`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from trainyard.contract.manifest import Parameter
from trainyard.contract.vocabulary import Reason, State
from trainyard.jobs import causes
from trainyard.jobs.cause_names import CauseName
from trainyard.jobs.evidence import (
    brief,
    clock,
    cut,
    how_it_ended,
    last_lines,
    name_of,
    place_in,
    signal_in,
    text_of,
    texts,
    words_of,
)
from trainyard.jobs.model import Job
from trainyard.jobs.reasons import ADVICE, OURS, WANTS_LOG, Advice
from trainyard.jobs.remedies import Knobs, Remedy, again, with_params


@dataclass(frozen=True, slots=True)
class Explanation:
    state: State
    reason: Reason | None
    cause: CauseName  # where more is known than the reason
    what: str
    evidence: list[str]
    advice: str
    remedy: Remedy | None = None
    parameter: str | None = None  # the one that was refused


def wants_log(job: Job) -> bool:
    """Its evidence lacks the trainer's last words, and they would say something."""
    return job.reason in WANTS_LOG and not job.evidence.get("tail") and not job.evidence.get("traceback")


def explain(
    job: Job, declared: Mapping[str, Parameter], lost: Mapping[str, str] | None = None, log: str = ""
) -> Explanation:
    """`declared`: its trainer's parameters; `lost`: metrics that ended as NaN or infinite; `log`: its log's end."""
    if not job.state.is_terminal:
        return _open(job)
    losses = [f"{name}: {value}" for name, value in (lost or {}).items() if "loss" in name.lower()]
    if job.state is State.SUCCEEDED:
        return _succeeded(job, losses, Knobs(job.params, declared))
    if job.state is State.CANCELLED:
        return _cancelled(job)
    return _failed(job, losses, log, Knobs(job.params, declared))


# -- not failed -----------------------------------------------------------------------------------------------------


def _open(job: Job) -> Explanation:
    if job.cancel_requested_at is not None:
        return Explanation(job.state, None, "stopping", "It was asked to stop and has not ended yet.", [], "")
    if job.state is not State.RUNNING:
        preparing = job.claim > 0
        what = job.message or ("It is about to start." if preparing else "It waits for its turn.")
        advice = f"It starts by itself; `trainyard cancel {job.id}` takes it out of the queue."
        return Explanation(job.state, None, "preparing" if preparing else "waiting", what, [], advice)
    doing = ", ".join(
        filter(None, (job.phase, f"epoch {job.epoch} of {job.epochs}" if job.epoch and job.epochs else ""))
    )
    if job.stuck_since is not None:
        what = f"It is running ({doing or 'no phase told'}) and uses the processor, but has said nothing for long."
        advice = f"It may be at work on something long: `trainyard logs {job.id} -f`. If not, cancel it."
        return Explanation(job.state, None, "stuck", what, [f"silent since {clock(job.stuck_since)}"], advice)
    what = f"It is running: {doing}." if doing else "It is running."
    return Explanation(job.state, None, "running", what, [], f"`trainyard logs {job.id} -f` follows it.")


def _succeeded(job: Job, losses: list[str], knobs: Knobs) -> Explanation:
    if not losses:
        return Explanation(job.state, job.reason, "", "It completed.", [], "")
    what = "It completed, but its loss became NaN or infinite: what it learned is probably of no use."
    advice = "Lower learning_rate to a tenth of what it was. If that changes nothing, look for broken labels."
    return Explanation(job.state, job.reason, "nan", what, losses, advice, with_params(job, knobs.gentler_rate()))


def _cancelled(job: Job) -> Explanation:
    if job.reason is Reason.CANCELLED_BY_USER:
        what = "Somebody asked it to stop, through the command line, the page or the API."
        lines = [f"asked at {clock(job.cancel_requested_at)}"] if job.cancel_requested_at is not None else []
    else:
        what = "A signal from outside stopped it: Ctrl+C in its terminal, or a program that ended it; not trainyard."
        lines = how_it_ended(job.evidence)
    advice = "Nothing is wrong with it."
    return Explanation(job.state, job.reason, "", what, [*lines, *_no_repeat(job, what)], advice, again(job))


def _no_repeat(job: Job, what: str) -> list[str]:
    return [job.message] if job.message and job.message not in what else []


# -- failed ---------------------------------------------------------------------------------------------------------


def _failed(job: Job, losses: list[str], log: str, knobs: Knobs) -> Explanation:
    evidence = job.evidence
    hint = text_of(evidence.get("hint"))
    shown = [cut(line) for line in texts(evidence.get("lines"))]
    if hint or shown:  # an executor that knows: nothing here knows better
        what = job.message.removesuffix(hint).strip()
        return _of_advice(job, ADVICE[_reason(job)], knobs, what, shown or last_lines(job, log), hint)
    if job.reason is Reason.BAD_CONFIGURATION:
        return _configuration(job, knobs)
    if job.reason in OURS:
        return _of_advice(job, ADVICE[_reason(job)], knobs, job.message, last_lines(job, log))
    if evidence.get("killed_for_memory"):
        found = causes.Found(causes.MEMORY[-1], job.message)
        return _of_cause(job, found, knobs, job.message.partition(". ")[0] + ".")
    found = causes.find(words_of(job))
    if found is not None:
        return _of_cause(job, found, knobs)
    if losses and job.reason is Reason.TRAINER_ERROR:
        what = f"The trainer failed after its loss had become NaN or infinite: {brief(job)}"
        return _of_cause(job, causes.Found(causes.NUMBERS[0], losses[0]), knobs, what)
    if job.reason is Reason.TRAINER_ERROR:
        return _crashed(job, knobs)
    return _of_advice(job, ADVICE[_reason(job)], knobs, job.message, last_lines(job, log))


def _reason(job: Job) -> Reason:
    return job.reason or Reason.TRAINER_ERROR


def _of_advice(job: Job, advice: Advice, knobs: Knobs, what: str, lines: list[str], hint: str = "") -> Explanation:
    remedy = with_params(job, advice.change(knobs)) if advice.change else None
    remedy = remedy or (again(job) if advice.again else None)
    return Explanation(job.state, job.reason, "", what, lines, hint or advice.text, remedy)


def _of_cause(job: Job, found: causes.Found, knobs: Knobs, what: str = "") -> Explanation:
    cause, words = found.cause, {"framework": job.framework, "job": job.id} | found.words
    remedy = with_params(job, cause.change(knobs)) if cause.change else again(job) if cause.again else None
    lines = [cut(found.line), *(line for line in how_it_ended(job.evidence) if line not in found.line)]
    advice = cause.advice.format_map(words)
    return Explanation(job.state, job.reason, cause.name, what or cause.what.format_map(words), lines, advice, remedy)


def _crashed(job: Job, knobs: Knobs) -> Explanation:
    place = place_in(job.evidence)
    when = f" after epoch {job.epoch}" if job.epoch else ""
    what = f"The trainer crashed{when}{f' at {place}' if place else ''}: {brief(job)}"
    number = signal_in(job.evidence)
    advice = ADVICE[Reason.TRAINER_ERROR]
    hint = ""
    if number is not None:
        what = f"The trainer's process was ended by {name_of(number)}{when}, which is a crash outside of Python."
        hint = (
            "A compiled package is at fault, or the memory it shares: try fewer workers or another version of the "
            "package; PYTHONFAULTHANDLER=1 shows where."
        )
    return _of_advice(job, advice, knobs, what, last_lines(job, ""), hint)


def _configuration(job: Job, knobs: Knobs) -> Explanation:
    """The line that names a variable, in the words of whoever sets it."""
    line = next((line for line in words_of(job) if knobs.parameter_in(line)), job.message)
    found = causes.find([line])
    if found is not None and found.cause.name in ("checkpoint_fit", "no_gpu"):
        return _of_cause(job, found, knobs)
    lines = [cut(line), *how_it_ended(job.evidence)]
    name = knobs.parameter_in(line)
    if name is None:
        what = f"The trainer was not content with its settings: {line}"
        return Explanation(job.state, job.reason, "setting", what, lines, ADVICE[Reason.BAD_CONFIGURATION].text)
    allowed = knobs.may_be(name)
    rule = f" Its trainer.toml allows {allowed}." if allowed else ""
    what = f"The trainer did not accept the parameter {name} = {job.params.get(name)}."
    advice = f"Choose another value for {name}.{rule}"
    remedy = with_params(job, knobs.default_of(name))
    return Explanation(job.state, job.reason, "parameter", what, lines, advice, remedy, name)
