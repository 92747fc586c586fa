"""`trainyard test`: the suites below tests/, one pytest run each, and an honest count at the end."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from trainyard.cli.console import duration, err, table
from trainyard.cli.suites import SUITES, Outcome, minimums, run_suite
from trainyard.errors import InvalidInput, NotAvailable
from trainyard.settings import checkout

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)


@app.command()
def test(
    context: typer.Context,
    suite: Annotated[list[str] | None, typer.Option("--suite", "-s", help="Only this one; may be repeated.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="A skip, or a suite that shrank, is a failure.")] = False,
) -> None:
    """Run every test that this machine can run. Other arguments go to pytest.

    Example: trainyard test --suite unit -k states
    """
    root = checkout()
    if root is None or not (root / "tests").is_dir():
        raise NotAvailable(
            "The tests are in the source, not in the package.", hint="Run it from a clone: ./trainyard test"
        )
    present = [name for name in SUITES if (root / "tests" / name).is_dir()]
    for name in suite or []:
        if name not in present:
            raise InvalidInput(f"There is no suite {name}.", hint=f"There are: {', '.join(present)}.", field="--suite")
    strict = strict or os.environ.get("CI", "").lower() == "true"
    outcomes = [run_suite(root, name, context.args) for name in (suite or present)]
    complaints = _complaints(root, outcomes, whole=not context.args) if strict else []
    if strict and not suite:
        complaints += [f"tests/{name} is not there" for name in minimums(root) if name not in present]
    _summary(root, outcomes, complaints)
    failed = sum(outcome.failed for outcome in outcomes) + len(complaints)
    print(f"{sum(outcome.passed for outcome in outcomes)} passed, {failed} failed", flush=True)
    sys.exit(1 if failed else 0)


def _complaints(root: Path, outcomes: list[Outcome], *, whole: bool) -> list[str]:
    """What only a strict run minds. `whole`: nothing was selected, so the counts mean something."""
    found = [f"{item.suite}: {len(item.skipped)} skipped" for item in outcomes if item.skipped]
    folders = {path.parent.name for path in (root / "tests").glob("*/test_*.py")}
    found += [f"tests/{name} is no suite: nobody runs it" for name in sorted(folders - SUITES.keys())]
    if whole:
        least = minimums(root)
        for item in outcomes:
            if item.suite not in least:
                found.append(f"{item.suite}: has no minimum in tests/minimums.toml")
            elif item.count < least[item.suite]:
                found.append(
                    f"{item.suite}: holds {item.count} tests, and tests/minimums.toml asks for {least[item.suite]}"
                )
    return found


def _summary(root: Path, outcomes: list[Outcome], complaints: list[str]) -> None:
    shown = table("suite", ">passed", ">failed", ">skipped", ">time", "")
    for item in outcomes:
        numbers = (str(item.passed), str(item.failed), str(len(item.skipped)))
        shown.add_row(item.suite, *numbers, duration(item.seconds), escape(item.note))
    err().print(shown)
    reasons: dict[str, int] = {}
    for item in outcomes:
        for reason in item.skipped:
            reasons[reason] = reasons.get(reason, 0) + 1
    if reasons:
        err().print("\nSkipped, and what would let them run:")
    for reason, count in sorted(reasons.items()):
        err().print(f"  {count} × {escape(reason)}")
    for complaint in complaints:
        err().print(f"[red]strict:[/] {escape(complaint)}")
