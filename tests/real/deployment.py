"""The chart, installed in a namespace of the tests' cluster: volumes for it, helm, and asking what came up."""

import json
import os
import secrets
import shutil
import subprocess
from base64 import b64decode
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests.real.backend import wait_for
from tests.real.cluster import Cluster
from tests.real.platform_images import ROOT, helm

CHART = ROOT / "deploy" / "helm" / "trainyard"
KIND = f"--values={CHART / 'values-kind.yaml'}"
POSTGRESQL = ["--set=database.type=postgresql", "--set=backend.replicas=2"]
USER = 10001  # the images' own
CLUSTER_VERSION = "1.34.4"


def run_helm(*arguments: str, code: int = 0, stdin: str | None = None, kubeconfig: Path | None = None) -> str:
    """What it printed. Fails on another exit code."""
    env = os.environ | {"HELM_CACHE_HOME": "/nonexistent"}
    env |= {"KUBECONFIG": str(kubeconfig)} if kubeconfig else {}
    done = subprocess.run([helm(), *arguments], capture_output=True, text=True, input=stdin, timeout=240, env=env)
    assert done.returncode == code, f"helm {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def render(*arguments: str, namespace: str = "here") -> str:
    """The chart's objects as YAML."""
    argv = ["trainyard", str(CHART), f"--namespace={namespace}", f"--kube-version={CLUSTER_VERSION}", *arguments]
    return run_helm("template", *argv)


@dataclass(frozen=True)
class Release:
    """The chart under the name that users give it, in one namespace."""

    cluster: Cluster
    name: str = "trainyard"

    def helm(self, *arguments: str, values: dict[str, Any] | None = None) -> str:
        own = ["--namespace", self.cluster.namespace]
        given = None if values is None else json.dumps(values)
        return run_helm(*arguments, *own, stdin=given, kubeconfig=self.cluster.kubeconfig)

    def install(self, *arguments: str, values: dict[str, Any]) -> str:
        """Install or upgrade, and wait until everything is ready."""
        argv = ["upgrade", "--install", self.name, str(CHART), "--wait", "--timeout=3m", "--values=-", *arguments]
        try:
            return self.helm(*argv, values=values)
        except AssertionError as failure:
            raise AssertionError(f"{failure}\n{self.situation()}") from None

    def situation(self) -> str:
        """What the pods say, for whoever reads why it did not come up."""
        told = [self.cluster.kubectl("get", "pods,pvc,jobs", "--output=wide", code=None)]
        for pod in self.pods():
            name = pod["metadata"]["name"]
            told.append(self.cluster.kubectl("describe", "pod", name, code=None)[-1500:])
            told.append(self.cluster.kubectl("logs", name, "--tail=30", code=None))
        return "\n".join(told)

    def secret(self) -> dict[str, str]:
        told = json.loads(self.cluster.kubectl("get", "secret", f"{self.name}-secrets", "--output=json"))
        return {key: b64decode(value).decode() for key, value in told["data"].items()}

    def pods(self) -> list[dict[str, Any]]:
        """The platform's own; trainings carry another name."""
        return self.cluster.objects("pods", f"app.kubernetes.io/instance={self.name}")

    def address(self, service: str) -> str:
        """Of a Service, as the nodes reach it."""
        spec = json.loads(self.cluster.kubectl("get", "service", service, "--output=json"))["spec"]
        return f"http://{spec['clusterIP']}:{spec['ports'][0]['port']}"


def asking(url: str, token: str) -> httpx2.Client:
    return httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=90, trust_env=False)


@contextmanager
def volumes(cluster: Cluster, folder: Path, *claims: str) -> Generator[None]:
    """A place for each claim in a cluster that makes none itself. On leaving, volumes and folders are gone."""
    made: list[str] = []
    try:
        for claim in claims:
            place = folder / claim
            place.mkdir()
            os.chown(place, USER, USER)  # a volume of this kind takes no fsGroup
            made.append(f"test-{secrets.token_hex(4)}-{claim}")
            cluster.kubectl("apply", "--filename=-", stdin=json.dumps(_volume(made[-1], place, cluster, claim)))
        yield
    finally:
        cluster.kubectl("delete", "persistentvolumeclaims", *claims, "--ignore-not-found")
        cluster.kubectl("delete", "persistentvolumes", *made, "--ignore-not-found")
        shutil.rmtree(folder, ignore_errors=True)


def _volume(name: str, place: Path, cluster: Cluster, claim: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "20Gi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": {"namespace": cluster.namespace, "name": claim},
            "hostPath": {"path": str(place)},
        },
    }


@contextmanager
def released(cluster: Cluster, **values: Any) -> Generator[Release]:
    """Installed and ready. On leaving it is uninstalled, and no pod of it is left."""
    release = Release(cluster)
    try:
        release.install(values=values)
        yield release
    finally:
        release.helm("uninstall", release.name, "--ignore-not-found", "--wait", "--timeout=60s")
        wait_for("its pods to be gone", lambda: not release.pods())
