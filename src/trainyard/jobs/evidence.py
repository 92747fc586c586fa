"""What is known of a job's end, as lines that can be shown: the trainer's words, and how its process ended."""

import re
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast

from trainyard.jobs.model import Job

LONGEST = 500  # of a line that is shown
MOST_LINES = 6
_TRACE = re.compile(r"^\[TRACE:[^\]]*\] ")
_PLACE = re.compile(r'^\s*File "([^"]+)", line (\d+)')


def words_of(job: Job) -> list[str]:
    """What the trainer said of its end, what says most first: its own account, the traceback from its end, the log."""
    fault = _map(job.evidence.get("error"))
    kind, message = text_of(fault.get("type")), text_of(fault.get("message"))
    traceback = text_of(job.evidence.get("traceback")) or text_of(fault.get("traceback"))
    lines = f"{kind}: {message}".strip(": ").splitlines()
    lines += traceback.splitlines()[::-1]
    if not lines:
        lines = [line for line in text_of(job.evidence.get("tail")).splitlines()[::-1] if _counts(line)]
    return [line for line in (*map(_bare, lines), *job.message.splitlines()) if line]


def _counts(line: str) -> bool:
    """Not a warning, nor what we wrote into the log."""
    return "] [trainyard] " not in line and "WARNING " not in line and "] DONE {" not in line


def last_lines(job: Job, log: str) -> list[str]:
    """The exception, or the last lines of the output; and how the process ended."""
    evidence = job.evidence
    said = words_of(job)[:1] if evidence.get("error") or evidence.get("traceback") else []
    text = text_of(evidence.get("tail")) or text_of(evidence.get("output")) or log
    if not said:
        said = [_bare(line) for line in text.splitlines() if line.strip() and _counts(line)][-3:]
    shown = [cut(line) for line in said if line]
    if "silent_seconds" in evidence:
        phase = text_of(evidence.get("last_phase"))
        shown.append(f"silent for {evidence['silent_seconds']} s" + (f", last phase: {phase}" if phase else ""))
    return [*shown, *how_it_ended(evidence)][-MOST_LINES:]


def how_it_ended(evidence: Mapping[str, Any]) -> list[str]:
    number, code = signal_in(evidence), evidence.get("exit_code")
    if number is not None:
        return [f"ended by {name_of(number)}"]
    return [f"exit code {code}"] if isinstance(code, int) else []


def signal_in(evidence: Mapping[str, Any]) -> int | None:
    number = evidence.get("signal")
    return number if isinstance(number, int) and number > 0 else None


def name_of(number: int) -> str:
    with suppress(ValueError):
        return f"signal {number} ({signal.Signals(number).name})"
    return f"signal {number}"


def place_in(evidence: Mapping[str, Any]) -> str:
    """The last place in the trainer's own code; that of a library says less."""
    traceback = text_of(evidence.get("traceback")) or text_of(_map(evidence.get("error")).get("traceback"))
    places = [match for line in traceback.splitlines() if (match := _PLACE.match(line))]
    own = [match for match in places if "/lib/python" not in match[1]]
    return f"{own[-1][1].rpartition('/')[2]} line {own[-1][2]}" if own else ""


def brief(job: Job) -> str:
    return next(iter(words_of(job)), "it gave no reason")[:LONGEST]


def _bare(line: str) -> str:
    return _TRACE.sub("", line).strip()


def cut(line: str) -> str:
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def text_of(value: object) -> str:
    return value if isinstance(value, str) else ""


def texts(value: object) -> list[str]:
    items = cast(list[object], value) if isinstance(value, list) else []
    return [text for item in items if (text := text_of(item))]


def _map(value: object) -> Mapping[str, Any]:
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}


def clock(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))
