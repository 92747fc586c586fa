"""A real cluster for tests: whose it is, a namespace a test in it, and what must not be left behind."""

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.real.backend import wait_for
from tests.real.testkube import images, places
from trainyard.executors.kubernetes.api import Api
from trainyard.executors.kubernetes.names import MANAGED_BY
from trainyard.settings import Settings, load_settings

OURS = ",".join(f"{name}={value}" for name, value in MANAGED_BY.items())
POD_HOST = "TRAINYARD_TEST_POD_HOST"
HOW = "./trainyard test --suite kubernetes"


@dataclass(frozen=True)
class Cluster:
    """One namespace of a cluster, and ways into it."""

    kubeconfig: Path
    namespace: str
    pod_host: str  # this machine's address as pods see it; empty: nobody said

    def settings(self, **given: object) -> Settings:
        """The settings of a backend that sends its jobs here."""
        own: dict[str, object] = {"kubeconfig": self.kubeconfig, "k8s_namespace": self.namespace}
        return load_settings(_env_file=None, **own | given)

    @property
    def variables(self) -> dict[str, str]:
        """The same for a process, as settings without their prefix."""
        return {"kubeconfig": str(self.kubeconfig), "k8s_namespace": self.namespace}

    def kubectl(self, *arguments: str, code: int | None = 0, stdin: str | None = None) -> str:
        """What it printed, in this namespace. Fails on another exit code; None takes any."""
        argv = [_kubectl(), "--kubeconfig", str(self.kubeconfig), "--namespace", self.namespace, *arguments]
        done = subprocess.run(argv, capture_output=True, text=True, input=stdin, timeout=120)
        assert code is None or done.returncode == code, f"kubectl {arguments}: {done.returncode}\n{done.stderr}"
        return done.stdout

    def objects(self, kinds: str, selector: str = "") -> list[dict[str, Any]]:
        """Everything of these kinds in the namespace, as the cluster tells it."""
        chosen = ["--selector", selector] if selector else []
        return list(json.loads(self.kubectl("get", kinds, "--output=json", *chosen))["items"])

    def left_of_ours(self) -> list[str]:
        """What carries our label and is not on its way out."""
        found = self.objects("jobs,secrets,configmaps,services", OURS)
        return [f"{one['kind']} {one['metadata']['name']}" for one in found]


@dataclass(frozen=True)
class OwnNamespace(Cluster):
    """A namespace of a test's own, with our client in it."""

    api: Api


def _kubectl() -> str:
    found = shutil.which("kubectl") or (str(places.BIN / "kubectl") if (places.BIN / "kubectl").exists() else None)
    assert found is not None, "there is no kubectl on the PATH"
    return found


def connect() -> Cluster:
    """The cluster of this session. Asserts that it answers, and that we are in its network."""
    pod_host = os.environ.get(POD_HOST, "")
    if places.is_given():
        cluster = Cluster(Path(os.environ["KUBECONFIG"].split(os.pathsep)[0]), "default", pod_host)
    else:
        assert places.is_inside(), f"the tests' cluster lives in a network of its own; this enters it: {HOW}"
        cluster = Cluster(places.KUBECONFIG, "default", pod_host or places.NODE_IP)
    cluster.kubectl("get", "serviceaccount", "default")
    return cluster


def trainer_image(framework: str, *, with_code: bool) -> str:
    """An image in the cluster: made from the trainer's folder for ours; whoever brings a cluster brings images, too."""
    if not places.is_given():
        return images.trainer_image(framework, with_code=with_code)
    variable = f"TRAINYARD_TEST_IMAGE_{framework.upper()}"
    name = os.environ.get(variable, "")
    assert name, f"set {variable} to an image of trainer-{framework} that the nodes of this cluster have or can pull"
    return name


@contextmanager
def own_namespace(cluster: Cluster, patience: float = 120) -> Generator[OwnNamespace]:
    """A fresh one, deleted with all that is in it. What is ours in it should have gone before then: it is named."""
    name = f"test-{secrets.token_hex(4)}"
    cluster.kubectl("create", "namespace", name)
    try:
        space = Cluster(cluster.kubeconfig, name, cluster.pod_host)
        wait_for("its service account", lambda: space.kubectl("get", "sa", "default", "-o=name", code=None))
        api = Api.connect(space.settings())
        try:
            yield OwnNamespace(space.kubeconfig, name, space.pod_host, api)
        finally:
            api.close()
        assert_nothing_left(space, patience)
    finally:
        cluster.kubectl("delete", "namespace", name, "--wait=false")


def assert_nothing_left(space: Cluster, seconds: float = 120) -> None:
    """Owned objects follow their Job within seconds: the garbage collector is no part of the delete."""
    try:
        wait_for("nothing of ours to be left", lambda: not space.left_of_ours(), seconds)
    except AssertionError:
        raise AssertionError(f"left in the cluster: {', '.join(space.left_of_ours())}") from None
