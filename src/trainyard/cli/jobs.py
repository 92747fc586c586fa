"""`trainyard jobs`: a list of jobs, or everything about one."""

import time
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.text import Text

from trainyard.cli.client import Client
from trainyard.cli.console import duration, out, print_json
from trainyard.cli.fit import Column, print_table
from trainyard.cli.summary import print_summary
from trainyard.cli.which_job import find_job
from trainyard.cli.words import Goals, Job, ago, epoch, number, seconds_run, state_text
from trainyard.contract.vocabulary import State
from trainyard.errors import InvalidInput
from trainyard.settings import load_settings

app = typer.Typer(add_completion=False, rich_markup_mode=None)
SHOWN_EVENTS = 20
UNSHOWN = ["heartbeat", "validation", "preparing", "sample"]  # many of each; metrics and pictures stand for them
PAGE = 200


@app.command()
def jobs(
    job: Annotated[str | None, typer.Argument(help="Its id, a beginning or end of it, or `last`: shows it.")] = None,
    state: Annotated[str | None, typer.Option(help="Only these: RUNNING, or QUEUED,RUNNING …")] = None,
    framework: Annotated[str | None, typer.Option("--framework", "-f", help="Only this trainer's.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="The newest so many.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """List jobs, the newest first; with a JOB, show everything about it.

    Example: trainyard jobs --state RUNNING; trainyard jobs last
    """
    settings = load_settings()
    with Client(settings) as client:
        if job is None:
            _list(client, _states(state), framework, limit, as_json)
            return
        if state or framework:
            raise InvalidInput("--state and --framework are for the list.", hint="Leave JOB out.", field="JOB")
        found = find_job(client, job)
        children = _children(client, found["id"])
        if as_json:
            ids = [child["id"] for child in children]
            print_json(found | {"children": ids, "events": _all_events(client, found["id"])})
            return
        print_summary(out(), client, settings, found, Goals(client))
        _print_fields(found, _origin(client, found), children)
        _print_metrics(found)
        _print_events(client, found["id"])


def _states(text: str | None) -> str | None:
    """In capitals; raises InvalidInput naming those that there are."""
    for name in [] if text is None else text.split(","):
        if name.strip().upper() not in list(State):
            raise InvalidInput(
                f"{name.strip()!r} is no state.", hint=f"There are: {', '.join(State)}.", field="--state"
            )
    return None if text is None else text.upper().replace(" ", "")


def _list(client: Client, state: str | None, framework: str | None, limit: int, as_json: bool) -> None:
    found: list[Job] = []
    before = None
    while len(found) < limit:
        page = client.get(
            "/v1/jobs", state=state, framework=framework, limit=min(PAGE, limit - len(found)), before=before
        )
        found += page["items"]
        before = page["next"]
        if before is None:
            break
    if as_json:
        print_json(found)
    elif found:
        print_table(out(), _columns(found, Goals(client)))
    else:
        out().print("No such jobs." if state or framework else "No jobs yet. `trainyard demo` makes the first one.")


def _columns(found: list[Job], goals: Goals) -> list[Column]:
    best = [goals.best(job) for job in found]
    ran = [seconds_run(job) for job in found]
    return [
        Column("state", [state_text(job) for job in found]),
        Column("job", [job["id"] for job in found]),
        Column("name", [job["name"] for job in found], 4),
        Column("trainer", [job["framework"] for job in found], 6),
        Column(">epoch", [epoch(job) for job in found], 1),
        Column(
            ">best",
            [f"{value} {metric}" if (metric, value) != ("", "") else "" for metric, value in map(_short, best)],
            2,
        ),
        Column(">submitted", [ago(job["created_at"]) for job in found], 5),
        Column(">ran for", ["" if seconds is None else duration(seconds) for seconds in ran], 3),
    ]


def _short(best: tuple[str, str, int | None] | None) -> tuple[str, str]:
    return (best[0], best[1]) if best else ("", "")


def _children(client: Client, job_id: str) -> list[Job]:
    """Its retries and continuations, the oldest first."""
    return client.get("/v1/jobs", parent_id=job_id, limit=PAGE)["items"][::-1]


def _origin(client: Client, job: Job) -> str:
    """What its first event says of where it comes from: continues … from epoch 4."""
    if job["parent_id"] is None:
        return ""
    return client.get(f"/v1/jobs/{job['id']}/events", type="state", limit=1)["items"][0]["message"]


def _print_fields(job: Job, origin: str, children: list[Job]) -> None:
    fields: dict[str, Any] = {
        "name": job["name"],
        "trainer": f"{job['framework']}, {job['task']}, model {job['model']}",
        "dataset": job["dataset_id"],
        "parameters": ", ".join(f"{name}={value}" for name, value in job["params"].items()),
        "script": job["script"],
        "tier": job["execution"],
        "epoch": epoch(job),
        "phase": job["phase"],
        "tags": ", ".join(job["tags"]),
        "notes": job["notes"],
        "origin": origin,
        "children": ", ".join(f"{child['id']} {child['state']}" for child in children),
        "attempt": job["attempt"] if job["attempt"] > 1 else None,
        "trace id": job["trace_id"],
        "submitted": f"{_clock(job['created_at'])} ({ago(job['created_at'])})",
    }
    for name, value in fields.items():
        if value not in (None, ""):
            out().print(f"  {name:<10} {escape(str(value))}")


def _print_metrics(job: Job) -> None:
    metrics: dict[str, dict[str, Any]] = job["metrics"]
    if metrics:
        columns = [Column("metric", list(metrics))]
        columns += [
            Column(f">{name}", [number(summary[name]) for summary in metrics.values()])
            for name in ("last", "min", "max")
        ]
        out().print()
        print_table(out(), columns)


def _all_events(client: Client, job_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = 0
    while page := _events(client, job_id, after=after, limit=1000):
        found += page
        after = page[-1]["id"]
    return found


def _events(client: Client, job_id: str, **query: Any) -> list[dict[str, Any]]:
    return client.get(f"/v1/jobs/{job_id}/events", without=UNSHOWN, **query)["items"]


def _print_events(client: Client, job_id: str) -> None:
    out().print()
    events = _events(client, job_id, newest=True, limit=SHOWN_EVENTS + 1)
    if len(events) > SHOWN_EVENTS:
        out().print(Text("… and earlier ones (--json has them all)", "dim"))
    for event in events[-SHOWN_EVENTS:]:
        out().print(Text(f"{_clock(event['at'])}  {_what(event)}"))


def _what(event: dict[str, Any]) -> str:
    data: dict[str, Any] = event["data"]
    match event["type"]:
        case "state":
            return f"{data['to']:<13} {event['message']}".rstrip()
        case "done":
            said = data["status"]
        case "checkpoint":
            said = f"{data.get('key')} (epoch {data.get('epoch')})"
        case _:
            said = event["message"] or "  ".join(f"{name} {value}" for name, value in data.items())
    return f"{event['type']:<13} {said}"[:300].rstrip()


def _clock(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
