"""What may help a job that failed: the same again, from its checkpoint, or with parameters that its trainer allows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from trainyard.contract.manifest import Parameter, Scalar, variable_of
from trainyard.jobs.model import Job

PICTURE_STEP = 32  # image sizes that every model takes are multiples of this


@dataclass(frozen=True, slots=True)
class Remedy:
    """Something to start; `command` is how a person types it."""

    kind: Literal["retry", "retry_with", "resume"]
    command: str
    params: dict[str, Scalar] = field(default_factory=dict[str, Scalar])


@dataclass(frozen=True, slots=True)
class Knobs:
    """A job's parameters, and what its trainer declares of each ({} where its trainer.toml can't be read)."""

    params: Mapping[str, Scalar]
    declared: Mapping[str, Parameter]

    def less_memory(self) -> dict[str, Scalar]:
        """Half the batch; with a batch of one, smaller pictures."""
        batch, size = self._number("batch_size"), self._number("image_size")
        if batch and batch > 1:
            return self._allowed("batch_size", int(batch) // 2)
        if size and size > PICTURE_STEP:
            return self._allowed("image_size", max(PICTURE_STEP, int(size * 0.75) // PICTURE_STEP * PICTURE_STEP))
        return {}

    def gentler_rate(self) -> dict[str, Scalar]:
        rate = self._number("learning_rate")
        return self._allowed("learning_rate", float(f"{rate / 10:.6g}")) if rate and rate > 0 else {}

    def no_workers(self) -> dict[str, Scalar]:
        """Pictures are loaded by the trainer itself."""
        return self._allowed("workers", 0) if self.params.get("workers") != 0 else {}

    def default_of(self, name: str) -> dict[str, Scalar]:
        parameter = self.declared.get(name)
        if parameter is None or parameter.default == self.params.get(name):
            return {}
        return {name: parameter.default}

    def parameter_in(self, line: str) -> str | None:
        """The parameter whose variable a line names: LEARNING_RATE=x is not valid → learning_rate."""
        words = set(line.replace("=", " ").replace(":", " ").split())
        return next((name for name in [*self.params, *self.declared] if variable_of(name) in words), None)

    def may_be(self, name: str) -> str:
        """What its trainer allows, in words; empty where it says nothing."""
        parameter = self.declared.get(name)
        if parameter is None:
            return ""
        if parameter.choices:
            return f"one of {', '.join(map(str, parameter.choices))}"
        bounds = [("at least", parameter.min), ("at most", parameter.max)]
        return " and ".join(f"{word} {bound:g}" for word, bound in bounds if bound is not None)

    def _number(self, name: str) -> float | None:
        value = self.params.get(name)
        return None if isinstance(value, (bool, str)) else value

    def _allowed(self, name: str, value: Scalar) -> dict[str, Scalar]:
        parameter = self.declared.get(name)
        if parameter is None:
            return {}
        try:
            fitting = parameter.coerce(value)
        except ValueError:
            return {}
        return {} if fitting == self.params.get(name) else {name: fitting}


def with_params(job: Job, params: dict[str, Scalar]) -> Remedy | None:
    if not params or job.script is not None:
        return None
    settings = " ".join(f"--set {name}={value}" for name, value in params.items())
    return Remedy("retry_with", f"trainyard retry {job.id} {settings}", params)


def again(job: Job) -> Remedy | None:
    """From its checkpoint where there is one and epochs are left, else from the beginning."""
    if job.script is not None:
        return None  # only a terminal can run it again
    planned = job.params.get("epochs")
    left = job.epoch is None or not isinstance(planned, int) or job.epoch < planned
    if job.checkpoint and job.callbacks and left:
        return Remedy("resume", f"trainyard resume {job.id}")
    return Remedy("retry", f"trainyard retry {job.id}")
