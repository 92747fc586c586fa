"""`trainyard cancel`: ask jobs to stop."""

from typing import Annotated

import typer

from trainyard.cli.client import Client
from trainyard.cli.console import err, out
from trainyard.cli.which_job import find_job
from trainyard.cli.words import Job, is_over
from trainyard.errors import InvalidInput
from trainyard.settings import load_settings

app = typer.Typer(add_completion=False, rich_markup_mode=None)
ACTIVE = "PENDING,QUEUED,RUNNING"


@app.command()
def cancel(
    jobs: Annotated[list[str] | None, typer.Argument(help="Ids, unique parts of them, or `last`.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every job that has not ended.")] = False,
) -> None:
    """Ask jobs to stop. A trainer saves what is useful and ends; after the grace period it is killed.

    Example: trainyard cancel last
    """
    with Client(load_settings()) as client:
        if bool(jobs) == every:
            raise InvalidInput("Name the jobs to cancel, or --all of them.", hint="`trainyard jobs` lists them.")
        # all are found before any is stopped: a typing error in the second must not cost the first
        found = client.get("/v1/jobs", state=ACTIVE, limit=200)["items"] if every else _named(client, jobs or [])
        if not found:
            err().print("No job is active.")
        for job in found:
            _cancel(client, job)


def _named(client: Client, names: list[str]) -> list[Job]:
    return [find_job(client, name) for name in names]


def _cancel(client: Client, job: Job) -> None:
    if is_over(job):
        out().print(f"{job['id']} has ended already: {job['state']}.")
        return
    after: Job = client.ask(f"/v1/jobs/{job['id']}/cancel")
    if is_over(after):
        out().print(f"{job['id']} is {after['state']}.")
    else:
        out().print(f"{job['id']} was asked to stop.")
