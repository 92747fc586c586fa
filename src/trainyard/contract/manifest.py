"""trainer.toml: what a trainer says of itself. The API, the CLI and the page show what stands here."""

import math
import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from trainyard.contract.resources import Needs
from trainyard.contract.vocabulary import Task

FRAMEWORK_PATTERN = r"^[a-z0-9][a-z0-9-]{0,40}$"
Scalar = bool | int | float | str
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,60}$")]

# parameters with a variable of their own in the contract; every other one travels as PARAM_{NAME}
CORE_VARIABLES = {
    "epochs": "EPOCHS",
    "batch_size": "BATCH_SIZE",
    "learning_rate": "LEARNING_RATE",
    "image_size": "IMAGE_SIZE",
    "seed": "SEED",
}


class Parameter(BaseModel):
    """One knob: its type, range, default and what it does."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["int", "float", "bool", "str"]
    default: Scalar
    min: float | None = None
    max: float | None = None
    choices: list[Scalar] | None = None
    help: str = ""
    help_ko: str = ""
    core: bool = False

    def coerce(self, value: object) -> Scalar:
        """The value as this parameter's type. Raises ValueError in words a user can act on."""
        match self.type:
            case "bool":
                result: Scalar = _as_bool(value)
            case "int":
                result = _as_int(value)
            case "float":
                result = _as_float(value)
            case "str":
                if not isinstance(value, str) or len(value) > 1_000 or "\0" in value:
                    raise ValueError("must be a text of at most 1,000 characters")
                result = value
        if self.choices is not None and result not in self.choices:
            raise ValueError(f"must be one of {', '.join(map(str, self.choices))}")
        if isinstance(result, (int, float)) and not isinstance(result, bool):
            if self.min is not None and result < self.min:
                raise ValueError(f"must be at least {self.min:g}")
            if self.max is not None and result > self.max:
                raise ValueError(f"must be at most {self.max:g}")
        return result


def _as_bool(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false", "1", "0", "yes", "no"):
        return value.lower() in ("true", "1", "yes")
    raise ValueError("must be true or false")


def _as_int(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError("must be a whole number")
    try:
        number = float(value) if isinstance(value, (float, str)) else value
        if number != int(number):
            raise ValueError
    except (ValueError, OverflowError):
        raise ValueError("must be a whole number") from None
    if abs(int(number)) > 2**53:
        raise ValueError("is too large")
    return int(number)


def _as_float(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError("must be a number")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise ValueError("must be a number") from None
    if not math.isfinite(number):
        raise ValueError("must be a finite number")
    return number


class TaskSupport(BaseModel):
    """What a trainer offers for one task."""

    model_config = ConfigDict(extra="forbid")

    models: list[str] = Field(min_length=1)
    default_model: str
    model_pattern: str | None = None  # names beyond the list that the trainer takes too (timm has 1,200)
    best_metric: str
    best_goal: Literal["max", "min"] = "max"
    defaults: dict[Name, Scalar] = {}  # parameters whose default is another one for this task

    @model_validator(mode="after")
    def _default_is_offered(self) -> "TaskSupport":
        if not self.accepts_model(self.default_model):
            raise ValueError(f"default_model {self.default_model!r} is not one of its models")
        return self

    def accepts_model(self, name: str) -> bool:
        return name in self.models or bool(self.model_pattern and re.fullmatch(self.model_pattern, name))


class Sample(BaseModel):
    """A dataset this trainer can make by itself: `python {script} OUTPUT.zip` in its environment."""

    model_config = ConfigDict(extra="forbid")

    script: str
    title: str


class Predict(BaseModel):
    """How pictures are shown to a checkpoint of this trainer."""

    model_config = ConfigDict(extra="forbid")

    entrypoint: str = "predict.py"
    command: list[str] = []  # instead of `python {entrypoint}`
    warm: bool = False  # with PREDICT_SERVE=1 it keeps its model and answers a line of stdin with a line of stdout


class Manifest(BaseModel):
    """A whole trainer.toml."""

    model_config = ConfigDict(extra="forbid")

    framework: Annotated[str, StringConstraints(pattern=FRAMEWORK_PATTERN)]
    title: str
    description: str = ""
    license: str = ""
    callbacks: bool = True
    entrypoint: str = "train.py"
    command: list[str] = []  # instead of `python {entrypoint}`: for a trainer in another language, run in its folder
    distributed: bool = False  # with several GPUs torchrun starts its entrypoint once for each
    predict: Predict = Predict()
    preload: list[str] = []
    resources: Needs = Needs()  # on a cluster, where a job doesn't say otherwise
    tasks: dict[Task, TaskSupport] = Field(min_length=1)
    params: dict[Name, Parameter] = {}
    samples: dict[str, Sample] = {}

    @model_validator(mode="after")
    def _defaults_fit(self) -> "Manifest":
        for name, parameter in self.params.items():
            try:
                parameter.default = parameter.coerce(parameter.default)
            except ValueError as error:
                raise ValueError(f"the default of {name} {error}") from error
        for task, support in self.tasks.items():
            support.defaults = {name: self._fitting(task, name, value) for name, value in support.defaults.items()}
        if self.distributed and self.command:
            raise ValueError("distributed = true is for an entrypoint in Python: a command starts its processes itself")
        if "epochs" not in self.params:
            raise ValueError("params.epochs is missing: every trainer counts epochs")
        return self

    def _fitting(self, task: Task, name: str, value: Scalar) -> Scalar:
        if name not in self.params:
            raise ValueError(f"tasks.{task}.defaults names {name}, which is no parameter")
        try:
            return self.params[name].coerce(value)
        except ValueError as error:
            raise ValueError(f"tasks.{task}.defaults.{name} {error}") from error


def variable_of(parameter: str) -> str:
    """The environment variable that carries a parameter."""
    return CORE_VARIABLES.get(parameter, f"PARAM_{parameter.upper()}")


def read_manifest(path: Path) -> Manifest:
    """Read and check a trainer.toml. Raises ValueError that names the file and the field."""
    return parse_manifest(path.read_text(encoding="utf-8"), str(path))


def parse_manifest(text: str, where: str) -> Manifest:
    """The same for a text that is from `where`."""
    try:
        return Manifest.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{where}: not valid TOML: {error}") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ValueError(f"{where}: {wrong}") from error
