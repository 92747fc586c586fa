"""`trainyard weights`: pretrained weights in the store, for trainers on machines without a way to the internet."""

import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from trainyard.cli.client import Client
from trainyard.cli.console import out, print_json, size
from trainyard.cli.fit import Column, print_table
from trainyard.cli.upload import pack, send
from trainyard.contract.keys import WEIGHTS_NAME_PATTERN, weights_key
from trainyard.errors import Conflict, InvalidInput
from trainyard.settings import load_settings

_HELP = """Add, list and remove pretrained weights. Trainers look here before they ask a hub.

Example: trainyard weights add yolo11n.pt
"""
app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None, help=_HELP)
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document.")]
LOOKED_FOR = {  # which trainers look for weights/{model}{ending}
    ".pt": ("ultralytics", "timm"),
    ".safetensors": ("timm",),
    ".pth": ("timm",),
    ".bin": ("timm",),
    ".zip": ("huggingface",),
}


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="A file, or the folder of a Hugging Face model.")],
    name: Annotated[str | None, typer.Option(help="The model they are for. Default: the file's name.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of weights of this name.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put weights into the store. A model google/vit-base is kept as google--vit-base.

    Example: trainyard weights add ./vit-base --name google/vit-base
    """
    if not file.exists():
        raise InvalidInput(f"There is no {file}.", hint="Give a file, or a model's folder.", field="FILE")
    if file.is_dir() and not (file / "config.json").is_file():
        raise InvalidInput(
            f"{file} is no Hugging Face model: it holds no config.json.",
            hint="Give the folder that holds config.json and model.safetensors, or a single file.",
            field="FILE",
        )
    # resolved, so that `.` has a name; not where it is a link: a hub's cache links names to blobs that have none
    stored = stored_name(file if file.is_symlink() else file.resolve(), name, folder=file.is_dir())
    with Client(load_settings()) as client:
        if not replace and any(one["name"] == stored for one in client.get("/v1/weights")["items"]):
            raise Conflict(f"There are weights {stored} already.", hint="--replace takes their place.")
        added = _upload(client, file, stored, replace)
    if as_json:
        print_json(added)
        return
    out().print(f"[bold]{escape(stored)}[/]  {size(added['bytes'])}  under {escape(added['key'])}")
    out().print(escape(found_by(stored)))


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List the weights in the store.

    Example: trainyard weights list
    """
    with Client(load_settings()) as client:
        found: list[dict[str, Any]] = client.get("/v1/weights")["items"]
    if as_json:
        print_json(found)
    elif not found:
        out().print("No weights yet. `trainyard weights add FILE` puts some there.")
    else:
        columns = [
            Column("weights", [one["name"] for one in found]),
            Column(">size", [size(one["bytes"]) for one in found], 1),
            Column("for", [_for(one["name"]) for one in found], 2),
        ]
        print_table(out(), columns)


@app.command()
def remove(name: Annotated[str, typer.Argument(help="As `list` shows it.")]) -> None:
    """Remove weights; jobs that run have their copy.

    Example: trainyard weights remove yolo11n.pt
    """
    if not re.fullmatch(WEIGHTS_NAME_PATTERN, name):
        raise InvalidInput(f"{name!r} is no name of weights.", hint="`trainyard weights list` shows them.")
    with Client(load_settings()) as client:
        client.delete(f"/v1/weights/{name}")
    out().print(f"{name} is removed.")


# -- names ----------------------------------------------------------------------------------------------------------


def stored_name(file: Path, name: str | None, *, folder: bool) -> str:
    """Under which name trainers look for it: the model's with -- for /, then the file's ending. Raises InvalidInput."""
    ending = ".zip" if folder else file.suffix
    wanted = name or (file.name if folder else file.name.removesuffix(ending))
    stored = wanted.replace("/", "--").removesuffix(ending) + ending
    if not re.fullmatch(WEIGHTS_NAME_PATTERN, stored):
        raise InvalidInput(
            f"{stored[:80]!r} can't be the name of weights.",
            hint="Give the model's name with --name: letters, digits, dots, -, _ and /.",
            field="--name",
        )
    return stored


def found_by(stored: str) -> str:
    """A sentence: who finds it there, for which model."""
    model, trainers = _model_of(stored)
    if not trainers:
        return f"None of trainyard's own trainers looks for such files; yours may read {weights_key(stored)}."
    return f"{' and '.join(trainers)} {'find' if len(trainers) > 1 else 'finds'} it there for the model {model}."


def _model_of(stored: str) -> tuple[str, tuple[str, ...]]:
    ending = Path(stored).suffix
    return stored.removesuffix(ending).replace("--", "/"), LOOKED_FOR.get(ending, ())


def _for(stored: str) -> str:
    model, trainers = _model_of(stored)
    return f"{model} ({', '.join(trainers)})" if trainers else ""


# -- uploading ------------------------------------------------------------------------------------------------------


def _upload(client: Client, file: Path, stored: str, replace: bool) -> dict[str, Any]:
    if file.is_file():
        return _put(client, file, stored, replace)
    with tempfile.TemporaryDirectory(prefix="trainyard-") as folder:
        packed = Path(folder) / stored
        pack(file, packed, compress=False)
        return _put(client, packed, stored, replace)


def _put(client: Client, file: Path, stored: str, replace: bool) -> dict[str, Any]:
    def upload(sent: Callable[[int], None]) -> Any:
        kind = "application/octet-stream"
        return client.upload(f"/v1/weights/{stored}", file, sent, method="PUT", kind=kind, replace=replace)

    return send(file, "Storing", upload)
