"""`trainyard build` for real: an edit reuses the packages' layer, the labels say what it is, and a pod runs it."""

import json
import os
import re
import secrets
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.kubernetes.registry import digest_of, running_registry
from tests.real.backend import wait_for
from tests.real.checkout import copy_checkout
from tests.real.cluster import OwnNamespace
from tests.real.shell import CLI
from tests.real.testkube import parts, places
from trainyard.executors.bundle import bundle_folder
from trainyard.executors.kubernetes.pod import USER
from trainyard.images.builders import find_builder
from trainyard.images.names import of_code, repository
from trainyard.images.plan import CODE_HASH
from trainyard.images.record import pinned_image
from trainyard.settings import Settings, load_settings


@dataclass
class Folder:
    """A copy of the trainers, for edits; what is built from it gets a name of this test's own."""

    root: Path
    image: str
    built: set[str] = field(default_factory=set[str])

    @property
    def trainer(self) -> Path:
        return self.root / "trainer-sklearn"

    @property
    def settings(self) -> Settings:
        return load_settings(_env_file=None, data_dir=self.root / "data", trainers_dir=self.root)

    def build(self, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
        own = {"TRAINYARD_DATA_DIR": str(self.root / "data"), "TRAINYARD_TRAINERS_DIR": str(self.root)}
        env = os.environ | own | env
        argv = [*CLI, "build", "sklearn", "--tag", self.image, *arguments]
        done = subprocess.run(argv, env=env, cwd=self.root, capture_output=True, text=True, timeout=280)
        if done.returncode == 0:
            self.built |= {self.image, of_code(self.image, bundle_folder(self.trainer).hash)}
        return done

    def archive(self) -> tuple[str, str, Path]:
        """The reference, what the builder said, and the file."""
        done = self.build("--archive", "image.tar")
        assert done.returncode == 0, done.stderr
        return done.stdout.strip(), done.stderr, self.root / "image.tar"


@pytest.fixture
def folder(sklearn_image: str, tmp_path: Path) -> Iterator[Folder]:
    """Our cluster's network has no internet: that image's packages, fetched before, are what is reused in it."""
    made = Folder(copy_checkout(tmp_path / "yard"), f"localhost/trainer-sklearn-{secrets.token_hex(4)}:dev")
    yield made
    if made.built:
        program = find_builder().program
        remove = ["rmi"] if Path(program).stem == "buildah" else ["image", "rm"]
        subprocess.run([program, *remove, *made.built], check=True, capture_output=True)


def is_reused(said: str, step: str) -> bool:
    """In the words of buildah, podman, docker's old builder and BuildKit. Fails where the step is not in it."""
    found = re.search(rf"{re.escape(step)}[^\n]*\n(?P<then>[^\n]*)", said)
    assert found, said
    return bool(re.search(r"-> Using cache|CACHED", found["then"]))


def config_of(archive: Path) -> tuple[str, dict[str, str]]:
    """The image's id, as nodes know it, and its labels."""
    with tarfile.open(archive) as packed:

        def read(name: str) -> Any:
            member = packed.extractfile(name)
            assert member is not None
            return json.load(member)

        (image,) = read("manifest.json")
        number = Path(image["Config"]).stem
        return f"sha256:{number}", dict(read(image["Config"])["config"]["Labels"])


def load(archive: Path) -> None:
    if places.is_given():
        subprocess.run(["kind", "load", "image-archive", str(archive)], check=True)
    else:
        parts.load(archive)


def pod_of(image: str) -> str:
    """It may fetch nothing, and runs as Jobs do: not as root, on a root file system that it can't write to."""
    locked = {"readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container = {"name": "c", "image": image, "imagePullPolicy": "Never", "securityContext": locked}
    spec = {
        "restartPolicy": "Never",
        "securityContext": {"runAsNonRoot": True, "runAsUser": USER, "runAsGroup": USER},
        "containers": [container],
    }
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "built"}, "spec": spec})


def ran(cluster: OwnNamespace, image: str) -> str:
    cluster.kubectl("apply", "--filename=-", stdin=pod_of(image))

    def phase() -> bool:
        return cluster.objects("pods")[0]["status"].get("phase") in ("Succeeded", "Failed")

    wait_for(f"a pod of {image} to end", phase)
    return cluster.kubectl("logs", "built")


def test_an_edit_reuses_the_packages_and_a_pod_runs_it(folder: Folder, cluster: OwnNamespace) -> None:
    first = folder.build()
    assert first.returncode == 0, first.stderr
    mark = secrets.token_hex(8)
    (folder.trainer / "train.py").write_text(f"import sklearn, boto3, mlflow, os\nprint('{mark}', os.getuid())\n")
    pinned, said, archive = folder.archive()
    assert is_reused(said, "RUN pip install")
    assert not is_reused(said, "COPY . .")

    code = bundle_folder(folder.trainer).hash
    number, found = config_of(archive)
    assert found[CODE_HASH] == code
    assert found["org.opencontainers.image.title"] == "trainer-sklearn"
    assert found["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert "org.opencontainers.image.revision" not in found, "no git knows this copy"

    assert pinned == f"{repository(folder.image)}:code-{code[:12]}" != first.stdout.strip()
    assert pinned_image(folder.settings, "sklearn", folder.image) == pinned
    load(archive)
    try:
        assert ran(cluster, pinned) == f"{mark} {USER}\n"
    finally:
        if not places.is_given():
            subprocess.run(places.ctr("images", "rm", pinned, folder.image, number), check=True, capture_output=True)


def test_a_push_is_pinned_by_the_digest_that_the_registry_has(folder: Folder) -> None:
    (folder.trainer / "Dockerfile").write_text("FROM scratch\nCOPY . /code\n")  # nothing to wait for
    settings = folder.root / "registries.conf"
    with running_registry() as registry:
        settings.write_text(f'[[registry]]\nlocation = "{registry.address}"\ninsecure = true\n')
        folder.image = f"{registry.address}/team/{folder.image.removeprefix('localhost/')}"
        registry.is_open = False
        assert folder.build().returncode == 0
        refused = folder.build("--push", CONTAINERS_REGISTRIES_CONF=str(settings))
        assert refused.returncode == 1
        assert f"login {registry.address}" in refused.stderr, refused.stderr
        assert pinned_image(folder.settings, "sklearn", folder.image) == folder.image
        registry.is_open = True
        done = folder.build("--push", CONTAINERS_REGISTRIES_CONF=str(settings))
    assert done.returncode == 0, done.stderr
    ((name, manifest),) = registry.tags.items()
    assert f"{registry.address}/{name}" == folder.image
    assert done.stdout.strip() == f"{repository(folder.image)}@{digest_of(manifest)}"
    assert pinned_image(folder.settings, "sklearn", folder.image) == done.stdout.strip()
    layers = json.loads(manifest)["layers"]
    assert layers
    assert {layer["digest"] for layer in layers} < registry.blobs.keys()


def test_a_build_that_fails_names_its_step_and_delivers_nothing(folder: Folder) -> None:
    with (folder.trainer / "Dockerfile").open("a") as dockerfile:
        dockerfile.write('RUN ["python", "-c", "raise SystemExit(\'the disk is made of cheese\')"]\n')
    done = folder.build("--archive", "image.tar")
    assert done.returncode == 1
    assert re.search(r"failed at step \d+/\d+ \(RUN .*cheese", done.stderr), done.stderr
    assert "the disk is made of cheese" in done.stderr
    assert done.stdout == ""
    assert not (folder.root / "image.tar").exists()
    assert pinned_image(folder.settings, "sklearn", folder.image) == folder.image
