"""`trainyard down`: ends the local services, and asks first when jobs are active."""

import math
import sys
import time
from typing import Annotated, Any

import typer
from rich.markup import escape

from trainyard.cli.client import Client
from trainyard.cli.cluster import cluster_down
from trainyard.cli.console import err
from trainyard.errors import Conflict, TrainyardError, Unavailable
from trainyard.settings import Settings, load_settings
from trainyard.stack.control import take_down
from trainyard.stack.state import read_stack

app = typer.Typer(add_completion=False, rich_markup_mode=None)
ACTIVE = "PENDING,QUEUED,RUNNING"


@app.command()
def down(
    force: Annotated[bool, typer.Option("--force", "-f", help="Cancel active jobs first, without asking.")] = False,
    k8s: Annotated[bool, typer.Option("--k8s", help="Delete the kind cluster of `up --k8s`, data included.")] = False,
) -> None:
    """Stop every local service. Data stays.

    Example: trainyard down --force
    """
    settings = load_settings()
    if k8s:
        _delete_cluster(force)
        return
    if read_stack(settings.data_dir).running():
        _settle_jobs(settings, force)
    ended: list[str] = []
    if take_down(settings, ended.append):
        err().print(f"Ended: {', '.join(ended) or 'the supervisor'}.")
    else:
        err().print("Nothing is running.")


def _delete_cluster(force: bool) -> None:
    warning = "Delete the cluster with its jobs, datasets and checkpoints?"
    if not force and not (sys.stdin.isatty() and typer.confirm(warning, err=True)):
        raise Conflict(
            "Nothing was deleted: with the cluster go its jobs, datasets and checkpoints.",
            hint="`trainyard down --k8s --force` deletes it.",
        )
    deleted = cluster_down(lambda line: err().out(line, highlight=False))
    err().print("Deleted the kind cluster." if deleted else "There is no kind cluster of ours.")


def _settle_jobs(settings: Settings, force: bool) -> None:
    """No job is active after this; Conflict where the user would rather keep them."""
    try:
        client = Client(settings, timeout=10)
        jobs, number = _active(client)
    except TrainyardError as error:
        if not force and not isinstance(error, Unavailable):
            raise
        err().print(f"The backend cannot be asked about jobs ({escape(error.message)}): active ones go on without it.")
        return
    with client:
        if not jobs:
            return
        names = ", ".join(job["id"] for job in jobs[:5]) + (" …" if number > 5 else "")
        err().print(f"{number} active {'job' if number == 1 else 'jobs'}: {names}")
        if not force and not (sys.stdin.isatty() and typer.confirm("Cancel them and stop the services?", err=True)):
            raise Conflict(
                "Nothing was stopped: jobs are active.",
                hint="`trainyard down --force` cancels them properly first; or wait until they have ended.",
            )
        _cancel(client, settings, jobs)


def _active(client: Client) -> tuple[list[dict[str, Any]], int]:
    """The newest of them, which are cancelled before they get the place of one that ended; and how many there are."""
    found = client.get("/v1/jobs", state=ACTIVE, limit=200)
    return found["items"], found["total"]


def _cancel(client: Client, settings: Settings, jobs: list[dict[str, Any]]) -> None:
    """Until none is active. Raises when none has ended for as long as one may take."""
    fewest, deadline = math.inf, 0.0
    asked: set[str] = set()
    while jobs:
        for job in jobs:
            if job["id"] not in asked:
                asked.add(job["id"])
                client.ask(f"/v1/jobs/{job['id']}/cancel")
        before, (jobs, number) = time.monotonic(), _active(client)
        if number < fewest:
            fewest, deadline = number, before + settings.grace_seconds + 30
        if jobs and before > deadline:
            raise TrainyardError(
                f"Still not ended: {', '.join(job['id'] for job in jobs[:5])}.",
                hint="`trainyard logs JOB` shows what it does; `trainyard down --force` tries again.",
            )
        if jobs:
            time.sleep(0.2)
    err().print(f"Cancelled {len(asked)}.")
