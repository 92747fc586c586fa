"""`trainyard train`: a training in this terminal."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from trainyard.cli import options
from trainyard.cli.attached import run_attached
from trainyard.cli.client import Client
from trainyard.cli.request import DEFAULT_FRAMEWORK, Wanted, parse_assignments, parse_tier, ready_dataset, wishes
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
    cpu: options.Cpu = None,
    memory: options.Memory = None,
    replicas: options.Replicas = None,
    queue: options.Queue = None,
    keep_epochs: options.KeepEpochs = 0,
    on: options.Tier = None,
    image: options.Image = None,
    dry: options.DryRun = False,
    follow: options.Watch = False,
) -> None:
    """Train in this terminal: debuggers work, Ctrl+C ends it properly, and the job is recorded like any other.

    Without arguments: ultralytics, yolo11n, 10 epochs on the sample dataset. With --on k8s the code of this folder
    travels to a cluster and runs there in an image that exists: no build. --watch shows its log until its end.

    Example: trainyard train train.py --epochs 3 --set learning_rate=0.01
    """
    settings = load_settings()
    script = _checked(script)
    trainer = framework or _trainer_of(script) or DEFAULT_FRAMEWORK
    own = script is None or _is_entrypoint(settings, script, trainer)
    params = parse_assignments(assignments)
    title = name or ("" if own or script is None else script.name)
    asked = wishes(cpu=cpu, memory=memory, replicas=replicas, queue=queue, image=image)
    wanted = Wanted(trainer, model, epochs, dataset, task, title, tags or [], gpus, params, keep_epochs, asked)
    tier = parse_tier(on, Execution.LOCAL)
    if dry:
        # imported here: it takes a tenth of a second, and no other call needs it
        from trainyard.cli.dry_run import dry_run

        dry_run(settings, wanted, tier, "dev", script)
        return
    if tier is not Execution.LOCAL:
        raise typer.Exit(_train_away(settings, wanted, tier, None if own else script, follow))
    _refuse_wishes(asked)
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


def _train_away(settings: Settings, wanted: Wanted, tier: Execution, script: Path | None, follow: bool) -> int:
    # imported here: reading a folder as git does takes libraries that no other call needs
    from trainyard.cli.away import train_away

    with Client(settings) as client:
        if script is None or wanted.dataset is not None:
            wanted = wanted.on(ready_dataset(settings, client, wanted.dataset, wanted.framework, wanted.task))
        return train_away(settings, client, wanted, tier, script, follow=follow)


def _refuse_wishes(asked: dict[str, Any]) -> None:
    for name in asked:
        raise InvalidInput(
            f"A local training runs in no image and has all of this machine: --{name} is for a cluster.",
            hint="Add --on k8s or --on image.",
            field=f"--{name}",
        )


def _require_here(settings: Settings) -> None:
    host = urlsplit(settings.backend_url).hostname or ""
    if host not in HERE:
        raise NotAvailable(
            f"`train` runs on the backend's own machine, and TRAINYARD_URL names another one: {settings.backend_url}.",
            hint="`trainyard submit` hands the same training to it; `train --on k8s` sends your code along.",
        )
