"""`trainyard status`: is everything there, and what is running."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.markup import escape

from trainyard.cli.client import Client
from trainyard.cli.console import duration, out, print_json, size, table
from trainyard.cli.down import ACTIVE
from trainyard.errors import TrainyardError
from trainyard.settings import Settings, load_settings
from trainyard.stack.processes import memory
from trainyard.stack.service import Service
from trainyard.stack.state import Phase, Record, Stack, read_stack
from trainyard.stack.supervisor import steps

app = typer.Typer(add_completion=False, rich_markup_mode=None)
COLOURS = {"up": "green", "external": "cyan", "waiting": "yellow", "preparing": "yellow", "starting": "yellow"}


@dataclass(slots=True, frozen=True)
class Line:
    """One service as it is now."""

    service: str
    health: str
    url: str
    pid: int | None = None
    uptime_seconds: float | None = None
    memory_bytes: int | None = None
    restarts: int = 0
    detail: str = ""


@app.command()
def status(
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Refresh until Ctrl+C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Services with health, address, process, uptime and memory; then the active jobs.

    Example: trainyard status --watch
    """
    settings = load_settings()
    if as_json:
        print_json(_snapshot(settings))
    elif watch:
        with Live(_draw(_snapshot(settings)), console=out(), auto_refresh=False) as live:
            while True:
                live.update(_draw(_snapshot(settings)), refresh=True)
                time.sleep(1)
    else:
        out().print(_draw(_snapshot(settings)))


def _snapshot(settings: Settings) -> dict[str, Any]:
    stack = read_stack(settings.data_dir)
    services = steps(settings)
    with ThreadPoolExecutor(len(services)) as pool:
        lines = list(pool.map(look, services, [stack] * len(services)))
    return {"supervised": stack.supervised, "services": [asdict(line) for line in lines], "jobs": _jobs(settings)}


def look(service: Service, stack: Stack) -> Line:
    """Ask one service; take what only the supervisor knows from its record."""
    answers, record = service.answers(), stack.services.get(service.name)
    if service.external:
        return Line(service.name, "external" if answers else "not answering", service.url)
    identity = record.identity if record else None
    alive = identity.process() if identity else None
    health = "up" if answers else _why_not(record, alive is not None, stack)
    if record is None or identity is None or alive is None:
        return Line(service.name, health, service.url, detail=_detail(record, answers))
    return Line(
        service.name,
        health,
        service.url,
        identity.pid,
        round(identity.age(), 1),
        memory(identity),
        record.restarts,
        "" if answers else record.detail,
    )


def _why_not(record: Record | None, alive: bool, stack: Stack) -> str:
    if record is not None and stack.supervised and record.phase != Phase.READY:
        return record.phase
    return "not answering" if alive else "down"


def _detail(record: Record | None, answers: bool) -> str:
    if answers:
        return "answers, but was not started by `trainyard up` with this data folder"
    return record.detail if record else "`trainyard up` starts it"


def _jobs(settings: Settings) -> list[dict[str, Any]]:
    try:
        with Client(settings, timeout=5) as client:
            return list(client.get("/v1/jobs", state=ACTIVE, limit=50)["items"])
    except TrainyardError:
        return []  # the line of the backend says what is wrong with it


def _draw(snapshot: dict[str, Any]) -> RenderableType:
    services = table("service", "health", "address", ">pid", ">up for", ">memory", ">restarts")
    for line in snapshot["services"]:
        colour = COLOURS.get(line["health"], "red")
        services.add_row(
            line["service"],
            f"[{colour}]{line['health']}[/]",
            line["url"],
            str(line["pid"] or ""),
            duration(line["uptime_seconds"]) if line["uptime_seconds"] is not None else "",
            size(line["memory_bytes"]) if line["memory_bytes"] is not None else "",
            str(line["restarts"] or ""),
        )
    details = [f"{line['service']}: {line['detail']}" for line in snapshot["services"] if line["detail"]]
    parts: list[RenderableType] = [services, *(f"[dim]{escape(detail)}[/]" for detail in details), ""]
    if not snapshot["jobs"]:
        return Group(*parts, "No active jobs.")
    jobs = table("job", "state", "trainer", "model", ">epoch", ">running for")
    for job in snapshot["jobs"]:
        epoch = f"{job['epoch']}/{job['epochs']}" if job.get("epoch") is not None else ""
        began = job.get("started_at")
        running = duration(max(0.0, time.time() - began)) if began else ""
        state = f"{job['state']} (cancelling)" if job.get("cancelling") else job["state"]
        jobs.add_row(job["id"], state, escape(job["framework"]), escape(job["model"]), epoch, running)
    return Group(*parts, jobs)
