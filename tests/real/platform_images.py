"""The platform's own images for the tests' cluster, and helm, which installs them: made while there is internet.

Run as a program it makes them: python -m tests.real.platform_images
"""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.real.testkube.images import BASE, make_base_image
from tests.real.testkube.install import _unpack
from tests.real.testkube.parts import load
from tests.real.testkube.places import BIN, CACHE, call, ctr, is_inside, locked, say

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "deploy" / "docker"
HELM = "helm.sh/helm/v3/cmd/helm@v3.22.0"
# an image's Dockerfile, its target, and what it is made of
IMAGES = {
    "backend": (
        "Dockerfile",
        "backend",
        ["src", "frontend", "pyproject.toml", "requirements.lock", "trainer-*", "deploy/docker", ".dockerignore"],
    ),
    "storage": ("Dockerfile", "storage", ["requirements.lock", "deploy/docker/Dockerfile"]),
    "mlflow": ("mlflow.Dockerfile", "", ["src/trainyard/stack/mlflow.lock", "deploy/docker/mlflow.Dockerfile"]),
}
_UNREAD = {"__pycache__", ".venv", ".venvs", "node_modules", "page"}
_READY = "run `python -m tests.real.testkube ready` first"


def helm() -> str:
    """The program: the machine's, or the one that is kept beside the cluster's."""
    found = shutil.which("helm") or str(BIN / "helm")
    assert Path(found).exists(), f"there is no helm: {_READY}"
    return found


def platform_images() -> str:
    """The tag by which the cluster has all of them as the checkout is now. Safe to repeat."""
    names = {image: f"localhost/trainyard-{image}:{_mark(image)}" for image in IMAGES}
    tag = f"test-{_mark('backend')}"
    for image, name in names.items():
        if not _is_loaded(name):
            _build_and_load(image, name)
        # the chart knows one tag; giving a name takes the cluster an instant, loading MLflow's gigabyte doesn't
        common = f"localhost/trainyard-{image}:{tag}"
        call(*ctr("images", "tag", "--force", name, common), stdout=subprocess.DEVNULL)
    return tag


def size(image: str) -> int:
    """Bytes of its own layers, unpacked: what it begins with is a stand-in here, of another size."""
    return _bytes(f"localhost/trainyard-{image}:{_mark(image)}") - _bytes(BASE)


def prepare() -> None:
    _make_helm()
    make_base_image()
    platform_images()


def _make_helm() -> None:
    """Unpacked where somebody packed it, else built: two minutes on two cores, once."""
    with locked():
        if shutil.which("helm") or (BIN / "helm").exists():
            return
        BIN.mkdir(parents=True, exist_ok=True)
        if not _unpack("helm"):
            say("building helm")
            env = os.environ | {"CGO_ENABLED": "0", "GOBIN": str(BIN)}
            call("go", "install", "-trimpath", "-ldflags", "-s -w", HELM, cwd=BIN, env=env)


def _build_and_load(image: str, name: str) -> None:
    assert not is_inside() or _is_built(name), f"the cluster lacks {name}: {_READY}"
    with locked():
        if not _is_built(name):
            say(f"building {name}")
            file, target, _ = IMAGES[image]
            argv = ["buildah", "bud", "--quiet", "--isolation=chroot", "--network=host", "--pull=never", "--layers"]
            argv += [f"--file={DOCKER / file}", f"--tag={name}", *([f"--target={target}"] if target else [])]
            call(*argv, ROOT, stdout=subprocess.DEVNULL)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            archive = Path(folder, "image.tar")
            call("buildah", "push", "--quiet", name, f"docker-archive:{archive}:{name}", stdout=subprocess.DEVNULL)
            load(archive)


def _mark(image: str) -> str:
    """Says what is in it: the same files have the same name, so nothing old is ever taken for new."""
    mark = hashlib.sha256()
    for path in sorted(_files(IMAGES[image][2])):
        mark.update(f"{path.relative_to(ROOT)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return mark.hexdigest()[:16]


def _files(patterns: list[str]) -> Iterator[Path]:
    for found in (path for pattern in patterns for path in ROOT.glob(pattern)):
        for folder, folders, names in os.walk(found) if found.is_dir() else [(found.parent, [], [found.name])]:
            folders[:] = [name for name in folders if name not in _UNREAD]
            yield from (Path(folder, name) for name in names)


def _is_built(name: str) -> bool:
    return (
        subprocess.run(["buildah", "inspect", "--type=image", name], check=False, capture_output=True).returncode == 0
    )


def _is_loaded(name: str) -> bool:
    listed = subprocess.run(ctr("images", "ls", "-q", f"name=={name}"), check=False, capture_output=True, text=True)
    return name in listed.stdout.split()


def _bytes(name: str) -> int:
    argv = ["buildah", "inspect", "--type=image", "--format={{.Manifest}}", name]
    told = json.loads(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)
    return sum(layer["size"] for layer in told["layers"])


if __name__ == "__main__":
    prepare()
