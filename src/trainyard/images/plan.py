"""What building and delivering an image takes, decided before anything runs: `--dry-run` prints exactly this."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from lightkube.config.kubeconfig import KubeConfig
from lightkube.core.exceptions import ConfigError

from trainyard.errors import InvalidInput, NotAvailable
from trainyard.images.builders import Builder
from trainyard.images.context import Context, read_context
from trainyard.images.names import check_registry, of_code, wanted_name
from trainyard.settings import Settings

REVISION = "org.opencontainers.image.revision"
CODE_HASH = "trainyard.code-hash"
_ELSEWHERE = (
    "Elsewhere: `--archive image.tar`, then `minikube image load image.tar`, `k3s ctr images import image.tar`, or on "
    "each node `ctr -n k8s.io images import image.tar`; or `--push` to a registry. Docker Desktop's cluster sees what "
    "its docker builds."
)


class Goal(StrEnum):
    """Where the image goes once it is built."""

    KEEP = "keep"  # in the builder's own store
    LOAD = "load"  # into the kind cluster of the current context
    ARCHIVE = "archive"
    PUSH = "push"


@dataclass(frozen=True)
class Plan:
    """Everything decided; nothing done."""

    framework: str
    builder: Builder
    context: Context = field(repr=False)
    image: str  # its name and tag as asked for
    code_image: str  # the same under the tag of this state of the code
    revision: str
    goal: Goal
    archive: Path | None = None
    kind: str = ""  # the cluster to load into
    options: tuple[str, ...] = ()

    def build(self, folder: Path) -> list[str]:
        labels = {REVISION: self.revision, CODE_HASH: self.context.bundle.hash}
        told = {name: value for name, value in labels.items() if value}
        return self.builder.build(folder, [self.image, self.code_image], told, self.context.arguments, self.options)

    def save(self, archive: Path) -> list[str]:
        """The name that Jobs use comes first: some readers of archives know one only."""
        return self.builder.save([self.code_image, self.image], archive)

    def load(self, archive: Path) -> list[str]:
        return ["kind", "load", "image-archive", str(archive), "--name", self.kind]

    def push(self, digest: Path) -> list[str]:
        return self.builder.push(self.image, digest)


def plan(
    settings: Settings,
    builder: Builder,
    framework: str,
    tag: str | None = None,
    goal: Goal = Goal.KEEP,
    archive: Path | None = None,
    options: Sequence[str] = (),
) -> Plan:
    """Reads the trainer's folder, git and the kubeconfig. Raises LaunchFailed, InvalidInput, TooLarge, NotAvailable."""
    image = wanted_name(settings, framework, tag)
    if goal is Goal.PUSH:
        check_registry(image)
    if archive is not None and not archive.absolute().parent.is_dir():
        raise InvalidInput(f"There is no folder {archive.absolute().parent}.", hint="Make it.", field="--archive")
    folder = (settings.trainers_dir / f"trainer-{framework}").resolve()
    context = read_context(folder)
    return Plan(
        framework=framework,
        builder=builder,
        context=context,
        image=image,
        code_image=of_code(image, context.bundle.hash),
        revision=revision_of(folder),
        goal=goal,
        archive=archive,
        kind=_kind_cluster(settings) if goal is Goal.LOAD else "",
        options=tuple(options),
    )


def revision_of(folder: Path) -> str:
    """git's revision, with -dirty where this folder differs from it; empty where no git knows the folder."""
    try:
        head = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--", ".")
    except (OSError, subprocess.SubprocessError):
        return ""
    return f"{head}-dirty" if changed else head


def _git(folder: Path, *arguments: str) -> str:
    argv = ["git", "-C", str(folder), *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30).stdout.strip()


def _kind_cluster(settings: Settings) -> str:
    """The current context's. Raises NotAvailable for another kind of cluster, and says how to load into that."""
    context = settings.k8s_context or _current_context(settings)
    if context.startswith("kind-"):
        return context.removeprefix("kind-")
    found = f"the context {context!r} is none" if context else "there is no context"
    raise NotAvailable(f"--load knows kind's clusters, and {found}.", hint=_ELSEWHERE)


def _current_context(settings: Settings) -> str:
    try:
        config = KubeConfig.from_file(settings.kubeconfig) if settings.kubeconfig else KubeConfig.from_env()
    except (ConfigError, OSError, ValueError):
        return ""
    return config.current_context or ""
