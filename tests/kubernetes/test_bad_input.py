"""What cannot work on a cluster is said in a sentence: wishes, accounts, namespaces, clusters that are not there."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from tests.kubernetes.accounts import account, all_that_we_ask_for, give
from tests.kubernetes.test_cluster import kubeconfig
from tests.kubernetes.yard import ClusterYard
from tests.real.backend import free_port, wait_for
from tests.real.cluster import OwnNamespace
from tests.real.s3server import S3Server, own_bucket

MakeYard = Callable[..., ClusterYard]


@pytest.fixture
def cut_off(
    cluster: OwnNamespace, s3_server: S3Server, sklearn_image: str, tmp_path: Path
) -> Iterator[Callable[..., ClusterYard]]:
    """Backends that reach no cluster, or an unwilling one. Unlike make_yard's they need not close what they began; what
    they leave in the cluster fails the test all the same."""
    with ExitStack() as after:

        def make(*unset: str, **settings: str) -> ClusterYard:
            folder = tmp_path / f"yard-{token_hex(4)}"
            folder.mkdir()
            s3 = after.enter_context(own_bucket(s3_server, folder))
            yard = ClusterYard(folder, s3, cluster, sklearn_image, **settings)
            after.callback(yard.tidy)
            for name in unset:
                yard.env.pop(name, None)
            yard.env["HOME"] = str(folder)  # no ~/.kube/config either
            yard.start().with_sample()
            return yard

        yield make


def problem(yard: ClusterYard, status: int, **given: Any) -> dict[str, str]:
    """The answer to a submit that is refused; there is no job of it."""
    answer = yard.http.post("/v1/jobs", json={"framework": "probe", "dataset_id": "cats-dogs-classes", **given})
    assert answer.status_code == status, answer.text
    return answer.json()["error"]


def count(yard: ClusterYard) -> int:
    return len(yard.ask("GET", "/v1/jobs", params={"limit": 200})["items"])


# -- wishes -----------------------------------------------------------------------------------------------------------

TOLERATION = {"key": "not a key!", "operator": "Exists"}


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"resources": {"memory": "2 GB"}}, "resources.memory", "2 GB"),
        ({"resources": {"cpu": "two"}}, "resources.cpu", "two"),
        ({"resources": {"image": "Not An Image"}}, "resources.image", "Not An Image"),
        ({"resources": {"queue": "$(HOME)"}}, "resources.queue", ""),
        ({"resources": {"tolerations": [TOLERATION]}}, "resources.tolerations.0.key", ""),
        ({"resources": {"node_selector": {"zone": "a\nb"}}}, "resources.node_selector", ""),
        ({"resources": {"gpus": -1}}, "resources.gpus", ""),
        ({"name": "x" * 300}, "name", "200"),
        ({"name": "two\nlines"}, "name", ""),
        ({"params": {"mode": "a\0b"}}, "params.mode", ""),
        ({"code": "../../etc/passwd"}, "code", ""),
        ({"code": "0" * 64}, "code", ""),
    ],
)
def test_what_no_cluster_could_do_is_a_422_that_names_the_field(
    yard: ClusterYard, given: dict[str, Any], field: str, words: str
) -> None:
    before = count(yard)
    said = problem(yard, 422, **given)
    assert (said["field"] or "").startswith(field)
    assert words in said["message"]
    assert count(yard) == before


def test_more_gpus_than_any_node_has_wait_and_say_so(yard: ClusterYard) -> None:
    body = {"framework": "probe", "dataset_id": "cats-dogs-classes", "params": {"mode": "train"}, "gpus": 8}
    job_id = str(yard.ask("POST", "/v1/jobs", json=body)["id"])
    job = yard.wait_until(job_id, lambda job: "it asks for 8" in job["message"])
    assert job["state"] == "QUEUED"
    another = yard.ask("POST", "/v1/jobs", json=body)  # by now the nodes are known: nobody waits long for them
    assert another["message"].startswith("No node of the cluster has 8 GPUs")
    for each in (job_id, str(another["id"])):
        yard.ask("POST", f"/v1/jobs/{each}/cancel")
        assert yard.wait_end(each)["state"] == "CANCELLED"
        yard.wait_closed(each)


# -- accounts and namespaces ------------------------------------------------------------------------------------------


def test_an_account_without_rights_fails_the_job_with_the_right_it_lacks(
    cluster: OwnNamespace, cut_off: MakeYard, tmp_path: Path
) -> None:
    yard = cut_off(kubeconfig=str(account(cluster, tmp_path, "stranger")))
    job = yard.wait_end(yard.submit())
    assert (job["state"], job["reason"]) == ("FAILED", "LaunchFailed")
    wanted = f"The cluster does not let trainyard create jobs in the namespace {cluster.namespace}."
    assert wanted in job["message"]
    assert "create on jobs" in job["evidence"]["hint"]
    assert not cluster.left_of_ours()


def test_an_account_that_may_not_make_secrets_leaves_no_job_behind(
    cluster: OwnNamespace, make_yard: MakeYard, tmp_path: Path
) -> None:
    rights = all_that_we_ask_for()
    del rights["secrets"]
    yard = make_yard(kubeconfig=str(account(cluster, tmp_path, "halfway", rights)))
    job_id = yard.submit()
    job = yard.wait_end(job_id)
    assert (job["state"], job["reason"]) == ("FAILED", "LaunchFailed")
    assert f"does not let trainyard create secrets in the namespace {cluster.namespace}" in job["message"]
    yard.wait_closed(job_id)
    wait_for("the Job to go", lambda: not cluster.left_of_ours())


def test_what_may_not_be_deleted_yet_is_tried_again_without_a_storm(
    cluster: OwnNamespace, make_yard: MakeYard, tmp_path: Path
) -> None:
    rights = all_that_we_ask_for()
    rights["jobs"] = tuple(verb for verb in rights["jobs"] if verb != "delete")
    yard = make_yard(kubeconfig=str(account(cluster, tmp_path, "keeper", rights)))
    job_id = yard.submit()
    assert yard.wait_end(job_id)["state"] == "SUCCEEDED"

    def tries() -> list[datetime]:
        """When, by the log's own clock."""
        lines = [line for line in yard.log.read_text().splitlines() if f'training-{job_id}\\" is forbidden' in line]
        return [datetime.fromisoformat(json.loads(line)["at"]) for line in lines]

    wait_for("three tries", lambda: len(tries()) >= 3)
    first, _, third, *_ = tries()
    assert (third - first).total_seconds() > 1
    give(cluster, "keeper", {"jobs": ("delete",)})
    yard.wait_closed(job_id)


def test_a_namespace_that_is_not_there_is_named(make_yard: MakeYard) -> None:
    yard = make_yard(k8s_namespace="test-nowhere")
    job_id = yard.submit()
    job = yard.wait_end(job_id)
    assert (job["state"], job["reason"]) == ("FAILED", "LaunchFailed")
    assert "The cluster has no namespace test-nowhere." in job["message"]
    assert "kubectl create namespace test-nowhere" in job["evidence"]["hint"]
    yard.wait_closed(job_id)


# -- no cluster -------------------------------------------------------------------------------------------------------


def test_without_a_kubeconfig_only_the_local_tier_works(cut_off: MakeYard) -> None:
    yard = cut_off("TRAINYARD_KUBECONFIG", "KUBECONFIG")
    said = problem(yard, 501)
    assert "no cluster" in said["message"]
    assert "TRAINYARD_KUBECONFIG" in said["hint"]
    assert count(yard) == 0
    here = yard.submit(execution="local")
    assert yard.wait_end(here)["state"] == "SUCCEEDED"
    yard.wait_closed(here)


def test_a_cluster_that_does_not_answer_keeps_jobs_waiting_and_can_be_given_up(
    cluster: OwnNamespace, cut_off: MakeYard, tmp_path: Path
) -> None:
    nowhere = f"https://127.0.0.1:{free_port()}"
    yard = cut_off(kubeconfig=str(kubeconfig(cluster, tmp_path / "config", server=nowhere)))
    job_id = yard.submit()
    job = yard.wait_until(job_id, lambda job: "does not answer" in job["message"])
    assert job["state"] == "QUEUED"
    assert nowhere in job["message"]
    here = yard.submit(execution="local")
    assert yard.wait_end(here)["state"] == "SUCCEEDED"
    yard.ask("POST", f"/v1/jobs/{job_id}/cancel")
    ended = yard.wait_end(job_id)
    assert (ended["state"], ended["reason"]) == ("CANCELLED", "CancelledByUser")
