"""How a run stands, from its Job and pods: it waits, it runs, or it is over."""

from typing import Any

from tests.unit.pods_made import (
    Fields,
    a_container,
    a_node,
    a_pod,
    disrupted,
    ended,
    event,
    failed,
    unschedulable,
    waits,
)
from tests.unit.pods_made import a_job as bare_job
from trainyard.contract.vocabulary import Reason
from trainyard.executors.kubernetes.fields import moment
from trainyard.executors.kubernetes.manifest import COMPLETE, QUEUE_LABEL
from trainyard.executors.kubernetes.reading import Over, Runs, Waits, standing


def a_job(*conditions: Fields, **spec: Any) -> Fields:
    """One that was sent to its end."""
    made = bare_job(*conditions, **spec)
    made["metadata"]["annotations"] = {COMPLETE: "true"}
    return made


def there(_pod: Any) -> bool:
    return True


def gone(_pod: Any) -> bool:
    return False


def running(at: str = "2026-11-21T10:11:20Z") -> Fields:
    return a_pod("Running", containerStatuses=[a_container({"running": {"startedAt": at}})])


def test_nothing_of_it_is_nothing_and_so_is_half_a_job() -> None:
    assert standing(None, [], there) is None
    assert standing(bare_job(suspend=True), [], there) is None


def test_a_job_without_a_pod_waits_and_says_for_what() -> None:
    assert standing(a_job(), [], there) == Waits("Its pod is being made.")
    queued = a_job(suspend=True)
    queued["metadata"]["labels"] = {QUEUE_LABEL: "team-a"}
    assert standing(queued, [], there) == Waits("It waits in the queue team-a.")
    refusal = event("FailedCreate", 'Error creating: pods "x" is forbidden: exceeded quota: q, requested: cpu=8, '
                    "used: cpu=1, limited: cpu=4", kind="Job")  # fmt: skip
    match standing(a_job(), [], there, [refusal]):
        case Waits(message, found):
            assert "quota q is used up" in message
            assert found is not None
            assert found.reason is Reason.UNSCHEDULABLE
        case other:
            raise AssertionError(other)


def test_a_job_past_its_deadline_whose_pod_is_gone_is_over() -> None:
    late = a_job(failed("DeadlineExceeded", "Job was active longer than specified deadline"), activeDeadlineSeconds=60)
    match standing(late, [], there):
        case Over(found, _):
            assert found is not None
            assert found.reason is Reason.TIMEOUT
        case other:
            raise AssertionError(other)


def test_a_pod_without_a_node_waits_for_room_that_the_nodes_show() -> None:
    pod = unschedulable("0/1 nodes are available: 1 Insufficient cpu.")
    match standing(a_job(), [pod], there, [], [a_node("node-1", cpu="4")]):
        case Waits(message, found):
            assert "CPU" in message
            assert found is not None
            assert found.reason is Reason.UNSCHEDULABLE
        case other:
            raise AssertionError(other)


def test_a_pod_on_its_way_says_which_step_it_is_at() -> None:
    pending = waits("ContainerCreating")
    name = pending["metadata"]["name"]
    pulling = event("Pulling", 'Pulling image "ghcr.io/example/trainer:1"') | {"involvedObject": {"name": name}}
    assert standing(a_job(), [pending], there) == Waits("Its node prepares it.", nearly=True)
    told = standing(a_job(), [pending], there, [pulling])
    assert told == Waits('Its node fetches the image: "ghcr.io/example/trainer:1".')
    pulled = event("Pulled", "Successfully pulled image") | {"involvedObject": {"name": name}}
    assert standing(a_job(), [pending], there, [pulling, pulled]) == Waits("Its node prepares it.", nearly=True)


def test_a_pod_that_is_ended_before_the_cluster_knew_that_it_ran_is_waited_for() -> None:
    pending = waits("ContainerCreating")
    pending["metadata"]["deletionTimestamp"] = "2026-11-21T10:12:45Z"
    assert standing(None, [pending], there) == Waits("Its pod is being ended.", nearly=True)


def test_a_running_pod_runs_since_its_container_does() -> None:
    assert standing(a_job(), [running()], there) == Runs(moment("2026-11-21T10:11:20Z"))


def test_of_several_pods_the_job_runs_until_the_last_has_ended() -> None:
    assert isinstance(standing(a_job(), [ended(0, "Completed", phase="Succeeded"), running()], there), Runs)
    assert isinstance(standing(a_job(), [ended(1), running()], there), Runs)


def test_of_several_pods_the_first_that_failed_tells_why() -> None:
    first, second = ended(1, message="ValueError: shapes differ"), ended(143)
    first["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"] = "2026-11-21T10:12:10Z"
    match standing(a_job(), [second, first], there):
        case Over(found, at):
            assert found is not None
            assert "shapes differ" in found.message
            assert at == moment("2026-11-21T10:12:10Z")
        case other:
            raise AssertionError(other)


def test_of_several_pods_one_that_never_began_does_not_tell_for_one_that_failed() -> None:
    never = a_pod("Failed", containerStatuses=[])
    never["metadata"]["name"] = "never"
    match standing(a_job(), [never, ended(1, message="ValueError: shapes differ")], there):
        case Over(found):
            assert found is not None
            assert "shapes differ" in found.message
        case other:
            raise AssertionError(other)


def test_of_several_pods_one_that_was_taken_away_tells_why_others_failed() -> None:
    lost = disrupted("EvictionByEvictionAPI", "Eviction API: evicting")
    match standing(a_job(), [ended(1, message="RuntimeError: Connection closed by peer"), lost], there):
        case Over(found, _):
            assert found is not None
            assert found.relaunch
        case other:
            raise AssertionError(other)


def test_a_pod_that_ended_well_is_over_without_a_finding() -> None:
    good = ended(0, "Completed", phase="Succeeded")
    assert standing(a_job(), [good], there) == Over(None, moment("2026-11-21T10:12:20Z"))
    assert standing(None, [good], gone) == Over(None, moment("2026-11-21T10:12:20Z"))


def test_a_pod_that_was_evicted_may_be_started_again() -> None:
    match standing(a_job(), [disrupted("EvictionByEvictionAPI", "Eviction API: evicting")], there):
        case Over(found, _):
            assert found is not None
            assert found.relaunch
        case other:
            raise AssertionError(other)


def test_a_pod_that_vanished_while_it_ran_was_killed() -> None:
    for job in (None, a_job()):
        match standing(job, [running()], gone):
            case Over(found, _):
                assert found is not None
                assert found.reason is Reason.KILLED
                assert not found.relaunch
            case other:
                raise AssertionError(other)


def test_odd_times_are_no_error() -> None:
    assert moment("") == moment("yesterday") == 0.0
    assert isinstance(standing(a_job(), [running(at="soon")], there), Waits)


def test_a_pod_that_was_taken_away_while_nobody_looked_is_known_by_its_job() -> None:
    policy = failed("PodFailurePolicy", "Pod trainyard/x has condition DisruptionTarget matching FailJob rule")
    for pods in ([], [running()]):
        match standing(a_job(policy), pods, gone):
            case Over(found, _):
                assert found is not None
                assert (found.reason, found.relaunch) == (Reason.EVICTED, True)
            case other:
                raise AssertionError(other)


def test_a_job_that_its_queue_suspended_gave_its_place_to_others() -> None:
    pod = ended(143)
    pod["metadata"] |= {"deletionTimestamp": "2026-11-21T10:12:45Z", "deletionGracePeriodSeconds": 30}
    match standing(a_job(suspend=True), [pod], gone):
        case Over(found, _):
            assert found is not None
            assert (found.reason, found.relaunch) == (Reason.EVICTED, True)
        case other:
            raise AssertionError(other)
