"""Who gets which slot and which GPU."""

from tests.unit.jobs_made import NOW, a_job
from trainyard.contract.vocabulary import Execution
from trainyard.executors.base import Capacity
from trainyard.jobs.leasing import Grant, Never, Wait, gpus_of, grant, share_out

MACHINE = Capacity(slots=2, gpus=(0, 1))


def test_a_job_gets_the_first_free_slot_and_one_gpu_unless_it_says_otherwise() -> None:
    assert grant(a_job(), "n", MACHINE, {}) == Grant(("n/slot/0", "n/gpu/0"), (0,))
    held = {"n/slot/0": "a", "n/gpu/0": "a"}
    assert grant(a_job(), "n", MACHINE, held) == Grant(("n/slot/1", "n/gpu/1"), (1,))
    assert grant(a_job(gpus=0), "n", MACHINE, held) == Grant(("n/slot/1",), ())


def test_without_gpus_a_slot_is_enough() -> None:
    assert grant(a_job(), "n", Capacity(1, ()), {}) == Grant(("n/slot/0",), ())


def test_who_waits_is_told_for_whom() -> None:
    match grant(a_job(), "n", MACHINE, {"n/slot/0": "job-a", "n/slot/1": "job-b"}):
        case Wait(why):
            assert "job-a" in why
            assert "job-b" in why
        case other:
            raise AssertionError(other)


def test_more_gpus_than_there_are_is_said_at_once() -> None:
    match grant(a_job(gpus=3), "n", MACHINE, {}):
        case Never(why):
            assert "3 GPU" in why
        case other:
            raise AssertionError(other)


def test_the_first_in_line_gets_what_there_is_and_the_next_waits_for_it() -> None:
    first, second, other = a_job(id="job-a"), a_job(id="job-b"), a_job(id="job-c", execution=Execution.K8S)
    capacities = {Execution.LOCAL: Capacity(1, ()), Execution.K8S: None}
    turns = {job.id: turn for job, turn in share_out([first, second, other], "n", capacities, {}, NOW)}
    assert turns["job-a"] == Grant(("n/slot/0",), ())
    assert isinstance(turns["job-b"], Wait)
    assert "job-a" in turns["job-b"].why
    assert turns["job-c"] == Grant((), ())


def test_a_tier_that_cannot_be_had_lets_its_jobs_wait_and_no_others() -> None:
    ours, theirs = a_job(id="job-a"), a_job(id="job-b", execution=Execution.K8S)
    capacities = {Execution.LOCAL: Capacity(1, ()), Execution.K8S: Wait("There is no cluster.")}
    turns = {job.id: turn for job, turn in share_out([theirs, ours], "n", capacities, {}, NOW)}
    assert turns == {"job-a": Grant(("n/slot/0",), ()), "job-b": Wait("There is no cluster.")}


def test_each_further_attempt_waits_longer() -> None:
    def waits(attempt: int, seconds: float) -> bool:
        job = a_job(execution=Execution.K8S, attempt=attempt, queued_at=NOW - seconds)
        ((_, turn),) = share_out([job], "n", {Execution.K8S: None}, {}, NOW)
        return isinstance(turn, Wait)

    assert not waits(1, 0)
    assert waits(2, 4)
    assert not waits(2, 6)
    assert waits(3, 9)
    assert waits(40, 299)
    assert not waits(40, 301)


def test_leased_gpus_are_found_again_by_name() -> None:
    assert gpus_of("n", ["n/slot/0", "n/gpu/1", "n/gpu/0", "other/gpu/5"]) == (0, 1)
