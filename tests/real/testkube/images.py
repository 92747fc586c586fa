"""Images without a registry: a stand-in for the base image, and trainers' images built from it and loaded."""

import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.real.testkube.install import install
from tests.real.testkube.parts import load
from tests.real.testkube.places import CACHE, call, ctr, is_inside, locked, say

BASE = "docker.io/library/python:3.11-slim"
ROOT = Path(__file__).parents[3]
_INCLUDED = "python3,python3-venv,python3-pip,ca-certificates"
_BASE_DOCKERFILE = """FROM scratch
COPY rootfs /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
CMD ["python3"]
"""
_REQUIREMENTS = re.compile(r"(?:.*\n)+?RUN pip install .*\n")  # of a trainer's Dockerfile; its code comes after them


def make_base_image() -> None:
    """Debian with its Python by the name that Dockerfiles begin with. A minute or two, once."""
    with locked():
        install()
        _make_base_image()


def _make_base_image() -> None:
    if _is_built(BASE):
        return
    say(f"making {BASE}")
    root = CACHE / "base" / "rootfs"
    if not (root / "usr/bin/python").is_symlink():
        shutil.rmtree(root, ignore_errors=True)
        root.parent.mkdir(parents=True, exist_ok=True)
        argv = ["debootstrap", "--variant=minbase", f"--include={_INCLUDED}", "bookworm", str(root)]
        call(*argv, stdout=subprocess.DEVNULL)
        for made in ("var/cache/apt", "var/lib/apt/lists"):
            shutil.rmtree(root / made, ignore_errors=True)
        (root / "usr/lib/python3.11/EXTERNALLY-MANAGED").unlink(missing_ok=True)
        (root / "usr/bin/python").symlink_to("python3")
    # this machine's certificates and pip settings: `RUN pip install` finds the packages that pip finds here
    for name in ("etc/ssl/certs/ca-certificates.crt", "etc/pip.conf"):
        if Path("/", name).exists():
            shutil.copy(Path("/", name), root / name)
    (root.parent / "Dockerfile").write_text(_BASE_DOCKERFILE)
    call("buildah", "bud", "-q", "-t", BASE, root.parent, stdout=subprocess.DEVNULL)


def trainer_image(framework: str, *, with_code: bool) -> str:
    """The name of a trainer's image in the cluster: as its Dockerfile says, or up to its requirements only.

    Built where there is none of just these files; needs the internet then, so not from inside. Safe to repeat."""
    folder = ROOT / f"trainer-{framework}"
    name = _name(folder, with_code)
    if _is_loaded(name):
        return name
    if is_inside() and not _is_built(name):
        raise AssertionError(f"no image of {folder.name} as it is now: run `python -m tests.real.testkube ready` first")
    with locked():
        if not _is_loaded(name):
            if not _is_built(name):
                install()
                _make_base_image()
                _build(folder, name, with_code)
            _load(name)
    return name


def _name(folder: Path, with_code: bool) -> str:
    """Says what is in it: the same files have the same name, so nothing old is ever taken for new."""
    made_of = sorted(path.name for path in folder.iterdir() if path.is_file())
    if not with_code:
        made_of = [name for name in made_of if name.startswith(("Dockerfile", "requirements"))]
    mark = hashlib.sha256()
    for name in made_of:
        mark.update(f"{name}\0{hashlib.sha256((folder / name).read_bytes()).hexdigest()}\n".encode())
    what = "whole" if with_code else "requirements"
    return f"localhost/{folder.name}-{what}:{mark.hexdigest()[:16]}"


def _build(folder: Path, name: str, with_code: bool) -> None:
    """Without code its Dockerfile ends earlier; both share the layer that took the time."""
    text = (folder / "Dockerfile").read_text()
    if not with_code:
        match = _REQUIREMENTS.match(text)
        assert match, f"{folder.name}/Dockerfile installs no requirements"
        text = match[0]
    say(f"building {name}")
    argv = ["buildah", "bud", "--quiet", "--isolation=chroot", "--network=host", "--pull=never", "--layers"]
    with tempfile.NamedTemporaryFile("w", suffix=".Dockerfile") as file:
        file.write(text)
        file.flush()
        call(*argv, "--tag", name, "--file", file.name, folder, stdout=subprocess.DEVNULL)


def _load(name: str) -> None:
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        archive = Path(folder, "image.tar")
        call("buildah", "push", "--quiet", name, f"docker-archive:{archive}:{name}", stdout=subprocess.DEVNULL)
        load(archive)


def _is_built(name: str) -> bool:
    argv = ["buildah", "inspect", "--type", "image", name]
    return bool(shutil.which("buildah")) and subprocess.run(argv, check=False, capture_output=True).returncode == 0


def _is_loaded(name: str) -> bool:
    listed = subprocess.run(ctr("images", "ls", "-q", f"name=={name}"), check=False, capture_output=True, text=True)
    return name in listed.stdout.split()


def prepare() -> None:
    """All images that the tests use, while there is internet."""
    trainer_image("sklearn", with_code=False)
    trainer_image("sklearn", with_code=True)
