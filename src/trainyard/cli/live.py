"""Following a job as it goes: what it waits for, what is prepared, each epoch's metrics, until its end."""

import time
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TextColumn, TimeElapsedColumn

from trainyard.cli.client import Client
from trainyard.cli.console import err, out
from trainyard.cli.epochs import Epochs, Metrics, epoch_line
from trainyard.cli.stages import PLAIN_SECONDS, tell_done
from trainyard.cli.words import Job
from trainyard.contract.vocabulary import State

BAR_FROM = 70  # columns that a terminal needs for a bar beside the words


def watch(client: Client, job: Job, best_metric: str | None) -> Job:
    """Show a job until it has ended, and return it as it then is. Leaving by Ctrl+C does nothing to the job."""
    with _Status() as status:
        live = _Live(job, best_metric, status)
        for event in client.events(status.say, after=0, job_id=job["id"]):
            if live.take(event):
                break
    return client.get(f"/v1/jobs/{job['id']}")


class _Status:
    """The moving line below everything else; without a terminal, a line now and then."""

    def __init__(self) -> None:
        # one console draws: two on the same terminal would overwrite each other
        self.console: Console = out() if out().is_terminal else err()
        bar: tuple[ProgressColumn, ...] = (BarColumn(20),) if self.console.width >= BAR_FROM else ()
        columns = (SpinnerColumn(), TextColumn("{task.description}"), *bar, TimeElapsedColumn())
        self._progress = Progress(*columns, console=self.console, transient=True)
        self._task = self._progress.add_task("waiting for its turn", total=None)
        self._said_at = float("-inf")

    def __enter__(self) -> "_Status":
        if self.console.is_terminal:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def update(self, text: str, progress: float | None = None, *, quiet: bool = False) -> None:
        total = None if progress is None else 1.0
        self._progress.update(
            self._task, description=escape(text[: self._room]), total=total, completed=min(progress or 0, 0.999)
        )
        if not (quiet or self.console.is_terminal) and time.monotonic() - self._said_at > PLAIN_SECONDS:
            self._said_at = time.monotonic()
            self.say(text)

    @property
    def _room(self) -> int:
        return max(20, self.console.width - (36 if self.console.width >= BAR_FROM else 12))

    def say(self, text: str) -> None:
        """A line that stays."""
        self.console.print(f"  {escape(text)}")

    def done(self, text: str, seconds: float) -> None:
        tell_done(self.console, text, seconds)


class _Live:
    """What each event means for the screen."""

    def __init__(self, job: Job, best_metric: str | None, status: _Status) -> None:
        self._epochs_planned: int | None = job["epochs"]
        self._best_metric = best_metric
        self._status = status
        self._epochs = Epochs(self._print_epoch)
        self._preparing_since: float | None = None
        self._launched_at: float | None = None
        self._waiting_for_speech = True

    def take(self, event: dict[str, Any]) -> bool:
        """True once the job has ended."""
        self._epochs.take(event)
        match event["type"]:
            case "state":
                return self._take_state(event)
            case "preparing":
                self._preparing_since = self._preparing_since or event["at"]
                self._status.update(event["message"])
            case "waiting":
                self._status.update(event["message"])
            case "launched":
                self._launched(event["at"])
            case "heartbeat":
                self._take_heartbeat(event["data"])
            case "warning" | "stuck" | "unstuck":
                self._status.say(f"! {event['message']}")
            case "cancel_requested":
                self._status.update("asked to stop")
            case _:
                pass
        return False

    def _take_state(self, event: dict[str, Any]) -> bool:
        state = State(event["data"]["to"])
        if state is State.RUNNING and self._launched_at is not None:
            self._status.done("The trainer runs", event["at"] - self._launched_at)
            self._status.update("starting", quiet=True)
        if state.is_terminal:
            self._epochs.finish()
        return state.is_terminal

    def _launched(self, at: float) -> None:
        self._launched_at = at
        if self._preparing_since is not None:
            self._status.done("The trainer's environment is ready", at - self._preparing_since)
        self._status.update("waiting for the trainer's first words")

    def _take_heartbeat(self, data: dict[str, Any]) -> None:
        self._epochs_planned = data.get("epochs") or self._epochs_planned
        epoch, phase = data.get("epoch"), data.get("phase") or "training"
        counted = f"{phase}, epoch {epoch}/{self._epochs_planned}" if epoch and self._epochs_planned else phase
        progress = data.get("progress")
        if progress is None and epoch and self._epochs_planned:
            progress = epoch / self._epochs_planned
        self._status.update(counted, progress, quiet=bool(data.get("metrics")))

    def _print_epoch(self, epoch: int, metrics: Metrics) -> None:
        width = out().width if out().is_terminal else None
        line = epoch_line(epoch, self._epochs_planned, metrics, self._best_metric, width)
        out().print(escape(line))
