"""`replicas: 2`: two pods that find each other by the headless Service and train as one process group, over gloo.

An image with torch weighs gigabytes. These pods run the small image and get trainer-timm's packages from this machine,
which is also their node: the test adds that volume to the Job that was built. What is sent else is what is always sent.
"""

import copy
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.contract.conftest import environment
from tests.contract.pictures import class_folders
from tests.real.backend import wait_for
from tests.real.cluster import OwnNamespace
from tests.real.installation import ROOT
from tests.real.s3server import S3Server, own_bucket
from tests.real.testkube import places
from trainyard.contract.environment import storage_variables
from trainyard.contract.keys import new_job_id, new_trace_id
from trainyard.contract.resources import Resources
from trainyard.contract.vocabulary import Reason
from trainyard.executors.base import RunId, RunSpec
from trainyard.executors.kubernetes.api import ClusterAway
from trainyard.executors.kubernetes.manifest import Manifests, Object, build
from trainyard.executors.kubernetes.names import job_name
from trainyard.executors.kubernetes.program import read_program, trainer_of
from trainyard.executors.kubernetes.reading import Over, standing
from trainyard.executors.kubernetes.resources import decide
from trainyard.executors.kubernetes.sending import send
from trainyard.settings import load_settings
from trainyard.storage.client import Address
from trainyard.storage.store import Store

PACKAGES = "/packages"
MEET = """
import torch
import torch.distributed as dist

dist.init_process_group("gloo")
number = torch.tensor([10.0 ** dist.get_rank()])
dist.all_reduce(number)
print(f"process {dist.get_rank()} of {dist.get_world_size()}: together {number.item():g}", flush=True)
dist.destroy_process_group()
"""
FAIL = """
import os
import signal
import socket
import sys
import time

signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
port = int(os.environ["MASTER_PORT"])
if os.environ["RANK"] == "0":
    with socket.create_server(("", port)):
        signal.pause()
met = False
while not met:  # a process that never started would not be ended by this one
    try:
        socket.create_connection((os.environ["MASTER_ADDR"], port), 5).close()
        met = True
    except OSError:
        time.sleep(0.1)
raise ArithmeticError("the second process is broken")
"""
TIMM = {"MODEL_NAME": "test_resnet", "IMAGE_SIZE": "32", "BATCH_SIZE": "8", "EPOCHS": "1", "DATASET_ID": "shapes"}
FROM_NOTHING = {"PARAM_PRETRAINED": "false", "PARAM_AUGMENT": "none"}


def with_packages(manifests: Manifests, packages: Path) -> Manifests:
    job = copy.deepcopy(manifests.job)
    pod = job["spec"]["template"]["spec"]
    pod["volumes"].append({"name": "packages", "hostPath": {"path": str(packages), "type": "Directory"}})
    (trainer,) = pod["containers"]
    trainer["volumeMounts"].append({"name": "packages", "mountPath": PACKAGES, "readOnly": True})
    trainer["env"].append({"name": "PYTHONPATH", "value": PACKAGES})
    return Manifests(job, manifests.owned)


@dataclass(frozen=True)
class Sender:
    """Sends two pods of a script, else of trainer-timm itself; each Job is deleted at the test's end."""

    cluster: OwnNamespace
    image: str
    packages: Path
    after: ExitStack

    def __call__(self, script: Path | None = None, env: dict[str, str] | None = None) -> str:
        """The Job's name."""
        settings = self.cluster.settings(trainers_dir=ROOT, k8s_pull_policy="Never", k8s_image=self.image)
        run = RunId(new_job_id("job"), 1, new_trace_id())
        own = {"JOB_ID": run.job_id, "TRACE_ID": run.trace_id, "ATTEMPT": "1", "OMP_NUM_THREADS": "1"}
        spec = RunSpec(run, "timm", own | (env or {}), script)
        asked = Resources(replicas=2, cpu="100m", memory="2Gi")
        needs = decide(settings, "timm", trainer_of(settings, "timm").resources, asked)
        self.after.callback(self.cluster.api.delete, "Job", job_name(run))
        send(
            self.cluster.api,
            with_packages(build(settings, spec, needs, read_program(settings, spec)), self.packages),
            print,
        )
        return job_name(run)


@pytest.fixture
def start(cluster: OwnNamespace, sklearn_image: str) -> Iterator[Sender]:
    if places.is_given():
        pytest.skip("needs a cluster whose node is this machine: unset KUBECONFIG to take the tests' own")
    python = environment(ROOT / "trainer-timm" / "requirements.txt")
    (packages,) = python.parents[1].glob("lib/python3.11/site-packages")
    with ExitStack() as after:
        yield Sender(cluster, sklearn_image, packages, after)


def ended(cluster: OwnNamespace, name: str, seconds: float = 200) -> dict[str, Any]:
    """The Job's status once it is complete or has failed; says what its pods did where that does not come."""

    def look() -> Object | None:
        try:
            status = cluster.api.get("Job", name)["status"]
        except ClusterAway:  # a machine may be busy
            return None
        over = {one["type"] for one in status.get("conditions", []) if one["status"] == "True"}
        return status if over & {"Complete", "Failed"} else None

    try:
        return wait_for("the Job's end", look, seconds)
    except AssertionError:
        raise AssertionError(cluster.kubectl("describe", "pods")[-4000:] + "".join(logs(cluster, name))) from None


def pods(cluster: OwnNamespace, name: str) -> list[Object]:
    """By their index."""
    found = cluster.api.list("Pod", labelSelector=f"job-name={name}")["items"]
    index = "batch.kubernetes.io/job-completion-index"
    return sorted(found, key=lambda pod: int(pod["metadata"]["annotations"][index]))


def logs(cluster: OwnNamespace, name: str) -> list[str]:
    return [cluster.kubectl("logs", pod["metadata"]["name"], code=None) for pod in pods(cluster, name)]


def test_two_pods_form_one_process_group(cluster: OwnNamespace, start: Sender, tmp_path: Path) -> None:
    script = tmp_path / "meet.py"
    script.write_text(MEET)
    name = start(script)
    status = ended(cluster, name)
    assert (status.get("succeeded"), status.get("failed", 0)) == (2, 0), logs(cluster, name)
    assert logs(cluster, name) == [f"process {rank} of 2: together 11\n" for rank in (0, 1)]
    service = cluster.api.get("Service", name)
    assert service["spec"]["clusterIP"] == "None"
    assert service["metadata"]["ownerReferences"][0]["name"] == name


def test_timm_trains_one_model_in_two_pods(
    cluster: OwnNamespace, start: Sender, s3_server: S3Server, tmp_path: Path
) -> None:
    with own_bucket(s3_server, tmp_path) as s3:
        given = {name.removeprefix("TRAINYARD_").lower(): value for name, value in s3.items()}
        address = Address.from_settings(load_settings(_env_file=None, data_dir=tmp_path, **given))
        store = Store(address)
        store.put_stream("datasets/shapes.zip", [class_folders(tmp_path / "shapes.zip").read_bytes()])
        endpoint = f"http://{cluster.pod_host}:{s3_server.endpoint.rpartition(':')[2]}"
        where = storage_variables("minio", endpoint, address.access_key, address.secret_key, address.bucket)
        name = start(env=TIMM | FROM_NOTHING | where)
        status = ended(cluster, name, 240)
        first, second = logs(cluster, name)
        assert (status.get("succeeded"), status.get("failed", 0)) == (2, 0), first + second
        assert "trains on the CPU, processes: 2" in first
        assert '"status": "succeeded"' in first.splitlines()[-1]
        assert "DONE" not in second, "one process speaks for both"
        assert len(list(store.list("checkpoints/"))) == 2, "best and last"


def test_a_pod_that_fails_ends_the_other_one_and_is_named(cluster: OwnNamespace, start: Sender, tmp_path: Path) -> None:
    script = tmp_path / "fail.py"
    script.write_text(FAIL)
    name = start(script)
    assert ended(cluster, name).get("succeeded", 0) == 0
    wait_for("no pod to run", lambda: not cluster.api.get("Job", name)["status"].get("active"))
    over = standing(cluster.api.get("Job", name), pods(cluster, name), lambda pod: True)
    assert isinstance(over, Over) and over.found is not None
    assert over.found.reason is Reason.TRAINER_ERROR
    assert "ArithmeticError: the second process is broken" in over.found.message
    assert 'raise ArithmeticError("the second process is broken")' in over.found.tail
