"""`trainyard parity`: the same job on several tiers, and side by side what differs between the runs."""

import time
import uuid
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.markup import escape

from trainyard.cli.client import Client, Refused
from trainyard.cli.console import err, out, print_json
from trainyard.cli.fit import Column, print_table
from trainyard.cli.parity_compare import (
    LEFT_OUT_EVENTS,
    LEFT_OUT_METRICS,
    LEFT_OUT_NAMES,
    LEFT_OUT_PACKAGES,
    LEFT_OUT_VARIABLES,
    Comparison,
    Run,
    compare,
)
from trainyard.cli.request import parse_tier
from trainyard.cli.which_job import find_job
from trainyard.cli.words import Job, is_over
from trainyard.contract.vocabulary import Execution
from trainyard.errors import Conflict, InvalidInput, InvalidSetting, NotAvailable
from trainyard.settings import load_settings

app = typer.Typer(add_completion=False, rich_markup_mode=None)
LOOK_SECONDS = 0.5
NOT_HERE = {NotAvailable.code, InvalidSetting.code}  # what keeps an installation from a tier, whatever the job
PAGE = 1000
WIDEST = 60  # characters of a value in the table; --json has all of it
LEFT_OUT = {
    "variables": (*LEFT_OUT_VARIABLES, *LEFT_OUT_NAMES),
    "packages": LEFT_OUT_PACKAGES,
    "events": LEFT_OUT_EVENTS,
    "metrics": LEFT_OUT_METRICS,
}


@app.command()
def parity(
    jobs: Annotated[list[str], typer.Argument(metavar="JOB...", help="One job to run again, or several to compare.")],
    on: Annotated[
        str | None, typer.Option("--on", metavar="TIERS", help="local,k8s,image. Default: all that can be had here.")
    ] = None,
    tolerance: Annotated[
        float, typer.Option("--tolerance", min=0, help="How far metrics may be apart, relative to the larger.")
    ] = 1e-6,
    as_json: Annotated[bool, typer.Option("--json", help="The comparison as one JSON document.")] = False,
) -> None:
    """Run a job again, with the same parameters and seed, on several tiers, and show what differs between the runs.

    On one tier only, its new run is compared with the job itself. Several jobs are compared as they are: nothing is
    run. Exit code 0: no difference; 1: there are some.

    Example: trainyard parity last --on local,k8s
    """
    if len(jobs) > 1 and on is not None:
        raise InvalidInput("--on runs one job again; several jobs are only compared.", field="--on")
    tiers = _tiers(on)
    with Client(load_settings()) as client:
        found = [find_job(client, job) for job in jobs]
        if len(found) == 1:
            found = _run_again(client, found[0], tiers, picky=on is not None)
        runs = _collect(client, found)
    made = compare(runs, tolerance)
    if as_json:
        print_json(_document(runs, made))
    else:
        _show(runs, made)
    raise typer.Exit(1 if made.differences else 0)


def _tiers(text: str | None) -> list[Execution]:
    if text is None:
        return list(Execution)
    return list(dict.fromkeys(parse_tier(name.strip(), Execution.LOCAL) for name in text.split(",")))


# -- running ----------------------------------------------------------------------------------------------------------


def _run_again(client: Client, parent: Job, tiers: Sequence[Execution], *, picky: bool) -> list[Job]:
    """A new run on each tier, ended. `picky`: a tier that is not to be had here is an error, not left out."""
    started: list[Job] = []
    for tier in tiers:
        try:
            started.append(_start(client, parent, tier))
        except Refused as error:
            if error.code in NOT_HERE and not picky:
                err().print(escape(f"Without {tier}: {error.message}"))
                continue
            for job in started:
                client.ask(f"/v1/jobs/{job['id']}/cancel")
            raise
    ended = _wait(client, started)
    return ended if len(ended) > 1 else [parent, *ended]


def _start(client: Client, parent: Job, tier: Execution) -> Job:
    once = {"Idempotency-Key": str(uuid.uuid4())}
    return client.post(f"/v1/jobs/{parent['id']}/retry", {"execution": tier}, headers=once)


def _wait(client: Client, jobs: Sequence[Job]) -> list[Job]:
    """As they are once all have ended; what becomes of them is told as it happens. Ctrl+C stops none of them."""
    told: dict[str, str] = {}
    try:
        while True:
            now = [client.get(f"/v1/jobs/{job['id']}") for job in jobs]
            for job in now:
                _tell(job, told)
            if all(map(is_over, now)):
                return now
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        ids = " ".join(job["id"] for job in jobs)
        err().print(f"\nThe runs go on; compare them once they have ended: trainyard parity {ids}")
        raise


def _tell(job: Job, told: dict[str, str]) -> None:
    of = f" epoch {job['epoch']}/{job['epochs']}" if job["state"] == "RUNNING" and job["epoch"] else ""
    words = f"{job['execution']:<6} {job['id']}  {job['state']}{of}"
    if told.get(job["id"]) != words:
        told[job["id"]] = words
        why = "" if job["state"] in ("RUNNING", "SUCCEEDED") else str(job["message"])
        err().print(escape(f"{words}  {why}".rstrip()))


# -- comparing --------------------------------------------------------------------------------------------------------


def _collect(client: Client, jobs: Sequence[Job]) -> list[Run]:
    """Everything that is compared. Raises Conflict where one has not ended."""
    for job in jobs:
        if not is_over(job):
            raise Conflict(f"{job['id']} has not ended yet.", hint=f"`trainyard logs {job['id']} -f` follows it.")
    tiers = [str(job["execution"]) for job in jobs]
    labels = tiers if len(set(tiers)) == len(tiers) else [str(job["id"]) for job in jobs]
    return [_run(client, job, label) for job, label in zip(jobs, labels, strict=True)]


def _run(client: Client, job: Job, label: str) -> Run:
    path = f"/v1/jobs/{job['id']}"
    return Run(
        label=label,
        job=job,
        surroundings=client.get(f"{path}/surroundings"),
        events=_events(client, path),
        curves=client.get(f"{path}/metrics", limit=100_000)["curves"],
    )


def _events(client: Client, path: str) -> list[dict[str, Any]]:
    """All but the heartbeats, which a long run has too many of."""
    found: list[dict[str, Any]] = []
    while True:
        after = found[-1]["id"] if found else 0
        page = client.get(f"{path}/events", after=after, limit=PAGE, without="heartbeat")["items"]
        found += page
        if len(page) < PAGE:
            return found


# -- showing ----------------------------------------------------------------------------------------------------------


def _show(runs: Sequence[Run], made: Comparison) -> None:
    for note in made.notes:
        err().print(escape(note))
    if not made.differences:
        out().print(escape(f"No difference between {' and '.join(run.label for run in runs)}."))
        return
    rows = made.differences
    columns = [Column("", [one.group for one in rows]), Column("what", [one.what for one in rows])]
    columns += [Column(run.label, [_short(one.values[place]) for one in rows]) for place, run in enumerate(runs)]
    print_table(out(), columns)


def _short(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _document(runs: Sequence[Run], made: Comparison) -> dict[str, Any]:
    labels = [run.label for run in runs]
    return {
        "equal": not made.differences,
        "runs": [
            {"label": run.label, "id": run.job["id"], "execution": run.job["execution"], "state": run.job["state"]}
            for run in runs
        ],
        "differences": [
            {"group": one.group, "what": one.what, "values": dict(zip(labels, one.values, strict=True))}
            for one in made.differences
        ],
        "notes": made.notes,
        "left_out": {
            group: [{"pattern": pattern, "why": why} for pattern, why in rows] for group, rows in LEFT_OUT.items()
        },
    }
