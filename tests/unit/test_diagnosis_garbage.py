"""Whatever the API server answers, looking at it raises nothing."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.pods_made import Fields, a_container, a_job, a_pod, event, failed, unschedulable
from trainyard.executors.kubernetes.diagnosis import as_exit, diagnose

WORDS = st.sampled_from(
    [
        "status",
        "spec",
        "metadata",
        "conditions",
        "containerStatuses",
        "initContainerStatuses",
        "state",
        "lastState",
        "waiting",
        "terminated",
        "reason",
        "message",
        "type",
        "phase",
        "exitCode",
        "signal",
        "containers",
        "resources",
        "limits",
        "requests",
        "memory",
        "cpu",
        "name",
        "image",
        "deletionTimestamp",
        "activeDeadlineSeconds",
        "allocatable",
        "lastTimestamp",
        "series",
        "True",
        "False",
        "Failed",
        "Pending",
        "Succeeded",
        "Evicted",
        "OOMKilled",
        "Error",
        "ErrImagePull",
        "PodScheduled",
        "DisruptionTarget",
        "FailedCreate",
        "FailedMount",
        "CrashLoopBackOff",
        "DeadlineExceeded",
    ]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | WORDS
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=20
)


@settings(max_examples=300, deadline=None)
@given(
    st.none() | st.dictionaries(WORDS, ANYTHING),
    st.none() | st.dictionaries(WORDS, ANYTHING),
    st.lists(st.dictionaries(WORDS, ANYTHING), max_size=3),
)
def test_garbage_is_passed_over(pod: Fields | None, job: Fields | None, events: list[Fields]) -> None:
    found = diagnose(pod, job, events, events)
    assert found is None or (found.message and as_exit(found))


@settings(max_examples=300, deadline=None)
@given(ANYTHING, st.text(max_size=60) | WORDS, ANYTHING)
def test_a_pod_with_garbage_in_the_right_places_is_passed_over(state: Any, message: str, more: Any) -> None:
    """Deep enough to reach each branch: random dicts rarely have a status within a status."""
    for reason in ("Evicted", "", "NodeLost", "OutOfcpu"):
        for key in ("waiting", "terminated"):
            status = a_container({key: state if isinstance(state, dict) else {"reason": message, "message": message}})
            pod = a_pod("Pending", reason=reason, message=message, containerStatuses=[status, more], conditions=[more])
            pod["spec"]["containers"] = [more, status]
            diagnose(pod, a_job(failed(message, message)), [event("FailedMount", message)], [{"status": more}])
    diagnose(unschedulable(f"0/3 nodes are available: {message}"), nodes=[{"status": {"allocatable": more}}])
