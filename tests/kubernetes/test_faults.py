"""What a cluster does to a training, done for real: rows 39 to 45 and 53 of docs/reliability.md."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.kubernetes.yard import ClusterYard
from tests.real.backend import wait_for
from tests.real.wire import Wire
from trainyard.executors.base import RunId
from trainyard.executors.kubernetes.code import CONFIG_MAP_LIMIT
from trainyard.executors.kubernetes.names import job_name, selector

MakeYard = Callable[..., ClusterYard]
EAT = """
import subprocess, sys, time
EATER = "data = bytearray()\\nwhile True: data += b'x' * (8 << 20)"
"""


def run_of(yard: ClusterYard, job_id: str) -> RunId:
    job = yard.job(job_id)
    return RunId(job_id, job["attempt"], job["trace_id"])


def pod_of(yard: ClusterYard, job_id: str) -> str:
    """The name of the pod of its newest attempt."""
    chosen = ",".join(f"{name}={value}" for name, value in selector(run_of(yard, job_id)).items())
    pods = wait_for("its pod", lambda: yard.cluster.objects("pods", chosen))
    return str(pods[0]["metadata"]["name"])


def evict(yard: ClusterYard, pod: str) -> None:
    """What `kubectl drain` does."""
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}}
    path = f"/api/v1/namespaces/{yard.cluster.namespace}/pods/{pod}/eviction"
    yard.cluster.kubectl("create", "--raw", path, "--filename=-", stdin=json.dumps(body))


# -- the API server ---------------------------------------------------------------------------------------------------


@pytest.fixture
def wired(make_yard: MakeYard, tmp_path: Path, whole_cluster: object) -> Iterator[tuple[ClusterYard, Wire]]:
    """A yard whose way to the API server is a wire that can be cut."""
    config = yaml.safe_load(Path(whole_cluster.kubeconfig).read_text())  # type: ignore[attr-defined]
    server = config["clusters"][0]["cluster"]["server"]
    wire = Wire(("127.0.0.1", int(server.rpartition(":")[2])))
    config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{wire.port}"
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    try:
        yield make_yard(kubeconfig=str(path)), wire
        wire.mend()
    finally:
        wire.close()


@pytest.mark.parametrize("how", ["cut", "hold"])
def test_f39_the_api_server_is_away_and_no_job_is_harmed(wired: tuple[ClusterYard, Wire], how: str) -> None:
    yard, wire = wired
    ends, goes_on = yard.submit(epochs=20, epoch_seconds=0.2), yard.submit(epochs=60, epoch_seconds=0.2)
    for job_id in (ends, goes_on):
        yard.wait_until(job_id, lambda job: job["epoch"])
    getattr(wire, how)()
    wait_for("one to end unseen", lambda: yard.job(ends)["state"] == "SUCCEEDED")  # its callbacks arrive all the same
    late = yard.submit(epochs=2)
    yard.wait_until(goes_on, lambda job: job["epoch"] > 30)
    assert yard.job(late)["state"] in ("PENDING", "QUEUED")
    wire.mend()
    for job_id in (goes_on, late):
        assert yard.wait_end(job_id)["state"] == "SUCCEEDED"
    for job_id in (ends, goes_on, late):
        yard.wait_closed(job_id)
    log = yard.log_text(goes_on)
    assert [log.count(f"epoch {number} of 60\n") for number in range(1, 61)] == [1] * 60


def test_f40_what_the_server_forgot_is_listed_anew(wired: tuple[ClusterYard, Wire]) -> None:
    yard, wire = wired
    job_id = yard.submit(epochs=10, epoch_seconds=0.3)
    yard.wait_until(job_id, lambda job: job["epoch"])
    wire.cut()
    wait_for("its end, unseen", lambda: not yard.processes_of(job_id))
    pod = pod_of(yard, job_id)  # kubectl has a way of its own
    phase = ("get", "pod", pod, "--output=jsonpath={.status.phase}")
    wait_for("the cluster to know it", lambda: yard.cluster.kubectl(*phase) == "Succeeded")
    compact_etcd()
    wire.mend()
    assert yard.wait_end(job_id)["state"] == "SUCCEEDED"
    yard.wait_closed(job_id)
    assert "DONE" in yard.log_text(job_id)


def compact_etcd() -> None:
    """Forget all that was before now."""

    def ask(what: str, body: object) -> Any:
        argv = ["curl", "--silent", "--show-error", "--fail", "--max-time", "120", "--request", "POST"]
        argv += [f"http://127.0.0.1:2379/v3/kv/{what}", "--data", json.dumps(body)]
        done = subprocess.run(argv, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    ask("compaction", {"revision": ask("range", {"key": "AA=="})["header"]["revision"]})


# -- memory, images, deletion -----------------------------------------------------------------------------------------


def test_f41_a_pod_that_takes_too_much_memory_is_out_of_memory(yard: ClusterYard) -> None:
    code = yard.send_code({"eat.py": EAT + "exec(EATER)\n"})
    job_id = submit_script(yard, code, "eat.py", memory="64Mi")
    job = yard.wait_end(job_id)
    assert (job["state"], job["reason"]) == ("FAILED", "OutOfMemory")
    assert "64Mi" in job["message"]


def test_f41_a_child_that_took_too_much_memory_fails_a_run_whose_exit_code_is_0(yard: ClusterYard) -> None:
    code = yard.send_code({"eat.py": EAT + "subprocess.run([sys.executable, '-c', EATER])\nprint('all is well')\n"})
    job_id = submit_script(yard, code, "eat.py", memory="64Mi")
    job = yard.wait_end(job_id)
    assert (job["state"], job["reason"]) == ("FAILED", "OutOfMemory")


def submit_script(yard: ClusterYard, code: str, script: str, **resources: str) -> str:
    body = {"framework": "probe", "model": "tiny", "code": code, "script": script, "resources": resources}
    return str(yard.ask("POST", "/v1/jobs", json=body)["id"])


def test_f42_an_image_that_is_not_there_fails_with_that_reason(make_yard: MakeYard) -> None:
    yard = make_yard(k8s_pull_policy="Never")
    job_id = yard.submit(resources={"image": "localhost/nobody-made-it:1"})
    job = yard.wait_end(job_id)
    assert (job["state"], job["reason"]) == ("FAILED", "ImagePull")
    assert "localhost/nobody-made-it:1" in job["message"]


def test_f42_while_an_image_cannot_be_fetched_the_job_says_so(yard: ClusterYard) -> None:
    job_id = yard.submit(resources={"image": "localhost/nobody-made-it:1"})
    job = yard.wait_until(job_id, lambda job: "nobody-made-it" in job["message"] and "fetches" not in job["message"])
    assert job["state"] == "QUEUED"


@pytest.mark.parametrize("kind", ["job", "pod"])
def test_f43_what_somebody_deletes_by_hand_fails_with_that_reason(yard: ClusterYard, kind: str) -> None:
    job_id = yard.submit(epochs=10_000)
    yard.wait_until(job_id, lambda job: job["epoch"])
    name = job_name(run_of(yard, job_id)) if kind == "job" else pod_of(yard, job_id)
    yard.cluster.kubectl("delete", kind, name, "--wait=false")
    job = yard.wait_end(job_id)
    assert (job["state"], job["reason"]) == ("FAILED", "Killed")
    assert "not through trainyard" in job["message"] or "trainyard did not" in job["message"]


def test_f44_a_terminating_pod_is_never_overlapped(yard: ClusterYard) -> None:
    job_id = yard.submit("ignore-term", epochs=1000, epoch_seconds=30)
    yard.wait_state(job_id, "RUNNING")
    pod = pod_of(yard, job_id)
    for _ in range(2):
        yard.cluster.kubectl("delete", "pod", pod, "--wait=false", code=None)
        assert len(yard.processes_of(job_id)) <= 1
    assert yard.wait_end(job_id)["reason"] == "Killed"
    yard.wait_closed(job_id)
    assert yard.log_text(job_id).count("probe starts") == 1


def test_f45_code_that_no_configmap_holds_goes_through_the_store(yard: ClusterYard) -> None:
    script = "import data\nprint('the code is whole:', len(data.TEXT))\n"
    big = f"TEXT = '{'x' * (CONFIG_MAP_LIMIT + 1)}'\n"
    job_id = submit_script(yard, yard.send_code({"run.py": script, "data.py": big}), "run.py")
    job = yard.wait_end(job_id)
    assert job["state"] == "SUCCEEDED", job
    yard.wait_closed(job_id)
    assert f"the code is whole: {CONFIG_MAP_LIMIT + 1}" in yard.log_text(job_id)


# -- taken away -------------------------------------------------------------------------------------------------------


def test_f53_an_evicted_pod_starts_again_from_its_last_checkpoint(yard: ClusterYard) -> None:
    job_id = yard.submit("keep", epochs=60, epoch_seconds=0.3)
    pod, first = pod_of(yard, job_id), yard.tokens().sign(job_id, 1)
    yard.wait_until(job_id, lambda job: (job["epoch"] or 0) > 3)
    evict(yard, pod)
    job = yard.wait_until(job_id, lambda job: job["attempt"] == 2)
    (again,) = [event for event in yard.events(job_id) if event["data"].get("attempt") == 2]
    assert "drained" in again["message"]
    assert job["resume_from"] == f"checkpoints/job-{job_id}/last.pt"
    assert yard.call(job_id, "heartbeat", token=first, seq=999, phase="late").status_code == 401
    yard.wait_until(job_id, lambda job: job["state"] == "RUNNING")
    ended = yard.wait_end(job_id)
    assert (ended["state"], ended["attempt"]) == ("SUCCEEDED", 2)
    yard.wait_closed(job_id)
    log = yard.log_text(job_id)  # of both attempts, one after the other
    assert log.index("probe starts") < log.index(f"resumes checkpoints/job-{job_id}/last.pt after epoch")
    assert (log.count("probe starts"), log.count("epoch 1 of 60\n"), log.count("epoch 60 of 60\n")) == (2, 1, 1)
    ends = [event for event in yard.events(job_id) if event["data"].get("to") in ("SUCCEEDED", "FAILED", "CANCELLED")]
    assert len(ends) == 1


def test_f53_evictions_come_to_an_end(make_yard: MakeYard) -> None:
    yard = make_yard(max_relaunches="0")
    job_id = yard.submit(epochs=10_000)
    yard.wait_until(job_id, lambda job: job["epoch"])
    evict(yard, pod_of(yard, job_id))
    job = yard.wait_end(job_id)
    assert (job["state"], job["reason"], job["attempt"]) == ("FAILED", "Evicted", 1)
