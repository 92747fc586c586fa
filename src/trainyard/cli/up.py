"""`trainyard up`: the local services, in this terminal or in the background; or the same in a cluster."""

import time
from typing import Annotated

import typer
from rich.markup import escape

from trainyard.cli.client import Client
from trainyard.cli.cluster import URL as CLUSTER_URL
from trainyard.cli.cluster import cluster_up
from trainyard.cli.console import duration, err
from trainyard.cli.link import make_link
from trainyard.errors import Conflict, TrainyardError
from trainyard.settings import Settings, checkout, load_settings
from trainyard.stack.bootstrap import refresh_page
from trainyard.stack.control import follow, start_supervisor
from trainyard.stack.keeper import Report
from trainyard.stack.state import read_stack
from trainyard.stack.supervisor import Supervisor, only_supervisor

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def up(
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return when they are ready.")] = False,
    build: Annotated[bool, typer.Option("--build", help="Make MLflow's environment anew.")] = False,
    k8s: Annotated[bool, typer.Option("--k8s", help="In a kind cluster on this machine instead.")] = False,
) -> None:
    """Start S3, the backend and MLflow. Nothing is built that is there already; twice is harmless.

    Example: trainyard up --detach
    """
    settings = load_settings()
    if k8s:
        _in_cluster(settings)
    elif read_stack(settings.data_dir).supervised:
        _already_up(settings)
    else:
        if root := checkout():
            refresh_page(root, settings.data_dir)
        if detach:
            _in_background(settings, build)
            _say_link(settings)
        else:
            _in_foreground(settings, build)


def ensure_up(settings: Settings) -> None:
    """Have the services ready, starting them in the background where they do not run. For other verbs."""
    if not read_stack(settings.data_dir).supervised:
        _in_background(settings, build=False)
    else:
        for _ in follow(settings):
            pass


def _in_cluster(settings: Settings) -> None:
    if read_stack(settings.data_dir).supervised:
        raise Conflict(
            "The local services are up, and the cluster's want the same ports.", hint="`trainyard down` ends them."
        )
    began = time.monotonic()
    cluster_up(settings, lambda line: err().out(line, highlight=False))
    err().print(f"Ready in {duration(time.monotonic() - began)}: {CLUSTER_URL}, MLflow at http://127.0.0.1:30500.")
    if settings.backend_url != CLUSTER_URL:
        err().print(
            f"The CLI asks {escape(settings.backend_url)}: TRAINYARD_URL={CLUSTER_URL} leads it to the cluster."
        )
    err().print("Trainers' images: `trainyard build sklearn --load`. `trainyard down --k8s` deletes the cluster.")


def _already_up(settings: Settings) -> None:
    err().print("Already up:")
    for name, record in follow(settings):
        err().print(f"  {name:<8} {record.url}")
    err().print("`trainyard status` shows more, `trainyard down` ends them.")
    _say_link(settings)


def _in_background(settings: Settings, build: bool) -> None:
    began = time.monotonic()
    err().print(f"Starting trainyard (data in {escape(str(settings.data_dir))})")
    supervisor = start_supervisor(settings, rebuild=build)
    for name, record in follow(settings, supervisor):
        err().print(f"  [green]✓[/] {name:<8} {record.url}  {duration(record.seconds)}")
    err().print(f"Ready in {duration(time.monotonic() - began)}. MLflow follows; `trainyard status` shows when.")


def _in_foreground(settings: Settings, build: bool) -> None:
    began = time.monotonic()
    with only_supervisor(settings.data_dir) as ours:
        if not ours:
            _already_up(settings)
            return
        err().print(f"Starting trainyard (data in {escape(str(settings.data_dir))})")
        supervisor = Supervisor(settings, _tell, rebuild=build)

        def ready() -> None:
            err().print(f"Ready in {duration(time.monotonic() - began)}. MLflow follows. Ctrl+C ends everything.")
            _say_link(settings)

        supervisor.run(on_ready=ready)
        err().print("All services have ended.")


def _say_link(settings: Settings) -> None:
    """The page, signed in. Where that can't be had, everything else is up all the same."""
    try:
        with Client(settings, timeout=5, patience=5) as client:
            url = make_link(client)["url"]
    except TrainyardError as error:
        err().print(escape(f"The page has no link to sign in with: {error}"))
        return
    err().out(f"Open {url}", highlight=False)
    err().print("(once, within 15 minutes; `trainyard link` makes another)")


def _tell(report: Report) -> None:
    mark = "[green]✓[/]" if report.good else "[yellow]![/]"
    err().print(f"  {mark} {report.service:<8} {escape(report.text)}")
    if report.hint:
        err().print(f"    {escape(report.hint)}")
