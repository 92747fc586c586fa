"""How the CLI speaks: results on stdout, everything else on stderr, JSON for machines."""

import json
from functools import cache
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from trainyard.errors import TrainyardError


@cache
def out() -> Console:
    """For results: what a pipe should get."""
    return Console(highlight=False, soft_wrap=True)


@cache
def err() -> Console:
    """For progress, questions and errors."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(data: Any) -> None:
    """One document on stdout, without colours."""
    print(json.dumps(data, indent=2, ensure_ascii=False, default=str))


def print_error(error: TrainyardError) -> None:
    err().print(f"[bold red]Error:[/] {escape(error.message)}")
    if error.hint:
        err().print(f"  {escape(error.hint)}")


def table(*columns: str) -> Table:
    """A table without lines: names that start with > are for numbers."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in columns:
        made.add_column(name.removeprefix(">"), justify="right" if name.startswith(">") else "left", no_wrap=True)
    return made


def duration(seconds: float) -> str:
    """0.42 s, 7.3 s, 4 min 05 s, 3 h 12 min, 2 d 04 h."""
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, left = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {left:02} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes:02} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours:02} h"


def size(count: float) -> str:
    """512 B, 1.5 kB, 20 MB, 3.2 GB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 10 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
