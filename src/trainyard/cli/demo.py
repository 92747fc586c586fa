"""`trainyard demo`: from nothing to a trained model, showing each step and how long it took."""

import time
from typing import Annotated, Any

import typer

from trainyard.cli.client import Client
from trainyard.cli.console import duration, err
from trainyard.cli.request import DEFAULT_FRAMEWORK, Wanted, ready_dataset
from trainyard.cli.stages import stage
from trainyard.cli.submit import send, watch_to_the_end
from trainyard.cli.up import ensure_up
from trainyard.settings import load_settings

app = typer.Typer(add_completion=False, rich_markup_mode=None)
# small enough for a laptop without a GPU
SETTINGS = {"ultralytics": {"image_size": "160", "batch_size": "8"}}
SMALL = {"sklearn"}  # its environment is made in a second
MLFLOW_SECONDS = 90.0


@app.command()
def demo(
    trainer: Annotated[str, typer.Option("--trainer", "-t", help="ultralytics, or sklearn: seconds, no torch.")] = (
        DEFAULT_FRAMEWORK
    ),
    epochs: Annotated[
        int | None, typer.Option("--epochs", "-e", min=1, help="How often to go through the data.")
    ] = None,
) -> None:
    """Start the services, load a sample dataset and train a real model on it, live.

    Example: trainyard demo --trainer sklearn
    """
    settings = load_settings()
    began = time.monotonic()
    ensure_up(settings)
    with Client(settings) as client:
        dataset = ready_dataset(settings, client, None, trainer, None)
        if trainer in SMALL or _has_environment(client, trainer):
            _wait_for_mlflow(client)  # its first start takes half a minute: such a training would be over before
        params = SETTINGS.get(trainer, {})
        wanted = Wanted(trainer, epochs=epochs, dataset=dataset, name=f"demo {trainer}", tags=["demo"], params=params)
        job = send(client, wanted.body())
        err().print(f"[green]✓[/] Submitted as {job['id']}")
        status = watch_to_the_end(client, settings, job)
    if status == 0:
        err().print(
            f"\nAll of it took {duration(time.monotonic() - began)}. Next:\n"
            f"  trainyard train --framework {trainer} --dataset {dataset} --epochs 20    the same in this terminal\n"
            "  trainyard datasets add FOLDER                                your own pictures"
        )
    raise typer.Exit(status)


def _has_environment(client: Client, trainer: str) -> bool:
    known: list[dict[str, Any]] = client.get("/v1/trainers")["items"]
    return any(one["framework"] == trainer and one["environment"] == "ready" for one in known)


def _wait_for_mlflow(client: Client) -> None:
    """So that the run is recorded there too; without it the demo goes on."""
    deadline = time.monotonic() + MLFLOW_SECONDS
    if client.get("/v1/status")["mlflow"]:
        return
    with stage("Waiting for MLflow (its first start makes its environment)") as told:
        while time.monotonic() < deadline:
            if client.get("/v1/status")["mlflow"]:
                told.done("MLflow is ready")
                return
            time.sleep(0.3)
    err().print("[yellow]![/] MLflow is not ready yet: this run will be missing there.")
