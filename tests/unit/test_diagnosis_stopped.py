"""A trainer that was stopped from outside: its exit code says little, who asked it to go says all."""

import pytest

from tests.unit.pods_made import Fields, a_job, ended
from trainyard.contract.callbacks import Done
from trainyard.contract.vocabulary import DoneStatus, Reason, State
from trainyard.executors.kubernetes.diagnosis import as_exit, diagnose
from trainyard.jobs.endings import of_exit


def stopped_by_deletion(code: int) -> Fields:
    """Deleted with 30 s of grace at 10:12:15; its trainer ended five seconds later."""
    pod = ended(code, phase="Failed" if code else "Succeeded")
    pod["metadata"] |= {"deletionTimestamp": "2026-11-21T10:12:45Z", "deletionGracePeriodSeconds": 30}
    return pod


@pytest.mark.parametrize("code", [0, 143, 137, 1])
def test_a_trainer_that_ended_because_its_pod_was_deleted_was_killed_whatever_its_exit_code(code: int) -> None:
    found = diagnose(stopped_by_deletion(code), a_job())
    assert found is not None
    assert found.reason is Reason.KILLED


@pytest.mark.parametrize(("code", "reason"), [(0, None), (1, Reason.TRAINER_ERROR)])
def test_a_pod_that_is_deleted_after_its_end_ended_by_itself(code: int, reason: Reason | None) -> None:
    pod = stopped_by_deletion(code)
    pod["metadata"]["deletionTimestamp"] = "2026-11-21T10:13:00Z"
    found = diagnose(pod, a_job())
    assert (found and found.reason) is reason


@pytest.mark.parametrize("code", [0, 143])
def test_an_evicted_trainer_that_said_goodbye_gets_another_attempt(code: int) -> None:
    pod = stopped_by_deletion(code)
    told = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI", "message": "evicting"}
    pod["status"]["conditions"] = [told]
    goodbye = Done(attempt=1, seq=9, status=DoneStatus.CANCELLED)
    seen = as_exit(diagnose(pod, a_job()), receipt=goodbye)
    assert (seen.relaunch, seen.reason, seen.receipt) == (True, Reason.EVICTED, None)


def test_of_several_pods_the_one_that_failed_speaks_and_not_the_one_that_was_stopped_for_it() -> None:
    found = diagnose(ended(1, message="ValueError: shapes differ"), a_job())
    goodbye = Done(attempt=1, seq=9, status=DoneStatus.CANCELLED)
    seen = as_exit(found, receipt=goodbye, tail="stopping\nDONE")
    ending = of_exit(seen, callbacks=True, cancel_requested=False)
    assert ending.state is State.FAILED
    assert "shapes differ" in ending.message


def test_what_rank_0_says_of_a_pod_that_it_lost_keeps_nobody_from_another_attempt() -> None:
    evicted = stopped_by_deletion(143)
    told = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI", "message": "evicting"}
    evicted["status"]["conditions"] = [told]
    gave_up = Done(attempt=1, seq=9, status=DoneStatus.FAILED)
    assert as_exit(diagnose(evicted, a_job()), receipt=gave_up).receipt is None
    crashed = as_exit(diagnose(ended(1), a_job()), receipt=gave_up)
    assert crashed.receipt is gave_up
