"""What a pod gets: the job's wish, else the trainer's, else the installation's; never two that exclude each other."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.k8s_made import built, settings, trainer
from tests.unit.k8s_made import spec as run_of
from tests.unit.pods_made import a_node
from trainyard.contract.manifest import read_manifest
from trainyard.contract.resources import Needs, Resources
from trainyard.errors import InvalidInput, InvalidSetting
from trainyard.executors.kubernetes.addresses import out_of_reach, pod_addresses
from trainyard.executors.kubernetes.resources import PodNeeds, decide
from trainyard.executors.kubernetes.scheduling import too_many_gpus

ROOT = Path(__file__).parents[2]


def decided(tmp_path: Path, trainers: dict[str, Any], jobs: dict[str, Any], **setting: Any) -> PodNeeds:
    return decide(settings(tmp_path, **setting), "x", Needs.model_validate(trainers), Resources.model_validate(jobs))


def test_the_job_is_asked_first_then_the_trainer_then_the_installation(tmp_path: Path) -> None:
    given = {"k8s_cpu": "3", "k8s_memory": "3Gi", "k8s_image": "reg.io/trainer-{framework}:1", "k8s_queue": "q"}
    bare = decided(tmp_path, {}, {}, **given)
    assert (bare.cpu, bare.memory, bare.shm, bare.gpus, bare.replicas) == ("3", "3Gi", "1536Mi", 0, 1)
    assert (bare.image, bare.queue) == ("reg.io/trainer-x:1", "q")
    own = decided(tmp_path, {"cpu": "2", "memory": "2Gi", "gpus": 1, "shm": "64Mi"}, {}, **given)
    assert (own.cpu, own.memory, own.shm, own.gpus) == ("2", "2Gi", "64Mi", 1)
    job = decided(tmp_path, {"gpus": 1, "cpu": "2"}, {"gpus": 0, "cpu": 1, "image": "a/b", "queue": "mine"}, **given)
    assert (job.cpu, job.gpus, job.image, job.queue) == ("1", 0, "a/b", "mine")


def test_requests_and_limits(tmp_path: Path) -> None:
    needs = decided(tmp_path, {}, {"cpu": "500m", "memory": "1Gi", "gpus": 2})
    assert needs.requests() == {"cpu": "500m", "memory": "1Gi", "nvidia.com/gpu": "2"}
    assert needs.limits() == {"memory": "1Gi", "nvidia.com/gpu": "2"}
    assert decided(tmp_path, {}, {"cpu_limit": "2"}).limits()["cpu"] == "2"
    assert "nvidia.com/gpu" not in decided(tmp_path, {}, {}).requests()


@pytest.mark.parametrize(
    ("wishes", "field", "words"),
    [
        ({"memory": "1Gi", "shm": "2Gi"}, "resources.shm", "2Gi of shared memory do not fit into 1Gi"),
        ({"cpu": "2", "cpu_limit": "1500m"}, "resources.cpu_limit", "At most 1500m"),
        ({"replicas": 2, "gpus": 4}, "resources.gpus", "Ask for 8 replicas with one GPU each"),
    ],
)
def test_wishes_that_exclude_each_other_are_refused(
    tmp_path: Path, wishes: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        decided(tmp_path, {}, wishes)
    assert words in str(caught.value)
    assert caught.value.field == field


def test_nodes_and_taints_of_the_installation_hold_for_every_job(tmp_path: Path) -> None:
    trainer(tmp_path)
    given = settings(
        tmp_path, k8s_node_selector="disk=ssd, zone=a", k8s_tolerations="team=ml:NoSchedule, spot:NoExecute"
    )
    wishes: dict[str, Any] = {"node_selector": {"zone": "b"}, "tolerations": [{"key": "own"}], "gpus": 1}
    pod = built(given, run_of(), **wishes).job["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"disk": "ssd", "zone": "b"}
    assert pod["tolerations"] == [
        {"key": "team", "operator": "Equal", "value": "ml", "effect": "NoSchedule"},
        {"key": "spot", "operator": "Exists", "effect": "NoExecute"},
        {"key": "own", "operator": "Exists"},
        {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
    ]
    assert "tolerations" not in built(settings(tmp_path), run_of()).job["spec"]["template"]["spec"]


@pytest.mark.parametrize(
    ("setting", "text", "words"),
    [
        ("k8s_memory", "2 GB", "write 2Gi"), ("k8s_cpu", "two", "write 2 for two"), ("k8s_image", "A B", "is no image"),
        ("k8s_node_selector", "a b=c", "'a b' in it is wrong"), ("k8s_tolerations", "spot:Sometimes", "NoSchedule"),
        ("k8s_tolerations", "spot", "name=value:effect or name:effect"),
    ],
)  # fmt: skip
def test_a_setting_that_is_none_is_named(tmp_path: Path, setting: str, text: str, words: str) -> None:
    with pytest.raises(InvalidSetting) as caught:
        decided(tmp_path, {}, {}, **{setting: text})
    assert caught.value.field == f"TRAINYARD_{setting.upper()}"
    assert f"TRAINYARD_{setting.upper()} is not usable" in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize("path", sorted(ROOT.glob("trainer-*/trainer.toml")), ids=lambda path: path.parent.name)
def test_what_our_trainers_ask_for_can_be_given(tmp_path: Path, path: Path) -> None:
    manifest = read_manifest(path)
    assert decide(settings(tmp_path), manifest.framework, manifest.resources, Resources()).memory


def test_a_trainer_that_asks_for_nonsense_is_not_read(tmp_path: Path) -> None:
    folder = trainer(tmp_path)
    text = (folder / "trainer.toml").read_text()
    (folder / "trainer.toml").write_text(text.replace("1Gi", "1 GB"))
    with pytest.raises(ValueError, match=r"resources\.memory: .*write 1Gi"):
        read_manifest(folder / "trainer.toml")


def test_pods_see_other_addresses_and_this_machines_own_are_warned_of(tmp_path: Path) -> None:
    here = pod_addresses(settings(tmp_path))
    assert here.backend == settings(tmp_path).backend_url
    assert len(out_of_reach(here)) == 3
    given = settings(
        tmp_path, k8s_backend_url="http://10.0.0.1:8000/", k8s_s3_url="http://minio-service:9000",
        k8s_mlflow_url="http://mlflow-service:5000",
    )  # fmt: skip
    there = pod_addresses(given)
    assert (there.backend, there.s3, there.mlflow) == (
        "http://10.0.0.1:8000", "http://minio-service:9000", "http://mlflow-service:5000",
    )  # fmt: skip
    assert out_of_reach(there) == []


def test_more_gpus_than_any_node_has_are_doubted_and_no_others() -> None:
    nodes = [a_node("a", **{"nvidia.com/gpu": "2"}), a_node("b")]
    assert too_many_gpus(3, nodes).startswith("No node of the cluster has 3 GPUs; the most that one has is 2.")
    assert too_many_gpus(1, [a_node("b")]).startswith("No node of the cluster has a GPU; the most that one has is 0.")
    assert too_many_gpus(2, nodes) == too_many_gpus(0, [a_node("b")]) == too_many_gpus(9, []) == ""
