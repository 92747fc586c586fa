"""From what the API server says of a pod to a reason, a sentence, the line that shows it and what to do."""

import pytest

from tests.unit.pods_made import (
    IMAGE,
    Fields,
    a_container,
    a_job,
    a_node,
    a_pod,
    disrupted,
    ended,
    event,
    failed,
    unschedulable,
    waits,
)
from trainyard.contract.callbacks import Done
from trainyard.contract.vocabulary import DoneStatus, Reason, State
from trainyard.executors.kubernetes.creation import refused
from trainyard.executors.kubernetes.diagnosis import as_exit, diagnose
from trainyard.jobs.endings import of_exit

TRACEBACK = """epoch 1/3
Traceback (most recent call last):
  File "/code/train.py", line 12, in <module>
    train()
ValueError: shapes differ"""
RPC = "rpc error: code = NotFound desc = "
PULL = f'Failed to pull image "{IMAGE}": failed to pull and unpack image "{IMAGE}": failed to resolve reference: '
BACK_OFF = f'Back-off pulling image "{IMAGE}"'
LOW = (
    "The node was low on resource: memory. Threshold quantity: 100Mi, available: 82064Ki. Container trainer was using "
    "3187404Ki, request is 1Gi, has larger consumption of memory. "
)


@pytest.mark.parametrize(
    ("pod", "reason", "says"),
    [
        # ended by itself
        (ended(137, "OOMKilled"), Reason.OUT_OF_MEMORY, "its limit of 2Gi"),
        (ended(0, "OOMKilled", phase="Succeeded"), Reason.OUT_OF_MEMORY, "its exit code was 0"),
        (ended(137, "OOMKilled", init=True), Reason.OUT_OF_MEMORY, "more memory than its node had"),
        (ended(1, message=TRACEBACK), Reason.TRAINER_ERROR, "exit code 1: ValueError: shapes differ"),
        (ended(139), Reason.TRAINER_ERROR, "signal 11"),
        (ended(1, message="no route to storage", init=True), Reason.LAUNCH_FAILED, "Its step fetch-code failed"),
        (
            ended(128, "StartError", 'failed to create task: exec: "python": executable file not found in $PATH'),
            Reason.LAUNCH_FAILED,
            "The program python is not in the image",
        ),
        (
            ended(128, "StartError", 'exec: "/code/run": stat /code/run: no such file or directory: unknown'),
            Reason.LAUNCH_FAILED,
            "The program /code/run is not in the image",
        ),
        (ended(126, "ContainerCannotRun", 'exec: "/run": permission denied'), Reason.LAUNCH_FAILED, "may not be run"),
        (
            ended(128, "StartError", "exec /usr/bin/python: exec format error"),
            Reason.LAUNCH_FAILED,
            "kind of processor",
        ),
        (
            ended(128, "StartError", "container init was OOM-killed (memory limit too low?)"),
            Reason.OUT_OF_MEMORY,
            "too small even to start",
        ),
        (
            ended(128, "StartError", "nvidia-container-cli: initialization error: driver not loaded"),
            Reason.LAUNCH_FAILED,
            "could not give the container a GPU",
        ),
        (ended(128, "StartError", "cgroup is gone"), Reason.LAUNCH_FAILED, "cgroup is gone"),
        (
            ended(137, "ContainerStatusUnknown", "The container could not be located when the pod was terminated"),
            Reason.EVICTED,
            "Its node went away",
        ),
        # taken away
        (a_pod("Failed", reason="Evicted", message=LOW), Reason.EVICTED, "ran out of memory"),
        (
            a_pod("Failed", reason="Evicted", message="The node had condition: [DiskPressure]. "),
            Reason.EVICTED,
            "DiskPressure",
        ),
        (
            a_pod("Failed", reason="Evicted", message='Usage of EmptyDir volume "dshm" exceeds the limit "64Mi". '),
            Reason.EVICTED,
            "more than 64Mi into a volume",
        ),
        (
            a_pod(
                "Failed",
                reason="Evicted",
                message="Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. ",
            ),
            Reason.EVICTED,
            "more than the 1Gi of disk",
        ),
        (disrupted("PreemptionByScheduler", "preempting to accommodate"), Reason.EVICTED, "higher priority"),
        (disrupted("EvictionByEvictionAPI", "Eviction API: evicting"), Reason.EVICTED, "drained"),
        (disrupted("DeletionByTaintManager", "deleting due to NoExecute taint"), Reason.EVICTED, "out of service"),
        (disrupted("DeletionByPodGC", "PodGC: node no longer exists"), Reason.EVICTED, "Its node is gone"),
        (disrupted("SomethingNew", ""), Reason.EVICTED, "took it away"),
        (
            a_pod("Failed", reason="Terminated", message="Pod was terminated in response to imminent node shutdown."),
            Reason.EVICTED,
            "Its node node-1 went away or was shut down",
        ),
        (a_pod("Unknown"), Reason.EVICTED, "Its node node-1 went away"),
        (
            a_pod(
                "Failed",
                reason="UnexpectedAdmissionError",
                message="Allocate failed due to requested number of devices unavailable for nvidia.com/gpu. "
                "Requested: 1, Available: 0, which is unexpected",
            ),
            Reason.UNSCHEDULABLE,
            "Requested: 1, Available: 0",
        ),
        (
            a_pod(
                "Failed",
                reason="OutOfmemory",
                message="Node didn't have enough resource: memory, requested: 9, used: 8, capacity: 16",
            ),
            Reason.UNSCHEDULABLE,
            "requested: 9",
        ),
        (
            a_pod("Failed", reason="DeadlineExceeded", message="Pod was active on the node longer than specified"),
            Reason.TIMEOUT,
            "longer than the time",
        ),
        (a_pod("Failed", message="it broke"), Reason.LAUNCH_FAILED, "Its pod failed: it broke"),
        # not started
        (waits("InvalidImageName", "couldn't parse image name"), Reason.IMAGE_PULL, "is no name of an image"),
        (
            waits("ErrImageNeverPull", f'Container image "{IMAGE}" is not present with pull policy of Never'),
            Reason.IMAGE_PULL,
            "is not on the node node-1",
        ),
        (waits("ErrImagePull", f"{RPC}{IMAGE}: not found"), Reason.IMAGE_PULL, "does not exist in its registry"),
        (
            waits("ImagePullBackOff", f"{BACK_OFF}: ErrImagePull: {PULL}unexpected status: 401 Unauthorized"),
            Reason.IMAGE_PULL,
            "does not let the cluster pull",
        ),
        (
            waits("ErrImagePull", "pull access denied, repository does not exist or may require authorization"),
            Reason.IMAGE_PULL,
            "does not exist, or may be pulled only with a login",
        ),
        (
            waits("ErrImagePull", "dial tcp: lookup ghcr.example: no such host"),
            Reason.IMAGE_PULL,
            "could not be reached",
        ),
        (waits("ErrImagePull", "429 Too Many Requests - toomanyrequests"), Reason.IMAGE_PULL, "no more images for now"),
        (waits("ErrImagePull", "no match for platform in manifest"), Reason.IMAGE_PULL, "kind of processor"),
        (waits("ErrImagePull", "write /var: no space left on device"), Reason.IMAGE_PULL, "no disk space left"),
        (waits("SignatureValidationFailed", "policy"), Reason.IMAGE_PULL, "signature"),
        (waits("ImagePullBackOff", BACK_OFF), Reason.IMAGE_PULL, "could not be pulled"),
        (waits("ErrImagePull", f"{RPC}{IMAGE}: not found", init=True), Reason.IMAGE_PULL, "does not exist"),
        (
            waits("CreateContainerConfigError", 'secret "training-secret-x" not found'),
            Reason.LAUNCH_FAILED,
            "The Secret training-secret-x, which its pod needs, does not exist",
        ),
        (
            waits("CreateContainerConfigError", 'configmap "training-code-x" not found'),
            Reason.LAUNCH_FAILED,
            "The ConfigMap training-code-x",
        ),
        (
            waits("CreateContainerConfigError", "couldn't find key TOKEN in Secret trainyard/keys"),
            Reason.LAUNCH_FAILED,
            "has no key TOKEN",
        ),
        (
            waits("CreateContainerConfigError", "container has runAsNonRoot and image will run as root (pod: …)"),
            Reason.LAUNCH_FAILED,
            "runs as root",
        ),
        (
            waits("CreateContainerConfigError", "failed to sync secret cache: timed out waiting for the condition"),
            Reason.LAUNCH_FAILED,
            "failed to sync secret cache",
        ),
        (
            waits("CreateContainerError", 'the container name "/k8s_trainer" is already in use'),
            Reason.LAUNCH_FAILED,
            "could not be started: the container name",
        ),
        (
            waits("RunContainerError", 'runc: exec: "torchrun": executable file not found in $PATH: unknown'),
            Reason.LAUNCH_FAILED,
            "The program torchrun is not in the image",
        ),
        (unschedulable("", "SchedulingGated"), Reason.UNSCHEDULABLE, "queue"),
    ],
)
def test_a_pod_s_trouble_is_named(pod: Fields, reason: Reason, says: str) -> None:
    found = diagnose(pod)
    assert found is not None
    assert found.reason == reason
    assert says in found.message
    assert found.hint
    assert found.lines
    assert all(found.lines)


@pytest.mark.parametrize(
    "pod",
    [
        a_pod("Running", containerStatuses=[a_container({"running": {"startedAt": "2026-11-21T10:11:20Z"}})]),
        a_pod("Pending", containerStatuses=[a_container({"waiting": {"reason": "ContainerCreating"}})]),
        a_pod("Pending", containerStatuses=[a_container({"waiting": {"reason": "PodInitializing"}})]),
        a_pod("Pending"),
        ended(0, "Completed", phase="Succeeded"),
        a_pod("Running", initContainerStatuses=[a_container({"terminated": {"exitCode": 0, "reason": "Completed"}})]),
    ],
)
def test_a_pod_that_goes_about_its_work_has_no_diagnosis(pod: Fields) -> None:
    assert diagnose(pod) is None


def test_an_eviction_says_which_resource_and_how_much() -> None:
    found = diagnose(
        a_pod("Failed", reason="Evicted", message=LOW, containerStatuses=ended(137)["status"]["containerStatuses"])
    )
    assert found is not None
    assert found.message == (
        "Its node ran out of memory and removed the pod (82064Ki were left, it wants 100Mi; the pod used 3187404Ki and "
        "had asked for 1Gi)."
    )
    assert found.lines == [f"Evicted: {LOW}".strip()]
    assert found.relaunch


def test_a_pod_over_its_own_limit_is_not_relaunched() -> None:
    found = diagnose(
        a_pod("Failed", reason="Evicted", message='Usage of EmptyDir volume "dshm" exceeds the limit "64Mi".')
    )
    assert found is not None
    assert not found.relaunch


def test_a_pull_that_only_waits_is_explained_by_its_newest_event() -> None:
    events = [
        event("Failed", f"{PULL}unexpected status: 401 Unauthorized", "2026-11-21T10:11:15Z"),
        event("Failed", "Error: ErrImagePull", "2026-11-21T10:13:15Z"),
        event("Failed", f"{PULL}{IMAGE}: not found", "2026-11-21T10:12:15Z"),
    ]
    found = diagnose(waits("ImagePullBackOff", BACK_OFF), events=events)
    assert found is not None
    assert "does not exist" in found.message
    assert found.lines == [f"ImagePullBackOff: {PULL}{IMAGE}: not found"]


def test_a_restarting_container_is_explained_by_its_last_end() -> None:
    last = ended(137, "OOMKilled")["status"]["containerStatuses"][0]["state"]
    status = a_container({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}, lastState=last)
    found = diagnose(a_pod(containerStatuses=[status]))
    assert found is not None
    assert found.reason == Reason.OUT_OF_MEMORY


# -- room -----------------------------------------------------------------------------------------------------------

PREEMPTION = " preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (
            "0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, "
            f"2 Insufficient cpu.{PREEMPTION}",
            "None of the cluster's 3 nodes can take it: 1 has the taint node-role.kubernetes.io/control-plane; "
            "2 have too little CPU (it asks for 8, the largest node has 4 in all).",
        ),
        (
            "0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available: "
            "1 No preemption victims found for incoming pod..",
            "The cluster's only node can't take it: 1 has too little memory (it asks for 1 GiB, the largest node has "
            "15.6 GiB in all).",
        ),
        (
            "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.",
            "The cluster's only node can't take it: 1 has too few GPUs (no node has any).",
        ),
        (
            "0/4 nodes are available: 3 node(s) didn't match Pod's node affinity/selector, "
            "1 node(s) were unschedulable.",
            "None of the cluster's 4 nodes can take it: 3 do not fit its node selector; 1 is cordoned.",
        ),
        (
            "0/2 nodes are available: 1 node(s) had volume node affinity conflict, 1 Too many pods.",
            "None of the cluster's 2 nodes can take it: 1 can't reach its volume; 1 has as many pods as allowed.",
        ),
        (
            "0/2 nodes are available: 2 node(s) had taint {gpu: yes}, that the pod didn't tolerate.",
            "None of the cluster's 2 nodes can take it: 2 have the taint gpu: yes.",
        ),
        ("no nodes available to schedule pods", "The cluster has no nodes that take pods."),
        ('persistentvolumeclaim "data" not found', "Its volume claim data does not exist."),
        ("a new sentence", "No node takes it: a new sentence."),
    ],
)
def test_the_scheduler_s_sentence_says_what_is_asked_for_and_what_there_is(message: str, says: str) -> None:
    found = diagnose(unschedulable(message), nodes=[a_node("a"), a_node("b", cpu="3920m")])
    assert found is not None
    assert found.reason == Reason.UNSCHEDULABLE
    assert found.message == says
    assert found.lines == [f"Unschedulable: {message}"]
    assert found.patience == float("inf")


def test_without_the_right_to_read_nodes_only_what_is_asked_for_is_said() -> None:
    found = diagnose(unschedulable("0/3 nodes are available: 3 Insufficient cpu."))
    assert found is not None
    assert "3 have too little CPU (it asks for 8)" in found.message


# -- the Job, without a pod -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "reason", "says"),
    [
        (
            'pods "training-x" is forbidden: exceeded quota: compute, requested: requests.cpu=8, used: requests.cpu=4, '
            "limited: requests.cpu=10",
            Reason.UNSCHEDULABLE,
            "quota compute is used up: it asks for requests.cpu=8; requests.cpu=4 of requests.cpu=10 are in use",
        ),
        (
            'pods "training-x" is forbidden: failed quota: compute: must specify limits.cpu for: trainer',
            Reason.LAUNCH_FAILED,
            "wants every pod to say limits.cpu",
        ),
        (
            'pods "training-x" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation '
            '!= false (container "trainer" must set securityContext.allowPrivilegeEscalation=false)',
            Reason.LAUNCH_FAILED,
            "security level restricted refuses the pod: allowPrivilegeEscalation",
        ),
        (
            'pods "x" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi',
            Reason.LAUNCH_FAILED,
            "a maximum memory of 1Gi, but limit is 2Gi",
        ),
        (
            'admission webhook "policy.example" denied the request: images must be signed',
            Reason.LAUNCH_FAILED,
            "policy.example refuses it: images must be signed",
        ),
        (
            'pods "x" is forbidden: error looking up service account ns/runner: serviceaccount "runner" not found',
            Reason.LAUNCH_FAILED,
            "service account runner does not exist",
        ),
        ("no PriorityClass with name high was found", Reason.LAUNCH_FAILED, "no priority class high"),
        (
            "unable to create new content in namespace trainyard because it is being terminated",
            Reason.LAUNCH_FAILED,
            "being deleted",
        ),
        ("Internal error occurred: etcdserver", Reason.LAUNCH_FAILED, "refuses its pod: Internal error"),
    ],
)
def test_a_job_that_gets_no_pod_says_why(message: str, reason: Reason, says: str) -> None:
    events = [
        event("SuccessfulCreate", "…", kind="Job"),
        event("FailedCreate", f"Error creating: {message}", kind="Job"),
    ]
    found = diagnose(None, a_job(), events)
    assert found is not None
    assert found.reason == reason
    assert says in found.message
    assert found.lines == [message]


def test_a_refused_request_names_verb_resource_and_namespace() -> None:
    found = refused(
        'jobs.batch is forbidden: User "system:serviceaccount:trainyard:backend" cannot create resource "jobs" in API '
        'group "batch" in the namespace "trainings"'
    )
    assert found.message == "The cluster does not let trainyard create jobs in the namespace trainings."
    assert "the verb create on jobs" in found.hint
    assert refused('namespaces "trainings" not found').message == "The cluster has no namespace trainings."


def test_a_deadline_is_the_job_s_own_end_though_the_pod_was_ended_by_a_signal() -> None:
    job = a_job(failed("DeadlineExceeded", "Job was active longer than specified deadline"), activeDeadlineSeconds=7200)
    for pod in (ended(143), None):
        found = diagnose(pod, job)
        assert found is not None
        assert (found.reason, found.message) == (Reason.TIMEOUT, "It ran longer than the 2 hours that it was given.")


def test_what_was_deleted_by_hand_is_said() -> None:
    gone = a_pod()
    gone["metadata"]["deletionTimestamp"] = "2026-11-21T10:12:00Z"
    deleted = a_job()
    deleted["metadata"]["deletionTimestamp"] = "2026-11-21T10:12:00Z"
    no_pod = a_job(failed("BackoffLimitExceeded", "Job has reached the specified backoff limit"))
    for pod, job, which in ((gone, a_job(), "Its pod"), (a_pod(), deleted, "Its Job"), (None, no_pod, "Its pod")):
        found = diagnose(pod, job)
        assert found is not None
        assert (found.reason, found.message.partition(" was")[0]) == (Reason.KILLED, which)
    assert diagnose(None, None) is None


@pytest.mark.parametrize(
    ("reason", "message", "says"),
    [
        (
            "FailedMount",
            'MountVolume.SetUp failed for volume "code" : configmap "training-code-x" not found',
            "ConfigMap",
        ),
        (
            "FailedMount",
            "Unable to attach or mount volumes: timed out waiting for the condition",
            "could not be mounted",
        ),
        (
            "FailedAttachVolume",
            'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) x',
            "still holds",
        ),
        ("FailedCreatePodSandBox", "Failed to create pod sandbox: plugin type=calico failed", "network or runtime"),
    ],
)
def test_a_pod_that_can_not_be_set_up_is_explained_by_its_events(reason: str, message: str, says: str) -> None:
    pod = a_pod("Pending", containerStatuses=[a_container({"waiting": {"reason": "ContainerCreating"}})])
    found = diagnose(pod, a_job(), [event(reason, message)])
    assert found is not None
    assert says in found.message
    assert found.patience > 0


# -- as the end of a run --------------------------------------------------------------------------------------------


def test_a_crash_is_named_by_the_trainer_s_own_words() -> None:
    seen = as_exit(diagnose(ended(1, message=TRACEBACK)))
    ending = of_exit(seen, callbacks=True, cancel_requested=False)
    assert (ending.state, ending.reason) == (State.FAILED, Reason.TRAINER_ERROR)
    assert ending.message == "ValueError: shapes differ (exit code 1)"
    assert ending.evidence["traceback"].endswith("ValueError: shapes differ")


def test_an_end_with_code_0_is_a_failure_where_memory_ran_out() -> None:
    receipt = Done(attempt=1, seq=9, status=DoneStatus.SUCCEEDED)
    seen = as_exit(diagnose(ended(0, "OOMKilled", phase="Succeeded")), receipt=receipt)
    ending = of_exit(seen, callbacks=True, cancel_requested=False)
    assert (ending.state, ending.reason) == (State.FAILED, Reason.OUT_OF_MEMORY)
    assert "its limit of 2Gi" in ending.message
    assert ending.evidence["lines"] == ["OOMKilled: exit code 0", "memory limit 2Gi"]


def test_an_evicted_trainer_that_said_cancelled_was_evicted() -> None:
    receipt = Done(attempt=1, seq=9, status=DoneStatus.CANCELLED)
    pod = disrupted("EvictionByEvictionAPI", "Eviction API: evicting")
    ending = of_exit(as_exit(diagnose(pod), receipt=receipt), callbacks=True, cancel_requested=False)
    assert (ending.state, ending.reason) == (State.FAILED, Reason.EVICTED)
    asked = as_exit(diagnose(pod), receipt=receipt, stopped_on_request=True)
    assert of_exit(asked, callbacks=True, cancel_requested=True).reason == Reason.CANCELLED_BY_USER
