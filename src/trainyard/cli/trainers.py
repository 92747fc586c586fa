"""`trainyard trainers`: what can be trained, and with which parameters."""

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.text import Text

from trainyard.cli.client import Client
from trainyard.cli.console import out, print_json
from trainyard.cli.fit import Column, print_table
from trainyard.errors import NotFound
from trainyard.settings import load_settings

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def trainers(
    framework: Annotated[str | None, typer.Argument(help="Show one with its models and parameters.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """List the trainers: every folder trainer-* with a trainer.toml is one.

    Example: trainyard trainers ultralytics
    """
    with Client(load_settings()) as client:
        found: list[dict[str, Any]] = client.get("/v1/trainers")["items"]
    if framework is not None:
        one = next((trainer for trainer in found if trainer["framework"] == framework), None)
        if one is None:
            there = ", ".join(trainer["framework"] for trainer in found)
            raise NotFound(f"There is no trainer {framework!r}.", hint=f"There are: {there}.")
        print_json(one) if as_json else _show(one)
    elif as_json:
        print_json(found)
    else:
        _list(found)


def _list(found: list[dict[str, Any]]) -> None:
    nothing: dict[str, Any] = {"title": "", "license": "", "tasks": {}}
    manifests: list[dict[str, Any]] = [trainer["manifest"] or nothing for trainer in found]
    columns = [
        Column("trainer", [trainer["framework"] for trainer in found]),
        Column("can", [", ".join(manifest["tasks"]) for manifest in manifests], 1),
        Column("default models", [_defaults(manifest) for manifest in manifests], 2),
        Column("licence", [manifest["license"] for manifest in manifests], 4),
        Column("environment", [trainer["environment"] for trainer in found], 5),
        Column("what it is", [manifest["title"] for manifest in manifests], 3),
    ]
    print_table(out(), columns)
    for trainer in found:
        if not trainer["usable"]:
            out().print(Text(f"✖ {trainer['framework']} can't be used: {trainer['problem']}", "red"))


def _defaults(manifest: dict[str, Any]) -> str:
    tasks: dict[str, dict[str, Any]] = manifest["tasks"]
    return ", ".join(dict.fromkeys(str(support["default_model"]) for support in tasks.values()))


def _show(trainer: dict[str, Any]) -> None:
    manifest = trainer["manifest"]
    if manifest is None:
        out().print(Text(f"✖ {trainer['framework']} can't be used: {trainer['problem']}", "red"))
        return
    out().print(f"[bold]{trainer['framework']}[/]  {escape(manifest['title'])}")
    out().print(f"  {escape(manifest['description'])}")
    if manifest["license"]:
        out().print(f"  licence: {escape(manifest['license'])}")
    for task, support in manifest["tasks"].items():
        models = ", ".join(
            f"{name} (default)" if name == support["default_model"] else name for name in support["models"]
        )
        out().print(f"  {task}: {escape(models)}; best by {support['best_metric']}")
    if manifest["samples"]:
        out().print(f"  samples: {', '.join(manifest['samples'])} (trainyard datasets add --sample NAME)")
    out().print()
    params: dict[str, dict[str, Any]] = manifest["params"]
    columns = [
        Column("parameter (--set)", list(params)),
        Column("type", [param["type"] for param in params.values()], 2),
        Column(">default", [str(param["default"]) for param in params.values()]),
        Column("range", [_range(param) for param in params.values()], 1),
        Column("what it does", [param["help"] for param in params.values()], 3),
    ]
    print_table(out(), columns)


def _range(param: dict[str, Any]) -> str:
    if param["choices"]:
        return " | ".join(map(str, param["choices"]))
    low, high = param["min"], param["max"]
    if low is None and high is None:
        return ""
    return f"{'' if low is None else f'{low:g}'} … {'' if high is None else f'{high:g}'}"
