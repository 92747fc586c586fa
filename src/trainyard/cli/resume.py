"""`trainyard resume`: go on from a job's checkpoint, as a new job."""

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
def resume(
    job: Annotated[str, typer.Argument(help="Its id, a beginning or end of it, or `last`.")],
    epochs: Annotated[
        int | None, typer.Option("--epochs", "-e", min=1, help="Default: on to its planned epochs.")
    ] = None,
    checkpoint: Annotated[
        str, typer.Option("--from", metavar="last|best|K", help="Which checkpoint; K: the one of epoch K.")
    ] = "last",
    assignments: options.Assignments = None,
    follow: options.Watch = False,
    as_json: options.AsJson = False,
) -> None:
    """Go on where a job was interrupted, or train a finished one for more epochs; a new job, with this one as parent.

    Example: trainyard resume last; trainyard resume last --from best --epochs 5
    """
    settings = load_settings()
    body = {
        "checkpoint": f"epoch-{checkpoint}" if checkpoint.isdecimal() else checkpoint,
        "epochs": epochs,
        "params": parse_assignments(assignments),
    }
    with Client(settings) as client:
        parent = find_job(client, job)
        once = {"Idempotency-Key": str(uuid.uuid4())}
        child: Job = client.post(f"/v1/jobs/{parent['id']}/resume", body, headers=once)
        if as_json and not follow:
            print_json(child)
            return
        out().print(f"{child['id']}  {child['url']}")
        err().print(escape(child["message"]))
        if follow:
            raise typer.Exit(watch_to_the_end(client, settings, child))
