"""What a submit asks for, and checking it against trainers: what is wrong is said before there is a row."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from trainyard.contract.keys import CHECKPOINT_KIND_PATTERN, CODE_HASH_PATTERN, DATASET_ID_PATTERN, PROJECT_ID_PATTERN
from trainyard.contract.manifest import Manifest, Parameter, Scalar, TaskSupport
from trainyard.contract.resources import Resources
from trainyard.contract.vocabulary import Execution, Task
from trainyard.errors import InvalidInput

# a plain script's own parameters have no declaration: what they are sent as is what they are
FREE = {
    bool: Parameter(type="bool", default=False),
    int: Parameter(type="int", default=0),
    float: Parameter(type="float", default=0.0),
    str: Parameter(type="str", default=""),
}
Plain = r"^[^\x00-\x1f\x7f]*$"  # names are shown in lists, logs and terminals: no control characters
Tag = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=Plain)]


class SubmitJob(BaseModel):
    """A training. Everything but the framework has a default."""

    model_config = ConfigDict(extra="forbid")

    project_id: str = Field("default", pattern=PROJECT_ID_PATTERN)
    name: str = Field("", max_length=200, pattern=Plain, description="Empty: the model's and dataset's names")
    tags: list[Tag] = Field(default_factory=list[Tag], max_length=20)
    notes: str = Field("", max_length=10_000)
    framework: str = Field(min_length=1, max_length=60)
    task: Task | None = Field(None, description="Empty: what trainer and dataset have in common")
    model: str | None = Field(None, min_length=1, max_length=200)
    dataset_id: str | None = Field(None, pattern=DATASET_ID_PATTERN)
    params: dict[str, Scalar] = Field(default_factory=dict[str, Scalar], max_length=100)
    execution: Execution | None = Field(None, description="Tier; empty: the installation's default")
    priority: int = Field(0, ge=-100, le=100, description="Higher runs earlier")
    gpus: int | None = Field(None, ge=0, le=64, description="Empty: one, if there is one; on a cluster: none")
    resources: Resources = Field(default_factory=Resources, description="What it asks of a cluster")
    code: str | None = Field(
        None, pattern=CODE_HASH_PATTERN, description="Tier k8s: the bundle to run, sent before. Empty: the trainer's"
    )
    keep_epochs: int = Field(0, ge=0, le=10_000, description="Keep a checkpoint of each of the newest so many epochs")
    attached: bool = Field(False, description="A terminal on the backend's machine will run it (`trainyard train`)")
    script: str | None = Field(
        None, max_length=4_000, description="With attached or code: the script instead of train.py; a path in the code"
    )

    @property
    def wishes(self) -> Resources:
        """`gpus` can be said in two places: the job's own wins."""
        return self.resources if self.gpus is None else self.resources.model_copy(update={"gpus": self.gpus})


class RetryJob(BaseModel):
    """The same again as a new job, with these parameters instead of what they were, perhaps on another tier."""

    model_config = ConfigDict(extra="forbid")

    params: dict[str, Scalar] = Field(default_factory=dict[str, Scalar], max_length=100)
    execution: Execution | None = Field(default=None, description="Tier; empty: where it ran")


class ResumeJob(BaseModel):
    """Going on from a job's checkpoint as a new job: everything that is not said stays as it was."""

    model_config = ConfigDict(extra="forbid")

    checkpoint: str = Field("last", pattern=CHECKPOINT_KIND_PATTERN, description="last, best or epoch-7")
    epochs: int | None = Field(None, ge=1, le=10**9, description="Empty: on to the planned epochs of the job")
    name: str | None = Field(None, min_length=1, max_length=200, pattern=Plain)
    params: dict[str, Scalar] = Field(default_factory=dict[str, Scalar], max_length=100)
    execution: Execution | None = None


class ChangeJob(BaseModel):
    """What may change after a submit."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, min_length=1, max_length=200, pattern=Plain)
    tags: list[Tag] | None = Field(None, max_length=20)
    notes: str | None = Field(None, max_length=10_000)
    priority: int | None = Field(None, ge=-100, le=100)


def is_plain_script(request: SubmitJob, manifest: Manifest, trainer_folder: Path) -> bool:
    """A script that is not the trainer's own owes no callbacks: its exit code decides."""
    if request.script is None:
        return not manifest.callbacks
    return not manifest.callbacks or Path(request.script) != trainer_folder / manifest.entrypoint


def choose_task(request: SubmitJob, manifest: Manifest, dataset_tasks: list[str] | None) -> Task:
    """The task asked for, or the first that trainer and dataset share. Raises InvalidInput."""
    offered = list(manifest.tasks)
    if request.task is not None and request.task not in offered:
        raise InvalidInput(
            f"Trainer {manifest.framework} can't {request.task}.",
            hint=f"It can: {', '.join(offered)}.",
            field="task",
        )
    wanted = [request.task] if request.task is not None else offered
    if dataset_tasks is None:
        return wanted[0]
    for task in wanted:
        if task in dataset_tasks:
            return task
    raise InvalidInput(
        f"Dataset {request.dataset_id} is for {' and '.join(dataset_tasks)}, "
        f"not for {' or '.join(wanted)} with {manifest.framework}.",
        hint="Choose another dataset, task or trainer.",
        field="dataset_id",
    )


def choose_model(request: SubmitJob, support: TaskSupport, plain: bool) -> str:
    """The model asked for if the trainer has it. A plain script may call its model what it likes."""
    if request.model is None:
        return support.default_model
    if plain or support.accepts_model(request.model):
        _no_path(request.model)
        return request.model
    raise InvalidInput(
        f"{request.framework} has no model {request.model[:80]!r} for this task.",
        hint=f"It has: {', '.join(support.models[:12])}.",
        field="model",
    )


def _no_path(model: str) -> None:
    """A model's name becomes part of file names and storage keys in trainers."""
    if ".." in model or model.startswith(("/", "\\")) or any(ord(c) < 32 for c in model):
        raise InvalidInput(f"{model[:80]!r} is no model's name.", hint="Give a name, not a path.", field="model")


def fill_params(request: SubmitJob, manifest: Manifest, task: Task, plain: bool) -> dict[str, Scalar]:
    """Every parameter of the trainer with its value: given, checked, or the task's default. Raises InvalidInput."""
    filled: dict[str, Scalar] = {name: parameter.default for name, parameter in manifest.params.items()}
    filled |= manifest.tasks[task].defaults
    for name, value in request.params.items():
        parameter = manifest.params.get(name)
        if parameter is None and not plain:
            raise InvalidInput(
                f"{manifest.framework} has no parameter {name[:60]!r}.",
                hint=f"It has: {', '.join(manifest.params)}.",
                field=f"params.{name[:60]}",
            )
        try:
            if parameter is None:
                filled[_free_name(name)] = FREE[type(value)].coerce(value)
            else:
                filled[name] = parameter.coerce(value)
        except ValueError as error:
            raise InvalidInput(f"{name} {error}; it is {str(value)[:60]}.", field=f"params.{name}") from None
    return filled


def _free_name(name: str) -> str:
    """A plain script's own parameter arrives as PARAM_{NAME}."""
    if not name.isidentifier() or not name.isascii() or len(name) > 60:
        raise InvalidInput(f"{name[:60]!r} is no parameter's name.", hint="Use letters, digits and _.", field="params")
    return name.lower()
