"""`trainyard datasets`: add, check, list, show and remove what trainings learn from."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.markup import escape

from trainyard.cli.client import Client
from trainyard.cli.console import out, print_json, size
from trainyard.cli.dataset_check import check, counted
from trainyard.cli.fit import Column, print_table
from trainyard.cli.samples import load_sample
from trainyard.cli.upload import pack, send, send_in_pieces
from trainyard.cli.words import ago
from trainyard.errors import InvalidInput
from trainyard.settings import load_settings

_HELP = """Add, check, list, show and remove datasets.

Example: trainyard datasets add ./my-pictures
"""
app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None, help=_HELP)
app.command()(check)
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document.")]


@app.command()
def add(
    path: Annotated[Path | None, typer.Argument(help="A zip, or a folder that becomes one.")] = None,
    name: Annotated[str | None, typer.Option(help="What to call it. Default: the file's name.")] = None,
    dataset_id: Annotated[str | None, typer.Option("--id", help="Its id. Default: made of the name.")] = None,
    sample: Annotated[str | None, typer.Option(help="A sample instead of a path: cats-dogs, digits …")] = None,
    as_json: AsJson = False,
) -> None:
    """Upload pictures with their labels: YOLO or COCO detection, or a folder a class. It is checked before it is kept.

    Example: trainyard datasets add ./my-pictures
    """
    if (path is None) == (sample is None):
        raise InvalidInput("Give a path, or --sample with a sample's name.", field="PATH")
    settings = load_settings()
    with Client(settings) as client:
        dataset = load_sample(settings, client, sample) if sample else _upload(client, path or Path(), name, dataset_id)
    if as_json:
        print_json(dataset)
    else:
        _describe(dataset)
        out().print(f"Train on it: trainyard train --dataset {dataset['id']}")


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List the datasets.

    Example: trainyard datasets list --json
    """
    with Client(load_settings()) as client:
        found: list[dict[str, Any]] = client.get("/v1/datasets")["items"]
    if as_json:
        print_json(found)
    elif not found:
        out().print("No datasets yet. `trainyard datasets add FOLDER` uploads one.")
    else:
        columns = [
            Column("dataset", [one["id"] for one in found]),
            Column("name", [one["name"] for one in found], 3),
            Column("for", [", ".join(one["tasks"]) for one in found], 1),
            Column(">version", [str(one["version"]) for one in found], 6),
            Column(">pictures", [str(one["summary"].get("pictures", "")) for one in found], 2),
            Column("checked", [_checked(one) for one in found], 1),
            Column(">size", [size(one["bytes"]) for one in found], 4),
            Column(">added", [ago(one["created_at"]) for one in found], 5),
        ]
        print_table(out(), columns)


@app.command()
def show(
    dataset_id: Annotated[str, typer.Argument(metavar="DATASET", help="Its id.")], as_json: AsJson = False
) -> None:
    """Show what is known of a dataset.

    Example: trainyard datasets show cats-dogs
    """
    with Client(load_settings()) as client:
        dataset = client.get(f"/v1/datasets/{_plain(dataset_id)}")
    if as_json:
        print_json(dataset)
    else:
        _describe(dataset)


@app.command()
def remove(dataset_id: Annotated[str, typer.Argument(metavar="DATASET", help="Its id.")]) -> None:
    """Remove a dataset; refused while a job uses it.

    Example: trainyard datasets remove my-pictures
    """
    with Client(load_settings()) as client:
        client.delete(f"/v1/datasets/{_plain(dataset_id)}")
    out().print(f"{dataset_id} is removed.")


def _plain(dataset_id: str) -> str:
    """An id, and nothing that would lead a request elsewhere."""
    if not dataset_id or not all(letter.isalnum() or letter == "-" for letter in dataset_id):
        raise InvalidInput(f"{dataset_id!r} is no dataset's id.", hint="`trainyard datasets list` shows them.")
    return dataset_id


def _checked(dataset: dict[str, Any]) -> str:
    check = dataset["check"]
    if check["state"] == "checking":
        return f"{check['progress']:.0%}"
    if check["state"] != "done":
        return str(check["state"])
    if not dataset["ready"]:
        return "not ready"
    return counted(check["errors"], "error") if check["errors"] else "ready"


def _describe(dataset: dict[str, Any]) -> None:
    out().print(f"[bold]{dataset['id']}[/]  {escape(dataset['name'])}")
    out().print(f"  for             {', '.join(dataset['tasks'])}")
    out().print(f"  size            {size(dataset['bytes'])}")
    out().print(f"  version         {dataset['version']}")
    out().print(f"  checked         {_checked(dataset)}")
    for reason in dataset["not_ready_because"]:
        out().print(f"  [red]not ready[/]       {escape(reason)}")
    for name, value in dataset["summary"].items():
        out().print(f"  {name:<15} {escape(_shown(value))}")


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        pairs = cast("dict[str, Any]", value)
        return ", ".join(f"{name} {_shown(item)}" for name, item in pairs.items())
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return ", ".join(map(_shown, items[:20])) + (" …" if len(items) > 20 else "")
    return str(value)


# -- uploading ------------------------------------------------------------------------------------------------------


def _upload(client: Client, path: Path, name: str | None, dataset_id: str | None) -> dict[str, Any]:
    if not path.exists():
        raise InvalidInput(f"There is no {path}.", hint="Give a zip or a folder with pictures.", field="PATH")
    called = name or path.resolve().stem
    client.get("/v1/datasets")  # nothing is packed for a backend that isn't there
    if path.is_file():
        return _send(client, path, called, dataset_id)
    with tempfile.TemporaryDirectory(prefix="trainyard-") as folder:
        packed = Path(folder) / "dataset.zip"
        pack(path, packed)
        return _send(client, packed, called, dataset_id)


def _send(client: Client, file: Path, name: str, dataset_id: str | None) -> dict[str, Any]:
    def upload(sent: Callable[[int], None]) -> Any:
        return send_in_pieces(client, file, sent, name=name, dataset_id=dataset_id)

    return send(file, "Checking", upload)
