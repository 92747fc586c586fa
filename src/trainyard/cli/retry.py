"""`trainyard retry`: the same training again, as a new job."""

import uuid
from typing import Annotated

import typer
from rich.markup import escape

from trainyard.cli import options
from trainyard.cli.client import Client
from trainyard.cli.console import err, out, print_json
from trainyard.cli.request import parse_assignments
from trainyard.cli.submit import watch_to_the_end
from trainyard.cli.which_job import find_job
from trainyard.cli.words import Job
from trainyard.settings import load_settings

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def retry(
    job: Annotated[str, typer.Argument(help="Its id, a beginning or end of it, or `last`.")],
    assignments: options.Assignments = None,
    follow: options.Watch = False,
    as_json: options.AsJson = False,
) -> None:
    """Train the same again from the beginning, with other parameters where they are given; a new job.

    Example: trainyard retry last --set batch_size=8
    """
    settings = load_settings()
    with Client(settings) as client:
        parent = find_job(client, job)
        once = {"Idempotency-Key": str(uuid.uuid4())}
        body = {"params": parse_assignments(assignments)}
        child: Job = client.post(f"/v1/jobs/{parent['id']}/retry", body, headers=once)
        if as_json and not follow:
            print_json(child)
            return
        out().print(f"{child['id']}  {child['url']}")
        err().print(escape(child["message"]))
        if follow:
            raise typer.Exit(watch_to_the_end(client, settings, child))
