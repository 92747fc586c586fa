"""What a training may ask of the machine it runs on: a trainer's defaults in trainer.toml, a job's own wishes."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from trainyard.contract.quantities import check_cpu, check_memory

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
LABEL_KEY_PATTERN = rf"^(?:[a-z0-9](?:[a-z0-9.-]{{0,251}}[a-z0-9])?/)?{_NAME}$"
LABEL_VALUE_PATTERN = rf"^(?:{_NAME})?$"
QUEUE_PATTERN = r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$"
_PART = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?/"
_IMAGE = re.compile(
    rf"(?:{_HOST})?{_PART}(?:/{_PART})*(?::[A-Za-z0-9_][A-Za-z0-9._-]{{0,127}})?(?:@sha256:[0-9a-f]{{64}})?"
)


def check_image(text: str) -> str:
    """An image's reference: registry/name:tag, name@sha256:…. Raises ValueError."""
    if len(text) > 500 or not _IMAGE.fullmatch(text):
        raise ValueError(f"{text[:80]!r} is no image: write it as registry/name:tag, all but the tag in lower case")
    return text


def is_pinned(image: str) -> bool:
    """By its digest: what is behind a tag may change."""
    return "@sha256:" in image


Cpu = Annotated[str, BeforeValidator(check_cpu)]
Memory = Annotated[str, BeforeValidator(check_memory)]
Image = Annotated[str, AfterValidator(check_image)]
LabelKey = Annotated[str, StringConstraints(pattern=LABEL_KEY_PATTERN)]
LabelValue = Annotated[str, StringConstraints(pattern=LABEL_VALUE_PATTERN)]


class Toleration(BaseModel):
    """A taint of nodes that a pod doesn't mind, in Kubernetes' words."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: LabelKey
    operator: Literal["Exists", "Equal"] = "Exists"
    value: LabelValue = ""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        default=None, description="Empty: each"
    )


class Needs(BaseModel):
    """What one process of a training takes; None is left to who is asked next: job, trainer.toml, settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cpu: Cpu | None = Field(default=None, description="CPUs that are kept for it: 2, 0.5, 500m")
    cpu_limit: Cpu | None = Field(
        default=None, description="CPUs it may use at most; empty: what the node has to spare"
    )
    memory: Memory | None = Field(default=None, description="Memory, kept for it and its limit: 4Gi")
    gpus: int | None = Field(default=None, ge=0, le=64, description="GPUs (nvidia.com/gpu)")
    shm: Memory | None = Field(
        default=None, description="Shared memory for data loaders, part of its memory; empty: half"
    )


class Resources(Needs):
    """What a job asks of a cluster."""

    replicas: int | None = Field(default=None, ge=1, le=256, description="Pods that train together; empty: one")
    image: Image | None = Field(default=None, description="Image to run in; empty: the installation's for its trainer")
    node_selector: dict[LabelKey, LabelValue] = Field(
        default_factory=dict[str, str], max_length=20, description="Labels that its node must have"
    )
    tolerations: tuple[Toleration, ...] = Field(default=(), max_length=20)
    queue: str | None = Field(
        default=None, pattern=QUEUE_PATTERN, description="Kueue's LocalQueue; empty: the installation's"
    )
