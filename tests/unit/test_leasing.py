"""Who gets which slot and which GPU."""

from tests.unit.jobs_made import a_job
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
    turns = {job.id: turn for job, turn in share_out([first, second, other], "n", capacities, {})}
    assert turns["job-a"] == Grant(("n/slot/0",), ())
    assert isinstance(turns["job-b"], Wait)
    assert "job-a" in turns["job-b"].why
    assert turns["job-c"] == Grant((), ())


def test_leased_gpus_are_found_again_by_name() -> None:
    assert gpus_of("n", ["n/slot/0", "n/gpu/1", "n/gpu/0", "other/gpu/5"]) == (0, 1)
