"""The trainer under test: its folder, its trainer.toml, how it is started and the smallest sensible parameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from trainyard.contract.manifest import Manifest, Parameter, Scalar, read_manifest
from trainyard.contract.vocabulary import Task
from trainyard.errors import InvalidInput
from trainyard.executors.local.envs import make_environment, system_python
from trainyard.executors.local.launch_plan import argv_of
from trainyard.settings import Settings

SMALL = {"epochs": 3, "batch_size": 8, "image_size": 64, "seed": 1}
MANY = 10_000  # epochs of a run that is to be stopped in the middle


@dataclass(frozen=True)
class Subject:
    """Everything that a start needs to know about a trainer."""

    folder: Path
    manifest: Manifest
    task: Task
    model: str
    python: Path
    params: Mapping[str, Scalar]

    @property
    def framework(self) -> str:
        return self.folder.name.removeprefix("trainer-")

    def train_argv(self) -> list[str]:
        return argv_of(self.folder, self.manifest.command, self.python, self.manifest.entrypoint)

    def predict_argv(self) -> list[str]:
        predict = self.manifest.predict
        return argv_of(self.folder, predict.command, self.python, predict.entrypoint)

    @property
    def can_predict(self) -> bool:
        return bool(self.manifest.predict.command) or (self.folder / self.manifest.predict.entrypoint).is_file()

    @property
    def many_epochs(self) -> int:
        most = self.manifest.params["epochs"].max
        return MANY if most is None else min(MANY, int(most))

    @property
    def wild_rate(self) -> float | None:
        """A learning rate that no training survives, if it has one: the largest that it allows."""
        rate = self.manifest.params.get("learning_rate")
        if rate is None or rate.type != "float":
            return None
        return 1e30 if rate.max is None else rate.max


def find_subject(
    folder: Path,
    settings: Settings,
    *,
    task: Task | None,
    model: str | None,
    python: Path | None,
    assignments: Mapping[str, str],
    say: Callable[[str], None],
) -> Subject:
    """Raises InvalidInput where this is no trainer, or what is asked of it does not fit; LaunchFailed where its
    environment cannot be made."""
    folder = folder.absolute()
    manifest = _manifest(folder)
    task = task or next(iter(manifest.tasks))
    if task not in manifest.tasks:
        raise InvalidInput(f"{folder.name} has no task {task}.", hint=f"It has: {', '.join(manifest.tasks)}.")
    support = manifest.tasks[task]
    model = model or support.default_model
    if not support.accepts_model(model):
        raise InvalidInput(f"{folder.name} has no model {model} for {task}.", hint="trainer.toml lists its models.")
    if python is None:
        python = system_python()
        if not manifest.command:
            beside = settings.model_copy(update={"trainers_dir": folder.parent})
            python = make_environment(beside, folder.name.removeprefix("trainer-"), say).python
    elif not python.is_file():
        raise InvalidInput(f"There is no Python {python}.", hint="--python takes an interpreter's path.")
    params = _params(manifest, task, assignments)
    return Subject(folder, manifest, task, model, python.absolute(), params)


def _manifest(folder: Path) -> Manifest:
    if not folder.is_dir():
        raise InvalidInput(f"There is no folder {folder}.", hint="Name a trainer's folder: trainer-…")
    if not (folder / "trainer.toml").is_file():
        raise InvalidInput(
            f"{folder} is no trainer: it has no trainer.toml.", hint="docs/plugin-guide.md shows what stands in one."
        )
    if not folder.name.startswith("trainer-"):
        raise InvalidInput(
            f"The platform finds trainers by their folder's name, and {folder.name} is not called trainer-….",
            hint=f"Rename it to trainer-{folder.name}.",
        )
    try:
        return read_manifest(folder / "trainer.toml")
    except ValueError as error:
        raise InvalidInput(str(error), hint="Correct it and check again.") from None


def _params(manifest: Manifest, task: Task, assignments: Mapping[str, str]) -> dict[str, Scalar]:
    for name in assignments:
        if name not in manifest.params:
            raise InvalidInput(
                f"There is no parameter {name}.", hint=f"There are: {', '.join(manifest.params)}.", field="--set"
            )
    values = {name: param.default for name, param in manifest.params.items()} | manifest.tasks[task].defaults
    values |= {name: _within(manifest.params[name], value) for name, value in SMALL.items() if name in manifest.params}
    for name, text in assignments.items():
        try:
            values[name] = manifest.params[name].coerce(text)
        except ValueError as error:
            raise InvalidInput(f"{name}={text} {error}.", field="--set") from None
    return values


def _within(param: Parameter, value: int) -> Scalar:
    """The value, or the allowed one that is nearest."""
    if param.choices:
        numbers = [choice for choice in param.choices if isinstance(choice, int | float)]
        return min(numbers, key=lambda choice: abs(choice - value)) if numbers else param.default
    low, high = param.min, param.max
    return param.coerce(max(low if low is not None else value, min(value, high if high is not None else value)))
