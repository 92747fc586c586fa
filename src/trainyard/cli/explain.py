"""`trainyard explain`: why a job is as it is, and what to do about it."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from trainyard.cli.client import Client
from trainyard.cli.console import out, print_json
from trainyard.cli.which_job import find_job
from trainyard.cli.words import Job, state_text
from trainyard.contract.vocabulary import Reason
from trainyard.settings import load_settings

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def explain(
    job: Annotated[str, typer.Argument(help="Its id, a beginning or end of it, or `last`.")] = "last",
    as_json: Annotated[bool, typer.Option("--json", help="The explanation as one JSON document.")] = False,
) -> None:
    """Why a job failed, waits or was stopped: what happened, the lines that show it, and what to do.

    Example: trainyard explain last
    """
    with Client(load_settings()) as client:
        found = find_job(client, job)
        told = explanation(client, found)
        if as_json:
            print_json(told)
            return
        out().print(state_text(found), Text(f" {found['id']}"), sep="")
        print_explanation(out(), told)


def explanation(client: Client, job: Job) -> dict[str, Any]:
    return client.get(f"/v1/jobs/{job['id']}/explanation")


def print_explanation(console: Console, told: dict[str, Any]) -> None:
    """The sentence, the lines that show it, what to do, and what to type."""
    went_well = told["reason"] in (None, Reason.COMPLETED)
    reason = "" if went_well else f"[bold]{told['reason']}[/] "
    console.print(f"  {reason}{escape(told['what'])}")
    for line in told["evidence"]:
        console.print(Text(f"  │ {line}", "dim"))
    print_advice(console, told)


def print_advice(console: Console, told: dict[str, Any]) -> None:
    if told["advice"]:
        console.print(f"  {escape(told['advice'])}")
    if told["remedy"]:
        console.print(f"  → {escape(told['remedy']['command'])}")
