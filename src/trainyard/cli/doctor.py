"""`trainyard doctor`: looks at this machine and says what to do about what is wrong."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape

from trainyard.cli.console import out, print_json
from trainyard.settings import load_settings
from trainyard.stack.checkup import Finding, Verdict, examine

app = typer.Typer(add_completion=False, rich_markup_mode=None)
MARKS = {Verdict.OK: "[green]ok  [/]", Verdict.WARN: "[yellow]warn[/]", Verdict.FAIL: "[red]fail[/]"}


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False) -> None:
    """Python, uv, disk, ports, services, keys, GPUs, environments. Exit code 1 when something is broken.

    Example: trainyard doctor
    """
    findings = list(examine(load_settings()))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            _show(finding)
    if any(finding.verdict == Verdict.FAIL for finding in findings):
        raise typer.Exit(1)


def _show(finding: Finding) -> None:
    out().print(f"{MARKS[finding.verdict]}  {finding.what}: {escape(finding.text)}")
    if finding.do:
        out().print(f"      → {escape(finding.do)}")
