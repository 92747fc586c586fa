"""Running a job in this terminal: registered at the backend, started here, its end awaited and told."""

import os
import time
from pathlib import Path
from typing import Any

from trainyard.cli.client import Client, Refused
from trainyard.cli.console import err
from trainyard.cli.request import Wanted
from trainyard.cli.stages import under_way
from trainyard.cli.submit import EXIT, send
from trainyard.cli.summary import print_summary
from trainyard.cli.terminal import run_in_terminal
from trainyard.cli.words import Goals, Job, is_over
from trainyard.contract.vocabulary import Execution, State
from trainyard.errors import Unavailable
from trainyard.settings import Settings

ASK_SECONDS = 0.1
QUIET_SECONDS = 1.0  # most turns come at once
END_SECONDS = 15.0  # from the trainer's end to the backend's knowing of it


def run_attached(settings: Settings, client: Client, wanted: Wanted, script: Path | None) -> int:
    """Blocks until the job has ended; the exit code to end with. Ctrl+C cancels it, whatever it is at."""
    body = wanted.body() | {"attached": True, "execution": Execution.LOCAL, "script": str(script) if script else None}
    job = send(client, body)
    err().print(f"[dim]job {job['id']}[/]")
    try:
        start = _wait_for_turn(client, job["id"])
    except KeyboardInterrupt:
        client.ask(f"/v1/jobs/{job['id']}/cancel")
        start = None
    status = None
    if start is not None:
        status = run_in_terminal(start["argv"], Path(start["cwd"]), os.environ | start["env"])
    try:
        job = _wait_for_end(client, job["id"])
        print_summary(err(), client, settings, job, Goals(client))
    except Unavailable as away:
        err().print(f"{away.message} It writes the end of {job['id']} down once it is back.")
        return 1 if status is None else status
    if status is not None and not job["callbacks"]:
        return status
    return EXIT.get(State(job["state"]), 1)


def _wait_for_turn(client: Client, job_id: str) -> dict[str, Any] | None:
    """What to start, once the job has its slot and its environment; None where it ended before."""
    quiet_until = time.monotonic() + QUIET_SECONDS
    with under_way("", err()) as say:
        while True:
            try:
                answer = client.ask(f"/v1/jobs/{job_id}/attach")
            except Refused as refusal:
                if refusal.status != 409:
                    raise
                return None
            if answer["ready"]:
                return answer
            if answer["message"] or time.monotonic() > quiet_until:
                say(answer["message"] or "waiting for its turn")
            time.sleep(ASK_SECONDS)


def _wait_for_end(client: Client, job_id: str) -> Job:
    """The job as it ended; as it is where that takes too long."""
    deadline = time.monotonic() + END_SECONDS
    while True:
        job: Job = client.get(f"/v1/jobs/{job_id}")
        if is_over(job) or time.monotonic() > deadline:
            return job
        time.sleep(ASK_SECONDS)
