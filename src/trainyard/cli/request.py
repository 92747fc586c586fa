"""From options to the body of a submit: defaults, parameters, and the sample dataset where none was named."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from trainyard.cli.client import Client
from trainyard.cli.samples import BUILT_IN, load_sample, samples_of
from trainyard.contract.vocabulary import Execution
from trainyard.errors import InvalidInput, NotFound
from trainyard.settings import Settings

DEFAULT_FRAMEWORK = "ultralytics"
DEFAULT_MODEL = "yolo11n"
DEFAULT_EPOCHS = 10  # both with the default trainer, as it always was


@dataclass(frozen=True, slots=True)
class Wanted:
    """A training as it was asked for; None is left to the defaults."""

    framework: str
    model: str | None = None
    epochs: int | None = None
    dataset: str | None = None
    task: str | None = None
    name: str = ""
    tags: list[str] = field(default_factory=list[str])
    gpus: int | None = None
    params: dict[str, str] = field(default_factory=dict[str, str])
    keep_epochs: int = 0
    resources: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def all_params(self) -> dict[str, Any]:
        epochs = self.epochs
        if epochs is None and "epochs" not in self.params and self.framework == DEFAULT_FRAMEWORK:
            epochs = DEFAULT_EPOCHS
        return self.params | ({} if epochs is None else {"epochs": epochs})

    def on(self, dataset: str) -> "Wanted":
        return replace(self, dataset=dataset)

    def body(self) -> dict[str, Any]:
        """For POST /v1/jobs."""
        return {
            "framework": self.framework,
            "model": self.model,
            "dataset_id": self.dataset,
            "task": self.task,
            "name": self.name,
            "tags": self.tags,
            "gpus": self.gpus,
            "keep_epochs": self.keep_epochs,
            "params": self.all_params,
            "resources": self.resources,
        }


def parse_assignments(given: Sequence[str] | None) -> dict[str, str]:
    """`lr=0.1` → {"lr": "0.1"}; the backend knows each parameter's type. Raises InvalidInput."""
    params: dict[str, str] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise InvalidInput(f"--set {text!r} is no assignment.", hint="Write --set name=value.", field="--set")
        params[name.strip()] = value
    return params


def wishes(**given: str | int | None) -> dict[str, Any]:
    """What was asked of a cluster; the backend knows how it is written."""
    return {name: value for name, value in given.items() if value is not None}


def parse_tier(text: str | None, default: Execution) -> Execution:
    """What --on says. Raises InvalidInput."""
    try:
        return Execution(text) if text is not None else default
    except ValueError:
        raise InvalidInput(f"There is no tier {text!r}.", hint="Write local, k8s or image.", field="--on") from None


def ready_dataset(settings: Settings, client: Client, wanted: str | None, framework: str, task: str | None) -> str:
    """The dataset to train on, loaded into the store first where it is a sample that is not there yet."""
    tasks = _tasks_of(client, framework)
    samples = samples_of(client)
    if wanted is None:
        own = [sample for sample, maker in samples.items() if maker == framework]
        wanted = own[0] if own else BUILT_IN[task or next((name for name in BUILT_IN if name in tasks), "detect")]
    if wanted in samples:
        load_sample(settings, client, wanted)
    return wanted  # the backend says what is wrong with any other


def _tasks_of(client: Client, framework: str) -> list[str]:
    """Raises NotFound before anything is loaded for a trainer that isn't there."""
    trainers: list[dict[str, Any]] = client.get("/v1/trainers")["items"]
    for trainer in trainers:
        if trainer["framework"] == framework:
            return list(trainer["manifest"]["tasks"]) if trainer["usable"] else []
    there = ", ".join(trainer["framework"] for trainer in trainers) or "none"
    raise NotFound(f"There is no trainer {framework!r}.", hint=f"There are: {there}.", field="framework")
