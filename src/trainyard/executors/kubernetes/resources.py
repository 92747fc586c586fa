"""What a pod gets: a job's wishes, else its trainer's, else the installation's; checked against each other."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from trainyard.contract.quantities import amount, check_cpu, check_memory, mebibytes
from trainyard.contract.resources import Needs, Resources, Toleration, check_image
from trainyard.errors import InvalidInput, InvalidSetting
from trainyard.settings import Settings

GPU = "nvidia.com/gpu"
# GPU nodes are often tainted with it, to keep everything else away; nothing is let in that asks for none
GPU_TOLERATION = Toleration(key=GPU, operator="Exists", effect="NoSchedule")


@dataclass(frozen=True, slots=True)
class PodNeeds:
    """Everything decided."""

    image: str
    cpu: str
    cpu_limit: str | None
    memory: str
    shm: str
    gpus: int
    replicas: int
    node_selector: dict[str, str]
    tolerations: tuple[Toleration, ...]
    queue: str

    def requests(self) -> dict[str, str]:
        return {"cpu": self.cpu, "memory": self.memory} | self._gpus()

    def limits(self) -> dict[str, str]:
        """No limit for the CPU unless one was asked for: it would slow a trainer down beside an idle node."""
        cpu = {"cpu": self.cpu_limit} if self.cpu_limit else {}
        return cpu | {"memory": self.memory} | self._gpus()

    def _gpus(self) -> dict[str, str]:
        return {GPU: str(self.gpus)} if self.gpus else {}


def decide(settings: Settings, framework: str, trainer: Needs, job: Resources) -> PodNeeds:
    """Raises InvalidInput for wishes that exclude each other, InvalidSetting for a setting that is none."""
    memory = job.memory or trainer.memory or _setting(settings, "k8s_memory", check_memory)
    gpus = next((count for count in (job.gpus, trainer.gpus) if count is not None), 0)
    tolerations = (*_tolerations(settings), *job.tolerations, *((GPU_TOLERATION,) if gpus else ()))
    needs = PodNeeds(
        image=job.image or _image(settings, framework),
        cpu=job.cpu or trainer.cpu or _setting(settings, "k8s_cpu", check_cpu),
        cpu_limit=job.cpu_limit or trainer.cpu_limit,
        memory=memory,
        shm=job.shm or trainer.shm or mebibytes(amount(memory) / 2),
        gpus=gpus,
        replicas=job.replicas or 1,
        node_selector=_node_selector(settings) | job.node_selector,
        tolerations=tuple(dict.fromkeys(tolerations)),
        queue=job.queue or settings.k8s_queue,
    )
    _check(needs)
    return needs


def _check(needs: PodNeeds) -> None:
    if amount(needs.shm) > amount(needs.memory):
        raise InvalidInput(
            f"{needs.shm} of shared memory do not fit into {needs.memory} of memory: it is a part of it.",
            hint="Ask for more memory, or for less shm.",
            field="resources.shm",
        )
    if needs.cpu_limit and amount(needs.cpu_limit) < amount(needs.cpu):
        raise InvalidInput(
            f"At most {needs.cpu_limit} CPUs is less than the {needs.cpu} that are to be kept for it.",
            hint="Raise cpu_limit, or lower cpu.",
            field="resources.cpu_limit",
        )
    if needs.replicas > 1 and needs.gpus > 1:
        raise InvalidInput(
            f"{needs.replicas} replicas with {needs.gpus} GPUs each: a replica is one process, and takes one GPU.",
            hint=f"Ask for {needs.replicas * needs.gpus} replicas with one GPU each.",
            field="resources.gpus",
        )


def _setting(settings: Settings, name: str, check: Callable[[str], str]) -> str:
    try:
        return check(getattr(settings, name))
    except ValueError as error:
        raise _unusable(name, str(error)) from None


def _image(settings: Settings, framework: str) -> str:
    try:
        return check_image(settings.k8s_image.replace("{framework}", framework))
    except ValueError as error:
        raise _unusable("k8s_image", str(error)) from None


def _node_selector(settings: Settings) -> dict[str, str]:
    pairs = [entry.partition("=") for entry in _entries(settings.k8s_node_selector)]
    given = {"node_selector": {name: value for name, _, value in pairs}}
    return _read("k8s_node_selector", given, "name=value").node_selector


def _tolerations(settings: Settings) -> tuple[Toleration, ...]:
    given: list[dict[str, Any]] = []
    for entry in _entries(settings.k8s_tolerations):
        taint, _, effect = entry.rpartition(":")
        key, equals, value = taint.partition("=")
        operator = {"operator": "Equal", "value": value} if equals else {}
        given.append({"key": key, "effect": effect, **operator})
    forms = "name=value:effect or name:effect with the effect NoSchedule, PreferNoSchedule or NoExecute"
    return _read("k8s_tolerations", {"tolerations": given}, forms).tolerations


def _entries(text: str) -> list[str]:
    return [entry.strip() for entry in text.split(",") if entry.strip()]


def _read(name: str, given: dict[str, Any], form: str) -> Resources:
    try:
        return Resources.model_validate(given)
    except ValidationError as error:
        wrong = str(error.errors()[0]["input"])[:80]
        raise _unusable(name, f"{wrong!r} in it is wrong; each entry is written {form}") from None


def _unusable(name: str, why: str) -> InvalidSetting:
    variable = f"TRAINYARD_{name.upper()}"
    return InvalidSetting(
        f"{variable} is not usable: {why}.", hint="docs/settings.md shows how it is written.", field=variable
    )
