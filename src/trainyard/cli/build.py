"""`trainyard build`: a trainer's image, from the files that travel to a cluster, to where the cluster finds it."""

import shlex
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from trainyard.cli.console import duration, err
from trainyard.errors import InvalidInput
from trainyard.images.build import build as build_image
from trainyard.images.build import deliver
from trainyard.images.builders import find_builder
from trainyard.images.names import registry
from trainyard.images.plan import Goal, Plan, plan
from trainyard.images.record import Built
from trainyard.settings import load_settings

app = typer.Typer(add_completion=False, rich_markup_mode=None)
_BUILDER = "docker, podman, buildah, or a path to one; else the first that works."
_OPTIONS = "More options for the builder's build command, as in a shell."


@app.command()
def build(
    framework: Annotated[str, typer.Argument(help="Whose image: ultralytics, sklearn …")],
    tag: Annotated[str | None, typer.Option("--tag", help="Name and tag; else TRAINYARD_K8S_IMAGE.")] = None,
    push: Annotated[bool, typer.Option("--push", help="Push it, with the builder's own login.")] = False,
    load: Annotated[bool, typer.Option("--load", help="Load it into the kind cluster of the current context.")] = False,
    archive: Annotated[Path | None, typer.Option("--archive", help="Write it to this file (docker-archive).")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be run, and run nothing.")] = False,
    builder: Annotated[str, typer.Option("--builder", envvar="TRAINYARD_BUILDER", help=_BUILDER)] = "",
    options: Annotated[str, typer.Option("--options", envvar="TRAINYARD_BUILD_OPTIONS", help=_OPTIONS)] = "",
) -> None:
    """Build a trainer's image, for `train --on image`. Local training and `--on k8s` need no build of yours.

    The image holds what `train --on k8s --dry-run` says travels: never datasets, checkpoints, environments or .env.
    After an edit of the code only its last layer is made anew. Jobs then run what was pushed or loaded last, by
    its digest, or by a tag that only this state of the code has; that reference is printed on stdout.

    Example: trainyard build sklearn --load
    """
    settings = load_settings()
    made = plan(settings, find_builder(builder), framework, tag, _goal(push, load, archive), archive, _split(options))
    if made.context.warning:
        err().print(f"[yellow]{escape(made.context.warning)}[/]")
    if dry_run:
        _show(made)
        return
    began = time.monotonic()
    build_image(made, _say)
    built = deliver(settings, made, _say)
    err().print(escape(f"Built {made.image} with {made.builder.name} in {duration(time.monotonic() - began)}."))
    _tell(made, built)


def _goal(push: bool, load: bool, archive: Path | None) -> Goal:
    goals = {Goal.PUSH: push, Goal.LOAD: load, Goal.ARCHIVE: archive is not None}
    wanted = [goal for goal, is_wanted in goals.items() if is_wanted]
    if len(wanted) > 1:
        raise InvalidInput(
            f"{' and '.join(f'--{goal}' for goal in wanted)} exclude each other: Jobs take the image from one place.",
            hint="Build again for the other; it takes seconds.",
            field=f"--{wanted[0]}",
        )
    return wanted[0] if wanted else Goal.KEEP


def _split(options: str) -> list[str]:
    try:
        return shlex.split(options)
    except ValueError as error:
        raise InvalidInput(f"The options {options!r} can't be read: {error}.", field="--options") from None


def _say(line: str) -> None:
    """The builder's own words, as they are."""
    err().out(line, highlight=False)


def _show(made: Plan) -> None:
    err().print(escape(f"The context, {len(made.context.names)} files: {' '.join(made.context.names)}"))
    steps = [made.build(Path("CONTEXT"))]
    if made.goal is Goal.PUSH:
        steps.append(made.push(Path("DIGEST")))
    elif made.goal is not Goal.KEEP:
        steps.append(made.save(made.archive or Path("ARCHIVE")))
    if made.goal is Goal.LOAD:
        steps.append(made.load(Path("ARCHIVE")))
    for argv in steps:
        print(shlex.join(argv))


def _tell(made: Plan, built: Built | None) -> None:
    if built is None:
        err().print(
            f"It is in {made.builder.name}'s own store, where clusters don't look. --load takes it into kind, --push "
            "to a registry, --archive FILE to a file. Jobs go on with what was delivered before."
        )
        print(made.code_image)
        return
    match made.goal:
        case Goal.PUSH:
            where = f"Pushed to {registry(made.image)}"
        case Goal.LOAD:
            where = f"Loaded into the kind cluster {made.kind}"
        case _:
            where = f"Written to {made.archive}: load it on each node (`ctr -n k8s.io images import`)"
    err().print(escape(f"{where}. Jobs that ask for {built.tag} run:"))
    print(built.pinned)
