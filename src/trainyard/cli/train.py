"""`trainyard train`: a training in this terminal."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from trainyard.cli import options
from trainyard.cli.attached import run_attached
from trainyard.cli.client import Client
from trainyard.cli.request import DEFAULT_FRAMEWORK, Wanted, parse_assignments, parse_tier, ready_dataset
from trainyard.cli.unrecorded import run_unrecorded
from trainyard.contract.manifest import read_manifest
from trainyard.contract.vocabulary import Execution
from trainyard.errors import InvalidInput, NotAvailable, Unavailable
from trainyard.settings import Settings, load_settings

app = typer.Typer(add_completion=False, rich_markup_mode=None)
HERE = {"127.0.0.1", "localhost", "::1"}
PATIENCE_SECONDS = 20.0


@app.command()
def train(
    script: Annotated[Path | None, typer.Argument(help="Your own script. Default: the trainer's train.py.")] = None,
    framework: options.Framework = None,
    model: options.Model = None,
    epochs: options.Epochs = None,
    dataset: options.Dataset = None,
    assignments: options.Assignments = None,
    task: options.TaskName = None,
    name: options.Name = "",
    tags: options.Tags = None,
    gpus: options.Gpus = None,
    keep_epochs: options.KeepEpochs = 0,
    on: options.Tier = None,
    image: options.Image = None,
    dry: options.DryRun = False,
) -> None:
    """Train in this terminal: debuggers work, Ctrl+C ends it properly, and the job is recorded like any other.

    Without arguments: ultralytics, yolo11n, 10 epochs on the sample dataset.

    Example: trainyard train train.py --epochs 3 --set learning_rate=0.01
    """
    settings = load_settings()
    script = _checked(script)
    trainer = framework or _trainer_of(script) or DEFAULT_FRAMEWORK
    own = script is None or _is_entrypoint(settings, script, trainer)
    params = parse_assignments(assignments)
    title = name or ("" if own or script is None else script.name)
    wanted = Wanted(trainer, model, epochs, dataset, task, title, tags or [], gpus, params, keep_epochs)
    tier = parse_tier(on, Execution.LOCAL)
    if dry:
        # imported here: it takes a tenth of a second, and no other call needs it
        from trainyard.cli.dry_run import dry_run

        dry_run(settings, wanted, tier, "dev", script, image)
        return
    _require_local(tier, image)
    _require_here(settings)
    with Client(settings, patience=PATIENCE_SECONDS) as client:
        try:
            client.get("/v1/health/live")
        except Unavailable:
            if own or script is None:
                raise
            raise typer.Exit(run_unrecorded(settings, script, wanted)) from None
        if own or dataset is not None:
            wanted = wanted.on(ready_dataset(settings, client, dataset, trainer, task))
        raise typer.Exit(run_attached(settings, client, wanted, None if own else script))


def _checked(script: Path | None) -> Path | None:
    if script is not None and not script.is_file():
        raise InvalidInput(f"There is no script {script}.", hint="Name a Python file.", field="SCRIPT")
    return script.absolute() if script else None


def _trainer_of(script: Path | None) -> str | None:
    """The x of the folder trainer-x that a script lies in."""
    for folder in script.resolve().parents if script else ():
        if folder.name.startswith("trainer-") and (folder / "trainer.toml").is_file():
            return folder.name.removeprefix("trainer-")
    return None


def _is_entrypoint(settings: Settings, script: Path, framework: str) -> bool:
    folder = settings.trainers_dir / f"trainer-{framework}"
    try:
        manifest = read_manifest(folder / "trainer.toml")
    except (OSError, ValueError):
        return False  # the backend says what is wrong with such a trainer
    return script.resolve() == (folder / manifest.entrypoint).resolve()


def _require_local(tier: Execution, image: str | None) -> None:
    if tier is not Execution.LOCAL:
        raise NotAvailable(
            f"Execution {tier.value!r} is not in this release: Kubernetes arrives with one of the next.",
            hint=f"`trainyard train --on {tier.value} --dry-run` shows what would be sent; `--on local` trains here.",
            field="--on",
        )
    if image is not None:
        raise InvalidInput("A local training runs in no image.", hint="Add --on k8s or --on image.", field="--image")


def _require_here(settings: Settings) -> None:
    host = urlsplit(settings.backend_url).hostname or ""
    if host not in HERE:
        raise NotAvailable(
            f"`train` runs on the backend's own machine, and TRAINYARD_URL names another one: {settings.backend_url}.",
            hint="`trainyard submit` hands the same training to it.",
        )
