"""`trainyard users`: who may sign in to this installation."""

import sys
from typing import Annotated, Any

import typer
from rich.markup import escape

from trainyard.cli.client import Client
from trainyard.cli.console import out, print_json
from trainyard.cli.fit import Column, print_table
from trainyard.cli.link import make_link
from trainyard.cli.words import ago
from trainyard.errors import InvalidInput
from trainyard.settings import load_settings

_HELP = """Add, list and disable users, and set their passwords. For administrators.

Example: trainyard users add kim --project default
"""
app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None, help=_HELP)
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document.")]
Name = Annotated[str, typer.Argument(help="The name they sign in with.")]


@app.command()
def add(
    name: Name,
    administrator: Annotated[bool, typer.Option("--administrator", help="Of this installation: may do all.")] = False,
    project: Annotated[str | None, typer.Option("--project", help="Take them into this project too.")] = None,
    role: Annotated[str, typer.Option("--role", help="There: viewer, member or admin.")] = "member",
    as_json: AsJson = False,
) -> None:
    """Add a user, and make the link they sign in with the first time; there they may set a password.

    Example: trainyard users add kim --project default --role member
    """
    with Client(load_settings()) as client:
        made = client.post("/v1/users", {"name": name, "administrator": administrator})
        if project is not None:
            client.request("PUT", f"/v1/projects/{project}/members/{made['name']}", json={"role": role})
        link = make_link(client, made["name"])
    if as_json:
        print_json(made | {"link": link["url"]})
        return
    where = f" as {role} of {escape(project)}" if project else ""
    out().print(f"{escape(made['name'])} is added{where}. Their link, good once within 15 minutes:")
    out().out(link["url"], highlight=False)
    if project is None and not administrator:
        out().print("They are in no project yet: the page's settings, or `trainyard users role`, put them into one.")


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List the users.

    Example: trainyard users list
    """
    with Client(load_settings()) as client:
        found: list[dict[str, Any]] = client.get("/v1/users")["items"]
    if as_json:
        print_json(found)
        return
    columns = [
        Column("user", [one["name"] for one in found]),
        Column("is", [_is(one) for one in found], 1),
        Column("password", ["yes" if one["has_password"] else "no" for one in found], 3),
        Column(">seen", [ago(one["seen_at"]) if one["seen_at"] else "never" for one in found], 2),
    ]
    print_table(out(), columns)


@app.command()
def role(
    name: Name,
    project: Annotated[str, typer.Argument(help="The project's id.")],
    role: Annotated[str, typer.Argument(help="viewer, member, admin; or none, to take them out.")],
) -> None:
    """Take a user into a project, change their role there, or take them out.

    Example: trainyard users role kim default viewer
    """
    path = f"/v1/projects/{_plain(project)}/members/{_plain(name)}"
    with Client(load_settings()) as client:
        if role == "none":
            client.delete(path)
        else:
            client.request("PUT", path, json={"role": role})
    out().print(f"{name} is {'not in' if role == 'none' else f'{role} of'} {project} now.")


@app.command()
def password(name: Name) -> None:
    """Set a user's password: asked for here, or read from a pipe. Ends their sessions.

    Example: trainyard users password kim
    """
    with Client(load_settings()) as client:
        user = _find(client, name)
        client.request("PATCH", f"/v1/users/{user['id']}", json={"password": _asked()})
    out().print(f"The password of {name} is set; their sessions are over.")


@app.command()
def disable(
    name: Name,
    undo: Annotated[bool, typer.Option("--undo", help="Let them in again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Keep a user out at once: their sessions end, their tokens don't count. What they made stays.

    Example: trainyard users disable kim
    """
    with Client(load_settings()) as client:
        user = client.request("PATCH", f"/v1/users/{_find(client, name)['id']}", json={"disabled": not undo})
    if as_json:
        print_json(user)
    else:
        out().print(f"{name} {'may sign in again' if undo else 'is disabled'}.")


def _find(client: Client, name: str) -> dict[str, Any]:
    for user in client.get("/v1/users")["items"]:
        if user["name"] == name:
            return user
    raise InvalidInput(f"There is no user {name}.", hint="`trainyard users list` shows them.", field="NAME")


def _plain(part: str) -> str:
    """A name, and nothing that would lead a request elsewhere."""
    if not part or not all(letter.isalnum() or letter in "-._@" for letter in part) or part in (".", ".."):
        raise InvalidInput(f"{part!r} is no name of a user or project.", hint="`trainyard users list` shows them.")
    return part


def _asked() -> str:
    """Never an argument: everybody on a machine sees those."""
    if sys.stdin.isatty():
        return str(typer.prompt("New password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\n")


def _is(user: dict[str, Any]) -> str:
    if user["disabled"]:
        return "disabled"
    return "administrator" if user["administrator"] else ""
