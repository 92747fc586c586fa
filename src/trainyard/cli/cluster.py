"""The platform in a kind cluster on this machine: what `up --k8s` and `down --k8s` do, as commands of kind and helm.

kind needs Docker or podman, which the machine that this was written on lacks: the commands are tested as text, and the
chart that helm installs on a real cluster.
"""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from trainyard.errors import NotAvailable
from trainyard.images.builders import Builder, find_builder
from trainyard.images.running import run
from trainyard.settings import Settings, checkout

NAME = "trainyard"  # of the cluster, the namespace and the release
URL = "http://127.0.0.1:8000"  # deploy/kind/cluster.yaml forwards it
IMAGES = {  # their Dockerfile and its target
    "backend": ("Dockerfile", "backend"),
    "storage": ("Dockerfile", "storage"),
    "mlflow": ("mlflow.Dockerfile", ""),
}
_MADE_OF = ("src", "deploy/docker", "trainer-*", "requirements.lock", "pyproject.toml", "frontend")
_SKIPPED = {"__pycache__", ".venv", ".venvs", "node_modules", "dist", "datasets", "checkpoints"}
_TOOLS = {
    "kind": "It makes the cluster, and needs Docker or podman itself: kind.sigs.k8s.io says how to install it.",
    "helm": "It installs the chart: `go install helm.sh/helm/v3/cmd/helm@latest`, or as helm.sh says.",
}
VALUES = "values.json"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Step:
    """One command, and what it is for."""

    doing: str
    argv: list[str]


def plan(root: Path, builder: Builder, folder: Path, *, exists: bool) -> list[Step]:
    """Everything from no cluster to a platform that answers; each step may be repeated. Archives go to `folder`, where
    values.json lies (see `own_values`)."""
    steps: list[Step] = []
    if not exists:
        create = ["kind", "create", "cluster", "--config", str(root / "deploy" / "kind" / "cluster.yaml")]
        steps.append(Step("Making the kind cluster", create))
    tag = _tag(root)
    for image, (file, target) in IMAGES.items():
        name, archive = f"localhost/trainyard-{image}:{tag}", folder / f"{image}.tar"
        options = ["--file", str(root / "deploy" / "docker" / file), *(["--target", target] if target else [])]
        steps.append(Step(f"Building {name}", builder.build(root, [name], {}, {}, options)))
        steps.append(Step(f"Writing {name} to a file", builder.save([name], archive)))
        load = ["kind", "load", "image-archive", str(archive), "--name", NAME]
        steps.append(Step(f"Loading {name} into the cluster", load))
    chart = root / "deploy" / "helm" / "trainyard"
    install = ["helm", "upgrade", "--install", NAME, str(chart), "--kube-context", f"kind-{NAME}", "--namespace", NAME]
    install += ["--create-namespace", "--values", str(chart / "values-kind.yaml"), "--values", str(folder / VALUES)]
    install += ["--set", f"image.tag={tag}", "--wait", "--timeout", "10m"]
    return [*steps, Step("Installing the chart", install)]


def own_values(settings: Settings) -> dict[str, object]:
    """With this installation's own token, so that the CLI here needs no other. For a file: all can read arguments."""
    images = {"image": settings.k8s_image, "pullPolicy": settings.k8s_pull_policy}
    return {"secrets": {"token": settings.admin_token}, "trainings": images}


def _tag(root: Path) -> str:
    """Says what the images are made of: pods start anew when that has changed, and only then."""
    mark = hashlib.sha256()
    for path in sorted(_files(root)):
        mark.update(f"{path.relative_to(root)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return f"code-{mark.hexdigest()[:12]}"


def _files(root: Path) -> Iterator[Path]:
    for found in (path for pattern in _MADE_OF for path in root.glob(pattern)):
        if found.is_file():
            yield found
        for folder, folders, names in os.walk(found):
            folders[:] = [name for name in folders if name not in _SKIPPED or folder.startswith(str(root / "src"))]
            yield from (Path(folder, name) for name in names if not name.endswith(".pyc"))


def cluster_up(settings: Settings, say: Say) -> None:
    """Blocks for minutes the first time. Repeating it brings changes in. Raises NotAvailable, BuildFailed."""
    root = checkout()
    if root is None or not (root / "deploy" / "helm").is_dir():
        raise NotAvailable(
            "The chart and what its images are made of are in the source, not in the package.",
            hint="Run it from a clone: ./trainyard up --k8s",
        )
    _need("kind", "helm")
    builder = find_builder()
    with tempfile.TemporaryDirectory(prefix="trainyard-images-") as folder:
        (Path(folder) / VALUES).write_text(json.dumps(own_values(settings)))
        for step in plan(root, builder, Path(folder), exists=cluster_exists()):
            say(f"{step.doing} …")
            _do(step, say)


def cluster_down(say: Say) -> bool:
    """Delete it with all that is in it; False where there was none. Raises NotAvailable, BuildFailed."""
    _need("kind")
    if not cluster_exists():
        return False
    _do(Step("Deleting the kind cluster", ["kind", "delete", "cluster", "--name", NAME]), say)
    return True


def cluster_exists() -> bool:
    told = subprocess.run(["kind", "get", "clusters"], capture_output=True, text=True)
    if told.returncode:
        raise NotAvailable(
            f"kind does not work here: {told.stderr.strip()[-300:]}", hint="Is Docker (or podman) running?"
        )
    return NAME in told.stdout.split()


def _do(step: Step, say: Say) -> None:
    run(step.argv, step.doing, say, "The same command goes on where it stopped.")


def _need(*tools: str) -> None:
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        raise NotAvailable(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed.",
            hint=" ".join(_TOOLS[tool] for tool in missing),
        )
