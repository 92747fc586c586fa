"""`trainyard logs`: what a job printed."""

import sys
import time
from typing import Annotated

import typer

from trainyard.cli.client import Client
from trainyard.cli.console import err
from trainyard.cli.stages import under_way
from trainyard.cli.which_job import find_job
from trainyard.cli.words import Job
from trainyard.contract.vocabulary import State
from trainyard.settings import load_settings

app = typer.Typer(add_completion=False, rich_markup_mode=None)
PIECE = 2**20
LARGEST_TAIL = 8 * 2**20
LOOK_SECONDS = 0.15


@app.command()
def logs(
    job: Annotated[str, typer.Argument(help="Its id, a beginning or end of it, or `last`.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the job has ended, or Ctrl+C.")] = False,
    tail: Annotated[int | None, typer.Option("--tail", "-n", min=0, help="Only the last so many lines.")] = None,
) -> None:
    """Print a job's log: everything its trainer printed, as it printed it.

    Example: trainyard logs last -f --tail 20
    """
    with Client(load_settings()) as client:
        found = find_job(client, job)["id"]
        offset = 0 if tail is None else _print_tail(client, found, tail)
        if follow:
            _follow(client, found, offset)
        elif tail is None:
            _print_all(client, found)


def print_as_it_comes(client: Client, job: Job) -> Job:
    """Everything its trainer prints, from the beginning to the job's end; before that, what it waits for."""
    with under_way("waiting for its turn", err()) as say:
        while job["state"] in (State.PENDING, State.QUEUED) and not _has_begun(client, job["id"]):
            say(job["message"] or "waiting for its turn")
            time.sleep(LOOK_SECONDS)
            job = client.get(f"/v1/jobs/{job['id']}")
    _follow(client, job["id"], 0)
    return client.get(f"/v1/jobs/{job['id']}")


def _has_begun(client: Client, job_id: str) -> bool:
    return bool(client.text(f"/v1/jobs/{job_id}/log", tail=1)[0])


def _follow(client: Client, job_id: str, offset: int) -> None:
    for text in client.log(job_id, lambda said: err().print(f"[dim]{said}[/]"), offset):
        _write(text)


def _print_all(client: Client, job_id: str) -> None:
    offset = 0
    while True:
        text, headers = client.text(f"/v1/jobs/{job_id}/log", offset=offset, limit=PIECE)
        _write(text)
        following = int(headers["X-Next-Offset"])
        if following == offset:
            return
        offset = following


def _print_tail(client: Client, job_id: str, lines: int) -> int:
    """Print the last lines, asking for more bytes until there are enough of them; where to go on from."""
    wanted = 64 * 1024
    while True:
        text, headers = client.text(f"/v1/jobs/{job_id}/log", tail=wanted)
        found = text.splitlines(keepends=True)
        if len(found) > lines or len(text.encode()) < wanted or wanted >= LARGEST_TAIL:
            _write("".join(found[len(found) - lines :] if lines < len(found) else found))
            return int(headers["X-Next-Offset"])
        wanted *= 2


def _write(text: str) -> None:
    # whatever a trainer prints may be asked for by a terminal that can't spell it
    sys.stdout.buffer.write(text.encode(sys.stdout.encoding or "utf-8", errors="replace"))
    sys.stdout.flush()
