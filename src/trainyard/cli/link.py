"""`trainyard link`: a link that opens the web page signed in, once."""

from typing import Annotated, Any

import typer

from trainyard.cli.client import Client
from trainyard.cli.console import err, out, print_json
from trainyard.settings import load_settings

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def link(
    user: Annotated[str | None, typer.Option("--user", help="Whose. Default: this token's own.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Make a link that signs in to the web page: once, within 15 minutes.

    Example: trainyard link --user kim
    """
    with Client(load_settings()) as client:
        made = make_link(client, user)
    if as_json:
        print_json(made)
    else:
        out().out(made["url"], highlight=False)
        err().print("Opens the page signed in: once, within 15 minutes.")


def make_link(client: Client, user: str | None = None) -> dict[str, Any]:
    return client.post("/v1/auth/links", {"user": user})
