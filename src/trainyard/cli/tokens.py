"""`trainyard tokens`: API tokens for scripts and other machines."""

from typing import Annotated, Any

import typer
from rich.markup import escape

from trainyard.cli.client import Client
from trainyard.cli.console import err, out, print_json
from trainyard.cli.fit import Column, print_table
from trainyard.cli.words import ago
from trainyard.errors import InvalidInput
from trainyard.settings import load_settings

_HELP = """Add, list and revoke your API tokens. TRAINYARD_TOKEN hands one to the CLI on another machine.

Example: trainyard tokens add nightly --project default --role member --days 90
"""
app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None, help=_HELP)
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document.")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    project: Annotated[
        str | None, typer.Option("--project", help="For this project only. Default: all of yours.")
    ] = None,
    role: Annotated[str | None, typer.Option("--role", help="At most viewer, member or admin. Default: yours.")] = None,
    days: Annotated[int | None, typer.Option("--days", min=1, help="How long. Default: until it is revoked.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a token. It is shown this once; only its hash is kept.

    Example: trainyard tokens add nightly --project default --role member
    """
    wanted = {"name": name, "project_id": project, "role": role, "days": days}
    with Client(load_settings()) as client:
        made = client.post("/v1/tokens", wanted)
    if as_json:
        print_json(made)
    else:
        out().out(made["token"], highlight=False)
        err().print("This is the only time that it is shown. `trainyard tokens revoke` ends it.")


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List your tokens.

    Example: trainyard tokens list
    """
    with Client(load_settings()) as client:
        found: list[dict[str, Any]] = client.get("/v1/tokens")["items"]
    if as_json:
        print_json(found)
    elif not found:
        out().print("No tokens yet. `trainyard tokens add NAME` makes one.")
    else:
        columns = [
            Column("token", [f"{one['prefix']}…" for one in found]),
            Column("for", [one["name"] for one in found], 1),
            Column("project", [one["project_id"] or "all" for one in found], 2),
            Column("role", [one["role"] or "yours" for one in found], 3),
            Column(">used", [ago(one["last_used_at"]) if one["last_used_at"] else "never" for one in found], 4),
        ]
        print_table(out(), columns)


@app.command()
def revoke(token: Annotated[str, typer.Argument(help="Its name, or how it begins.")]) -> None:
    """End a token at once.

    Example: trainyard tokens revoke nightly
    """
    with Client(load_settings()) as client:
        begins = token.rstrip("…")
        known = client.get("/v1/tokens")["items"]
        found = [one for one in known if token in (one["name"], one["id"]) or one["prefix"] == begins]
        if len(found) != 1:
            many = f"{len(found)} tokens are called {token}" if found else f"You have no token {token}"
            raise InvalidInput(f"{many}.", hint="`trainyard tokens list` shows them; name one by its beginning.")
        client.delete(f"/v1/tokens/{found[0]['id']}")
    out().print(f"{escape(found[0]['name'])} ({found[0]['prefix']}…) is revoked.")
