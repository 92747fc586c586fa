"""`trainyard check`: puts a trainer, in any language, through everything the contract promises."""

import shutil
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from trainyard.cli.console import duration, err, print_json, table
from trainyard.cli.options import Assignments, Model
from trainyard.cli.request import parse_assignments
from trainyard.conformance.kit import check as play_and_judge
from trainyard.conformance.kit import running_services, wanted_clauses
from trainyard.conformance.report import as_document, count, write_calls, write_junit
from trainyard.conformance.run import Stage
from trainyard.conformance.services import mlflow_environment
from trainyard.conformance.subject import Subject, find_subject
from trainyard.conformance.timing import Timing
from trainyard.conformance.verdict import Fail, Verdict
from trainyard.contract.vocabulary import Task
from trainyard.settings import load_settings

app = typer.Typer(add_completion=False, rich_markup_mode=None)
COLOURS = {"pass": "green", "fail": "bold red", "n/a": "dim", "not judged": "yellow"}


@app.command()
def check(
    trainer_dir: Annotated[Path, typer.Argument(metavar="TRAINER_DIR", help="A folder trainer-… with a trainer.toml.")],
    clause: Annotated[
        list[str] | None, typer.Option("--clause", "-c", metavar="ID", help="Only this one; may be repeated.")
    ] = None,
    task: Annotated[Task | None, typer.Option("--task", help="Default: the first in trainer.toml.")] = None,
    model: Model = None,
    assignments: Assignments = None,
    python: Annotated[
        Path | None, typer.Option("--python", help="The interpreter to use. Default: the trainer's environment.")
    ] = None,
    away: Annotated[float, typer.Option("--away", min=1, help="For how many seconds the backend goes away.")] = 60,
    patience: Annotated[
        float,
        typer.Option(
            "--patience", metavar="FACTOR", min=1, max=100, help="Wait so many times as long, on a slow machine."
        ),
    ] = 1,
    jobs: Annotated[
        int,
        typer.Option(
            "--jobs", "-j", min=1, max=32, help="How many runs at a time, not counting the one with the backend away."
        ),
    ] = 2,
    keep: Annotated[bool, typer.Option("--keep", "-k", help="Keep the runs' folders when all is well, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    junit: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="A JUnit report, for CI.")] = None,
) -> None:
    """Check a trainer in any language against the contract, clause by clause, with real S3, MLflow and signals.

    Example: trainyard check trainer-template
    """
    began, settings = time.monotonic(), load_settings()
    clauses = wanted_clauses(clause or [])
    given = parse_assignments(assignments)
    subject = find_subject(trainer_dir, settings, task=task, model=model, python=python, assignments=given, say=_say)
    folder = Path(tempfile.mkdtemp(prefix="trainyard-check-"))
    kept = True
    try:
        with running_services(folder / "services", mlflow_environment(settings)) as services:
            stage = Stage(subject, services, Timing(away=away).patient(patience), folder / "runs")
            verdicts, seen = play_and_judge(stage, clauses, jobs, _say)
        write_calls(seen)
        kept = keep or not all(verdict.good for verdict in verdicts)
    finally:
        shutil.rmtree(folder if not kept else folder / "services", ignore_errors=True)
    seconds = time.monotonic() - began
    if junit is not None:
        write_junit(junit, subject, verdicts, seconds)
    if as_json:
        print_json(as_document(subject, verdicts, seconds, stage.folder if kept else None))
    else:
        _show(subject, verdicts, seconds, stage.folder if kept else None)
    if not all(verdict.good for verdict in verdicts):
        raise typer.Exit(1)


def _say(text: str) -> None:
    err().print(f"[dim]{escape(text)}[/]")


def _show(subject: Subject, verdicts: list[Verdict], seconds: float, folder: Path | None) -> None:
    console = Console(highlight=False)
    console = console if console.is_terminal else Console(highlight=False, width=80)
    shown = table("clause", "result", "what was seen")
    shown.columns[2].no_wrap = False
    for verdict in verdicts:
        word = f"[{COLOURS[verdict.word]}]{verdict.word}[/]"
        one_line = verdict.word == "pass"
        text = Text(verdict.text, no_wrap=one_line, overflow="ellipsis" if one_line else "fold")
        shown.add_row(verdict.clause.id, word, text)
    console.print(shown)
    for verdict in verdicts:
        if isinstance(verdict.result, Fail):
            _explain(console, verdict, verdict.result, folder)
    numbers = ", ".join(f"{number} {word}" for word, number in count(verdicts).items() if number)
    console.print(f"\ntrainer-{subject.framework} ({subject.task}, {subject.model}): {numbers}, {duration(seconds)}")
    if folder is not None:
        console.print(f"Kept: {escape(str(folder))}", soft_wrap=True)


def _explain(console: Console, verdict: Verdict, result: Fail, folder: Path | None) -> None:
    console.print(f"\n[bold red]{verdict.clause.id}[/]: a trainer {escape(verdict.clause.title)}")
    console.print(f"  contract: {escape(verdict.clause.promise)}")
    console.print(f"  seen:     {escape(result.seen)}")
    console.print(f"  expected: {escape(result.expected)}")
    console.print(f"  do:       {escape(result.do)}")
    for name in verdict.clause.needs:
        if folder is not None:
            console.print(f"  look at:  {escape(str(folder / name))}", soft_wrap=True)
