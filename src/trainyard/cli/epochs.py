"""Epochs as they come in, each as one line with the metrics that fit, the one that counts first."""

from collections.abc import Callable, Iterator
from typing import Any

from trainyard.cli.words import number

Metrics = dict[str, float | str]
_LAST = ("lr/", "lr", "time")  # of little interest beside losses and scores


class Epochs:
    """Takes a job's events; `show` gets (epoch, metrics) once for each epoch, and again for what came after it."""

    def __init__(self, show: Callable[[int, Metrics], None]) -> None:
        self._show = show
        self._waiting: dict[int, Metrics] = {}  # a validation that came before its epoch's heartbeat
        self._shown: dict[int, set[str]] = {}

    def take(self, event: dict[str, Any]) -> None:
        data: dict[str, Any] = event["data"]
        epoch: Any = data.get("epoch")
        metrics: Metrics = data.get("metrics") or {}
        if not isinstance(epoch, int) or not metrics:
            return
        match event["type"]:
            case "heartbeat":
                self._tell(epoch, self._waiting.pop(epoch, {}) | metrics)
            case "validation" if epoch in self._shown:
                self._tell(epoch, metrics)
            case "validation":
                self._waiting.setdefault(epoch, {}).update(metrics)
            case _:
                pass

    def finish(self) -> None:
        """The job has ended: show what still waits."""
        for epoch in sorted(self._waiting):
            self._tell(epoch, self._waiting[epoch])
        self._waiting.clear()

    def _tell(self, epoch: int, metrics: Metrics) -> None:
        before = self._shown.setdefault(epoch, set())
        new = {name: value for name, value in metrics.items() if name not in before}
        before.update(new)
        if new:
            self._show(epoch, new)


def epoch_line(epoch: int, epochs: int | None, metrics: Metrics, first: str | None, width: int | None) -> str:
    """`epoch  3/10  mAP50 0.41  loss 1.2`, cut after the last metric that fits into `width` (None: all of them)."""
    total = str(epochs) if epochs else ""
    line = f"epoch {epoch:>{len(total) or 1}}" + (f"/{total}" if total else "")
    for name, value in _in_order(metrics, first):
        longer = f"{line}  {name} {number(value)}"
        if width is not None and len(longer) > width:
            break
        line = longer
    return line


def _in_order(metrics: Metrics, first: str | None) -> Iterator[tuple[str, float | str]]:
    def rank(name: str) -> int:
        if name == first:
            return 0
        return 2 if name.startswith(_LAST) else 1

    for name in sorted(metrics, key=rank):
        yield name, metrics[name]
