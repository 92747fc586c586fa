"""Showing that something is under way, and afterwards how long it took."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from trainyard.cli.console import duration, err

PLAIN_SECONDS = 10.0  # without a terminal: a line so often at most


@dataclass(slots=True)
class Stage:
    """What its block says: `update` changes the moving line, `done` is what stays."""

    update: Callable[[str], None]
    words: str = ""

    def done(self, text: str) -> None:
        self.words = text


@contextmanager
def stage(title: str) -> Generator[Stage]:
    """Shows `title` while the block runs, and what the block said at its end with the time it took."""
    began = time.monotonic()
    with under_way(title, err()) as update:
        told = Stage(update)
        yield told
    if told.words:
        tell_done(err(), told.words, time.monotonic() - began)


def tell_done(console: Console, text: str, seconds: float) -> None:
    console.print(f"[green]✓[/] {escape(text)}  [dim]{duration(seconds)}[/]")


@contextmanager
def under_way(title: str, console: Console) -> Generator[Callable[[str], None]]:
    """A line with a spinner and a clock, gone at the end, whose text can be changed; without a terminal, lines."""
    if not console.is_terminal:
        said = _Throttled(console)
        if title:
            said(title)
        yield said
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(escape(title))
        yield lambda text: progress.update(task, description=escape(text))


class _Throttled:
    """Prints a text that is new, but not every second one that only counts on."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last = ""
        self._at = float("-inf")

    def __call__(self, text: str) -> None:
        now = time.monotonic()
        if text == self._last or now - self._at < PLAIN_SECONDS:
            return
        self._last, self._at = text, now
        self._console.print(f"  {escape(text)}")
