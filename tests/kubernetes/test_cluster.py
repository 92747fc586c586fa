"""Our client against a real cluster: what it asks, what it is refused, when it is away; and these tests' own house."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.kubernetes.yard import ClusterYard
from tests.real.backend import free_port, wait_for
from tests.real.cluster import Cluster, OwnNamespace, own_namespace
from trainyard.errors import NotAvailable
from trainyard.executors.kubernetes.api import Api, ClusterAway, Kind, Object, Refused
from trainyard.executors.kubernetes.creation import refused
from trainyard.executors.kubernetes.names import MANAGED_BY
from trainyard.settings import load_settings


def config_map(name: str, labels: dict[str, str] | None = None, **data: str) -> Object:
    metadata = {"name": name, "labels": labels or {}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def pod(name: str, image: str, code: str) -> Object:
    """One that runs some Python and ends."""
    container = {"name": "main", "image": image, "imagePullPolicy": "IfNotPresent", "command": ["python", "-c", code]}
    spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def wait_phase(cluster: OwnNamespace, name: str, *phases: str) -> None:
    wait_for(f"{name} to be {phases}", lambda: cluster.api.get("Pod", name)["status"]["phase"] in phases)


def printed(cluster: OwnNamespace, image: str, code: str) -> str:
    """What a pod of this image says when it runs this."""
    cluster.api.create(pod("says", image, code))
    wait_phase(cluster, "says", "Succeeded", "Failed")
    with cluster.api.log("says", {}, silence=60) as pieces:
        return b"".join(pieces).decode()


def kubeconfig(cluster: Cluster, target: Path, *, server: str = "", token: str = "", no_context: bool = False) -> Path:
    """A copy of the cluster's with something else in it."""
    config: Any = yaml.safe_load(cluster.kubeconfig.read_text())
    if server:
        config["clusters"][0]["cluster"]["server"] = server
    if token:
        config["users"][0]["user"] = {"token": token}
    if no_context:
        del config["current-context"]
    target.write_text(yaml.safe_dump(config))
    return target


@pytest.fixture
def stranger(cluster: OwnNamespace, tmp_path: Path) -> Iterator[Api]:
    """Our client as an account that nobody has given any rights."""
    cluster.kubectl("create", "serviceaccount", "stranger")
    token = cluster.kubectl("create", "token", "stranger").strip()
    api = Api.connect(cluster.settings(kubeconfig=kubeconfig(cluster, tmp_path / "stranger", token=token)))
    yield api
    api.close()


# -- objects ----------------------------------------------------------------------------------------------------------


def test_an_object_is_made_once_changed_and_deleted(cluster: OwnNamespace) -> None:
    api, made = cluster.api, config_map("letters", a="1", b="2")
    assert api.create(made)["metadata"]["namespace"] == cluster.namespace
    with pytest.raises(Refused, match='"letters" already exists') as again:
        api.create(made)
    assert again.value.status == 409
    assert api.patch("ConfigMap", "letters", {"data": {"a": "3", "b": None}})["data"] == {"a": "3"}
    assert api.get("ConfigMap", "letters")["data"] == {"a": "3"}
    assert api.delete("ConfigMap", "letters") is True
    assert api.delete("ConfigMap", "letters") is False
    with pytest.raises(Refused, match='"letters" not found') as gone:
        api.get("ConfigMap", "letters")
    assert gone.value.status == 404


def test_a_list_is_of_our_namespace_and_of_what_was_asked_for(cluster: OwnNamespace, whole_cluster: Cluster) -> None:
    with own_namespace(whole_cluster) as other:
        other.api.create(config_map("elsewhere", {"team": "a"}))
        cluster.api.create(config_map("mine", {"team": "a"}))
        cluster.api.create(config_map("not-mine", {"team": "b"}))
        listed = cluster.api.list("ConfigMap", labelSelector="team=a")
    assert [one["metadata"]["name"] for one in listed["items"]] == ["mine"]
    assert listed["metadata"]["resourceVersion"]


def test_deleting_a_job_takes_its_pods_and_what_it_owns(cluster: OwnNamespace, sklearn_image: str) -> None:
    template = {"spec": pod("unused", sklearn_image, "import time; time.sleep(600)")["spec"]}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "long"}, "spec": {"template": template}}
    uid = cluster.api.create(job)["metadata"]["uid"]
    owned = config_map("of-long")
    owned["metadata"]["ownerReferences"] = [{"apiVersion": "batch/v1", "kind": "Job", "name": "long", "uid": uid}]
    cluster.api.create(owned)
    wait_for("its pod", lambda: cluster.objects("pods", "job-name=long"))
    assert cluster.api.delete("Job", "long")
    wait_for("its pod to go", lambda: not cluster.objects("pods", "job-name=long"))
    wait_for("what it owned to go", lambda: "of-long" not in cluster.kubectl("get", "configmaps", "-o=name"))


def test_a_namespace_that_is_not_there_is_named(cluster: OwnNamespace) -> None:
    api = Api.connect(cluster.settings(k8s_namespace="test-nowhere"))
    with pytest.raises(Refused) as found:
        api.create(config_map("letters"))
    api.close()
    assert found.value.status == 404
    diagnosis = refused(str(found.value))
    assert diagnosis.message == "The cluster has no namespace test-nowhere."
    assert "kubectl create namespace test-nowhere" in diagnosis.hint


def test_something_malformed_is_refused_in_the_clusters_words(cluster: OwnNamespace) -> None:
    with pytest.raises(Refused, match="a lowercase RFC 1123 subdomain") as found:
        cluster.api.create(config_map("Not A Name"))
    assert found.value.status == 422


# -- rights -----------------------------------------------------------------------------------------------------------


def test_an_account_without_rights_is_told_which_it_lacks(stranger: Api, cluster: OwnNamespace) -> None:
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "never"}}
    with pytest.raises(Refused) as found:
        stranger.create(job)
    assert found.value.status == 403
    assert 'cannot create resource "jobs" in API group "batch"' in str(found.value)
    assert f'in the namespace "{cluster.namespace}"' in str(found.value)
    diagnosis = refused(str(found.value))
    assert diagnosis.message == f"The cluster does not let trainyard create jobs in the namespace {cluster.namespace}."
    with pytest.raises(Refused, match='cannot list resource "nodes"'):
        stranger.nodes()
    assert cluster.api.nodes()


ASKED: list[tuple[str, Kind, str]] = [
    ("create", "Job", ""),
    ("watch", "Pod", ""),
    ("get", "Pod", "log"),
    ("delete", "Secret", ""),
    ("patch", "Job", ""),
    ("list", "Event", ""),
]


def test_what_an_account_may_do_can_be_asked(stranger: Api, cluster: OwnNamespace) -> None:
    assert all(cluster.api.may(*each) for each in ASKED)
    assert not any(stranger.may(*each) for each in ASKED)
    cluster.kubectl("create", "role", "some", "--verb=create,patch", "--resource=jobs")
    cluster.kubectl("create", "role", "logs", "--verb=get", "--resource=pods/log")
    for role in ("some", "logs"):
        account = f"--serviceaccount={cluster.namespace}:stranger"
        cluster.kubectl("create", "rolebinding", role, f"--role={role}", account)
    allowed = [ASKED[0], ASKED[2], ASKED[4]]
    wait_for("the roles to count", lambda: [each for each in ASKED if stranger.may(*each)] == allowed)


def test_an_account_that_the_cluster_does_not_know_is_refused(cluster: OwnNamespace, tmp_path: Path) -> None:
    api = Api.connect(cluster.settings(kubeconfig=kubeconfig(cluster, tmp_path / "config", token="not-a-token")))
    with pytest.raises(Refused, match="does not know our account") as found:
        api.list("Job")
    api.close()
    assert found.value.status == 401
    assert "not-a-token" not in str(found.value)


# -- streams ----------------------------------------------------------------------------------------------------------


def test_a_watch_tells_changes_from_where_the_list_ended(cluster: OwnNamespace) -> None:
    cluster.api.create(config_map("before", {"kind-of": "test"}))
    start = cluster.api.list("ConfigMap", labelSelector="kind-of=test")["metadata"]["resourceVersion"]
    cluster.api.create(config_map("after", {"kind-of": "test"}))
    cluster.api.create(config_map("other"))
    query = {"resourceVersion": start, "labelSelector": "kind-of=test"}
    with cluster.api.watch("ConfigMap", query, silence=60) as changes:
        first = next(changes)
        assert (first["type"], first["object"]["metadata"]["name"]) == ("ADDED", "after")
        cluster.api.patch("ConfigMap", "before", {"data": {"a": "1"}})
        second = next(changes)
        assert (second["type"], second["object"]["data"]) == ("MODIFIED", {"a": "1"})
        cluster.api.delete("ConfigMap", "after")
        assert next(changes)["type"] == "DELETED"


def test_a_watch_that_hears_nothing_does_not_wait_for_ever(cluster: OwnNamespace) -> None:
    start = cluster.api.list("Job")["metadata"]["resourceVersion"]
    with (
        pytest.raises(ClusterAway, match="does not answer"),
        cluster.api.watch("Job", {"resourceVersion": start}, silence=0.5) as changes,
    ):
        next(changes)


def test_a_finished_pods_log_is_read_whole(cluster: OwnNamespace, sklearn_image: str) -> None:
    lines = [f"{number} 훈련 {'x' * 200}" for number in range(5000)]
    said = printed(cluster, sklearn_image, "for n in range(5000): print(f\"{n} 훈련 {'x' * 200}\")")
    assert said.splitlines() == lines
    with cluster.api.log("says", {"tailLines": "1"}, silence=60) as pieces:
        assert b"".join(pieces).decode() == f"{lines[-1]}\n"
    with pytest.raises(Refused) as found, cluster.api.log("nobody", {}, silence=10):
        pass
    assert found.value.status == 404


def test_a_running_pods_log_comes_as_it_is_written(cluster: OwnNamespace, sklearn_image: str) -> None:
    """The pod waits for a file that the test makes only after it has read the line before."""
    code = (
        "import os,time; print('first', flush=True)\nwhile not os.path.exists('/tmp/go'): time.sleep(.05)\nprint('end')"
    )
    cluster.api.create(pod("talks", sklearn_image, code))
    wait_phase(cluster, "talks", "Running")
    with cluster.api.log("talks", {"follow": "true"}, silence=90) as pieces:
        assert next(pieces) == b"first\n"
        cluster.kubectl("exec", "talks", "--", "touch", "/tmp/go")
        assert b"".join(pieces) == b"end\n"


# -- no cluster -------------------------------------------------------------------------------------------------------


def test_a_cluster_that_does_not_answer_is_away(cluster: OwnNamespace, tmp_path: Path) -> None:
    nowhere = f"https://127.0.0.1:{free_port()}"
    api = Api.connect(cluster.settings(kubeconfig=kubeconfig(cluster, tmp_path / "config", server=nowhere)))
    for call in (lambda: api.list("Job"), api.nodes, lambda: api.delete("Job", "any"), lambda: api.may("get", "Job")):
        with pytest.raises(ClusterAway, match=f"The cluster at {nowhere} does not answer: "):
            call()
    with pytest.raises(ClusterAway), api.watch("Job", {}, silence=1):
        pass
    api.close()


def test_a_kubeconfig_that_is_not_there_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(NotAvailable) as found:
        Api.connect(load_settings(_env_file=None, kubeconfig=tmp_path / "missing"))
    assert "missing" in found.value.message
    assert "TRAINYARD_KUBECONFIG" in found.value.hint


@pytest.mark.parametrize(
    "text",
    ["", "[", "just text", "- a list", "clusters: 3", "apiVersion: v1\nkind: Config\n", "\x00"],
    ids=["empty", "no YAML", "text", "list", "no clusters", "nothing in it", "binary"],
)
def test_a_kubeconfig_that_can_not_be_read_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken"
    path.write_text(text)
    with pytest.raises(NotAvailable) as found:
        Api.connect(load_settings(_env_file=None, kubeconfig=path))
    assert "TRAINYARD_KUBECONFIG" in found.value.hint
    assert found.value.message.endswith(".")


def test_a_context_that_is_not_there_is_named(cluster: OwnNamespace, tmp_path: Path) -> None:
    with pytest.raises(NotAvailable, match="production") as found:
        Api.connect(cluster.settings(k8s_context="production"))
    assert "TRAINYARD_K8S_CONTEXT" in found.value.hint
    none = kubeconfig(cluster, tmp_path / "config", no_context=True)
    with pytest.raises(NotAvailable, match="o current context") as without:
        Api.connect(cluster.settings(kubeconfig=none))
    assert "TRAINYARD_K8S_CONTEXT" in without.value.hint


# -- the house --------------------------------------------------------------------------------------------------------


def test_what_is_left_of_ours_in_a_namespace_is_an_error(whole_cluster: Cluster) -> None:
    with (
        pytest.raises(AssertionError, match="left in the cluster: ConfigMap forgotten"),
        own_namespace(whole_cluster, patience=0.3) as space,
    ):
        space.api.create(config_map("forgotten", MANAGED_BY))
        space.api.create(config_map("of-somebody-else"))


def test_images_hold_what_their_names_say(
    cluster: OwnNamespace, sklearn_image: str, sklearn_trainer_image: str
) -> None:
    look = "import boto3, os, sklearn; print(sorted(os.listdir('/code')))"
    assert "train.py" not in printed(cluster, sklearn_image, look)
    cluster.kubectl("delete", "pod", "says")
    assert "train.py" in printed(cluster, sklearn_trainer_image, look)


def test_a_yards_job_runs_in_a_pod_of_its_namespace(yard: ClusterYard) -> None:
    """A pod that reaches the backend and is reached by its answers; what it leaves, `cluster` would complain of."""
    job_id = yard.submit(gate=Path("/tmp/go"))
    yard.wait_state(job_id, "RUNNING")
    (found,) = yard.cluster.objects("pods", f"trainyard/job-id={job_id}")
    yard.cluster.kubectl("exec", found["metadata"]["name"], "--", "touch", "/tmp/go")
    assert yard.wait_end(job_id)["state"] == "SUCCEEDED"
    assert "probe starts" in wait_for("its log", lambda: yard.log_text(job_id))
