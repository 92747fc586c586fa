"""`trainyard submit`: hand a training to the backend."""

import uuid
from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from trainyard.cli import options
from trainyard.cli.client import Client
from trainyard.cli.console import err, out, print_json
from trainyard.cli.live import watch
from trainyard.cli.request import DEFAULT_FRAMEWORK, Wanted, parse_assignments, parse_tier, ready_dataset, wishes
from trainyard.cli.summary import print_summary
from trainyard.cli.words import Goals, Job
from trainyard.contract.vocabulary import State
from trainyard.settings import Settings, load_settings

app = typer.Typer(add_completion=False, rich_markup_mode=None)
EXIT = {State.SUCCEEDED: 0, State.CANCELLED: 130}


@app.command()
def submit(
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
    image: options.Image = None,
    keep_epochs: options.KeepEpochs = 0,
    priority: Annotated[int, typer.Option(help="Higher runs earlier; -100 to 100.")] = 0,
    on: options.Tier = None,
    dry: options.DryRun = False,
    follow: options.Watch = False,
    as_json: options.AsJson = False,
) -> None:
    """Submit a training and return; it runs on without this terminal.

    Example: trainyard submit --model yolo11n --epochs 20 --dataset my-pictures --set batch_size=8
    """
    settings = load_settings()
    params = parse_assignments(assignments)
    trainer = framework or DEFAULT_FRAMEWORK
    asked = wishes(cpu=cpu, memory=memory, replicas=replicas, queue=queue, image=image)
    wanted = Wanted(trainer, model, epochs, dataset, task, name, tags or [], gpus, params, keep_epochs, asked)
    if dry:
        # imported here: it takes a tenth of a second, and no other call needs it
        from trainyard.cli.dry_run import dry_run

        dry_run(settings, wanted, parse_tier(on, settings.execution_mode), "job", None)
        return
    with Client(settings) as client:
        wanted = wanted.on(ready_dataset(settings, client, dataset, trainer, task))
        job = send(client, wanted.body() | {"priority": priority, "execution": on})
        if as_json and not follow:
            print_json(job)
            return
        tell(job)
        if follow:
            raise typer.Exit(watch_to_the_end(client, settings, job))


def tell(job: Job) -> None:
    """What was submitted; and whatever speaks against its ever starting."""
    out().print(f"{job['id']}  {job['url']}")
    if job["message"]:
        err().print(f"[yellow]{escape(job['message'])}[/]")


def send(client: Client, body: dict[str, Any]) -> Job:
    """Submit once, however often the answer is lost."""
    return client.post("/v1/jobs", body, headers={"Idempotency-Key": str(uuid.uuid4())})


def watch_to_the_end(
    client: Client,
    settings: Settings,
    job: Job,
    show: Callable[[Client, Job], Job] | None = None,
    console: Console | None = None,
) -> int:
    """Show it until its end or Ctrl+C, by its epochs or as `show` does, and sum it up on the console; the exit code
    that says how it ended."""
    try:
        goals = Goals(client)
        job = show(client, job) if show is not None else watch(client, job, goals.metric(job))
    except KeyboardInterrupt:
        err().print(
            "\nThe job goes on without this terminal: "
            f"`trainyard logs {job['id']} -f` follows it, `trainyard cancel {job['id']}` stops it."
        )
        return 130
    print_summary(console or out(), client, settings, job, goals)
    return EXIT.get(State(job["state"]), 1)
