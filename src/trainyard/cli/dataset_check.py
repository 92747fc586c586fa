"""`trainyard datasets check`: what is wrong with pictures and labels, here without a backend, or one that it has."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from trainyard.cli.client import Client
from trainyard.cli.console import duration, err, out, print_json
from trainyard.cli.fit import Column, print_table
from trainyard.cli.upload import pack
from trainyard.errors import InvalidInput, TrainyardError
from trainyard.settings import load_settings

LOOK_SECONDS = 0.5
CHECKER = [sys.executable, "-P", "-m", "trainyard.datasets.check"]  # a process of its own: pictures are anybody's
MARKS = {"error": "[red]✖ error  [/]", "warning": "[yellow]! warning[/]"}

Report = dict[str, Any]


class CheckFailed(TrainyardError):
    code = "check_failed"


def check(
    dataset: Annotated[str, typer.Argument(metavar="PATH|DATASET", help="A zip or folder here, or a dataset's id.")],
    again: Annotated[bool, typer.Option("--again", help="Of a dataset: look at each picture anew.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Look at each picture and label: unreadable ones, boxes outside, duplicates across splits … Exit code 1: errors.

    A path is checked here, without a backend; a dataset that was uploaded by the backend.

    Example: trainyard datasets check ./my-pictures
    """
    path = Path(dataset)
    report = _here(path) if path.exists() else _there(dataset, again=again)
    if as_json:
        print_json(report)
    else:
        _show(report)
    if report["not_ready_because"] or any(problem["severity"] == "error" for problem in report["problems"]):
        raise typer.Exit(1)


# -- here -----------------------------------------------------------------------------------------------------------


def _here(path: Path) -> Report:
    max_pixels = load_settings().max_picture_pixels
    with _zip_of(path) as packed, _progress() as progress:
        task = progress.add_task("Checking", total=None)
        process = subprocess.Popen(
            [*CHECKER, str(packed.absolute()), "--max-pixels", str(max_pixels), "--heed-stdin"],
            stdin=subprocess.PIPE,  # it ends when this does
            stdout=subprocess.PIPE,
            cwd=Path(sys.executable).anchor,
            start_new_session=True,  # Ctrl+C is for us
        )
        said: dict[str, Any] = {}
        try:
            assert process.stdout is not None
            for line in process.stdout:
                said = json.loads(line)
                if "pictures" in said:
                    progress.update(task, completed=said["done"], total=said["pictures"])
        finally:
            process.kill()
            process.wait()
    if "refused" in said:
        raise InvalidInput(said["refused"], hint=said["hint"], field="PATH")
    if "report" not in said:
        raise CheckFailed(f"The check of {path} ended early, with exit code {process.returncode}.")
    return {"pictures": said["pictures"], "not_ready_because": said["refusals"], **said["report"]}


@contextmanager
def _zip_of(path: Path) -> Generator[Path]:
    """What would be uploaded."""
    if path.is_file():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="trainyard-") as folder:
        pack(path, Path(folder) / "dataset.zip", compress=False)
        yield Path(folder) / "dataset.zip"


# -- there ----------------------------------------------------------------------------------------------------------


def _there(dataset_id: str, *, again: bool) -> Report:
    if not dataset_id or not all(letter.isalnum() or letter == "-" for letter in dataset_id):
        raise InvalidInput(f"There is no {dataset_id}.", hint="Give a zip, a folder, or a dataset's id.", field="PATH")
    at = f"/v1/datasets/{dataset_id}/check"
    with Client(load_settings()) as client, _progress() as progress:
        report: Report = client.ask(at) if again else client.get(at)
        task = progress.add_task("Checking", total=None)
        while report["state"] in ("waiting", "checking"):
            progress.update(task, completed=report["done_pictures"], total=report["pictures"] or None)
            time.sleep(LOOK_SECONDS)
            report = client.get(at)
    if report["state"] == "failed":
        raise CheckFailed(report["message"], hint=f"`trainyard datasets check {dataset_id} --again` tries it anew.")
    return report


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=err(), transient=True, disable=not err().is_terminal)


# -- shown ----------------------------------------------------------------------------------------------------------


def _show(report: Report) -> None:
    console = out()
    for problem in report["problems"]:
        console.print(f"{MARKS[problem['severity']]} {escape(problem['message'])}")
        for file in problem["files"]:
            console.print(f"            {escape(file)}")
        if problem["files"] and problem["count"] > len(problem["files"]):
            console.print(f"            … and {problem['count'] - len(problem['files']):,} more")
    _show_splits(report["splits"])
    for reason in report["not_ready_because"]:
        console.print(f"[bold red]Not ready:[/] {escape(reason)}")
    errors = sum(problem["count"] for problem in report["problems"] if problem["severity"] == "error")
    warnings = sum(problem["count"] for problem in report["problems"]) - errors
    took = duration(cast("float", report["seconds"]))
    pictures = counted(report["pictures"], "picture")
    console.print(f"{pictures} in {took}: {counted(errors, 'error')}, {counted(warnings, 'warning')}.")


def counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _show_splits(splits: dict[str, dict[str, Any]]) -> None:
    parts = list(splits.values())
    columns = [
        Column("split", list(splits)),
        Column(">pictures", [f"{part['pictures']:,}" for part in parts]),
        Column(">share", [f"{part['share']:.0%}" for part in parts]),
        Column(">labelled", [f"{part['labelled']:,}" for part in parts]),
        Column(">empty", [f"{part['empty']:,}" for part in parts], 1),
        Column(">boxes", [f"{part['boxes']:,}" for part in parts], 1),
    ]
    print_table(out(), columns)
