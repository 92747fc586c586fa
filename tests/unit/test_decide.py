"""What happens to a job, for every way its run can look."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.jobs_made import LIMITS, NOW, a_job
from trainyard.contract.callbacks import Done
from trainyard.contract.vocabulary import DoneStatus, Reason, State
from trainyard.executors.base import Absent, Alive, Exited, Observation, Preparing, Unseen
from trainyard.jobs.decide import AskToStop, Close, Explain, Kill, Launch, MarkStuck, Relaunch, Start, decide
from trainyard.jobs.states import may_follow
from trainyard.jobs.transition import Ending

BUSY, IDLE = Alive(NOW - 98, busy=True), Alive(NOW - 98, busy=False)


def test_a_run_that_speaks_is_left_alone() -> None:
    assert decide(a_job(), BUSY, NOW, LIMITS) is None


def test_an_idle_run_silent_for_too_long_is_lost() -> None:
    match decide(a_job(seen_at=NOW - 91, launched_at=NOW - 500), IDLE, NOW, LIMITS):
        case Ending(State.FAILED, Reason.HEARTBEAT_LOST, message, evidence):
            assert "91 s" in message
            assert evidence["silent_seconds"] == 91
        case other:
            pytest.fail(str(other))


def test_a_busy_run_silent_for_too_long_is_marked_stuck_and_lives() -> None:
    job = a_job(seen_at=NOW - 91, launched_at=NOW - 500)
    assert decide(job, BUSY, NOW, LIMITS) == MarkStuck(NOW - 91)


def test_a_busy_run_silent_beyond_all_patience_is_lost() -> None:
    job = a_job(seen_at=NOW - 1801, launched_at=NOW - 5000, started_at=NOW - 5000, stuck_since=NOW - 1700)
    match decide(job, Alive(NOW - 5000), NOW, LIMITS):
        case Ending(State.FAILED, Reason.HEARTBEAT_LOST):
            pass
        case other:
            pytest.fail(str(other))


def test_a_stuck_run_that_speaks_again_loses_its_mark() -> None:
    assert decide(a_job(stuck_since=NOW - 500), BUSY, NOW, LIMITS) == MarkStuck(None)


def test_silence_while_the_backend_was_away_does_not_count() -> None:
    away = replace(LIMITS, since=NOW - 5)
    assert decide(a_job(seen_at=NOW - 600, launched_at=NOW - 900), IDLE, NOW, away) is None


def test_a_trainer_that_never_calls_is_lost_while_queued() -> None:
    job = a_job(state=State.QUEUED, seen_at=None, started_at=None, launched_at=NOW - 95)
    match decide(job, Alive(NOW - 95, busy=False), NOW, LIMITS):
        case Ending(State.FAILED, Reason.HEARTBEAT_LOST):
            pass
        case other:
            pytest.fail(str(other))


def test_a_plain_script_runs_as_soon_as_its_process_does_and_owes_no_heartbeat() -> None:
    queued = a_job(state=State.QUEUED, callbacks=False, seen_at=None, started_at=None)
    assert decide(queued, IDLE, NOW, LIMITS) == Start()
    running = a_job(callbacks=False, seen_at=None, launched_at=NOW - 50_000, started_at=NOW - 50_000)
    assert decide(running, IDLE, NOW, LIMITS) is None


def test_a_job_may_run_for_so_long_and_no_longer() -> None:
    match decide(a_job(started_at=NOW - LIMITS.run - 1), BUSY, NOW, LIMITS):
        case Ending(State.FAILED, Reason.TIMEOUT):
            pass
        case other:
            pytest.fail(str(other))


def test_a_cancel_is_passed_on_until_the_run_has_ended() -> None:
    job = a_job(cancel_requested_at=NOW - 5)
    assert decide(job, BUSY, NOW, LIMITS) == AskToStop()
    match decide(job, Exited(None, signal=9, stopped_on_request=True), NOW, LIMITS):
        case Ending(State.CANCELLED, Reason.CANCELLED_BY_USER):
            pass
        case other:
            pytest.fail(str(other))


def test_a_claimed_job_that_was_never_started_is_started() -> None:
    job = a_job(state=State.QUEUED, launched_at=None, started_at=None, seen_at=None)
    assert decide(job, Absent(), NOW, LIMITS) == Launch()


def test_a_job_that_waits_for_its_turn_is_left_alone() -> None:
    assert decide(a_job(state=State.QUEUED, claim=0, launched_at=None), Absent(), NOW, LIMITS) is None


def test_a_cancelled_job_whose_run_never_appeared_is_asked_first_and_then_ended() -> None:
    job = a_job(state=State.QUEUED, cancel_requested_at=NOW - 1, launched_at=NOW - 2)
    assert decide(job, Absent(), NOW, LIMITS) == AskToStop()
    match decide(job, Absent(), NOW + 3, LIMITS):
        case Ending(State.CANCELLED, Reason.CANCELLED_BY_USER):
            pass
        case other:
            pytest.fail(str(other))


@pytest.mark.parametrize(("attached", "reason"), [(True, Reason.LAUNCH_FAILED), (False, Reason.SUPERVISOR_LOST)])
def test_a_launched_run_that_never_appears_fails(attached: bool, reason: Reason) -> None:
    job = a_job(state=State.QUEUED, attached=attached, launched_at=NOW - 61, started_at=None)
    match decide(job, Absent(), NOW, LIMITS):
        case Ending(State.FAILED, found):
            assert found is reason
        case other:
            pytest.fail(str(other))


def test_preparing_for_too_long_is_a_timeout() -> None:
    job = a_job(state=State.QUEUED, launched_at=None, queued_at=NOW - 3601)
    assert decide(job, Preparing(), NOW - 10, LIMITS) is None
    match decide(job, Preparing(), NOW, LIMITS):
        case Ending(State.FAILED, Reason.TIMEOUT):
            pass
        case other:
            pytest.fail(str(other))


def test_an_ended_job_is_closed_once_nothing_of_it_runs() -> None:
    ended = a_job(state=State.SUCCEEDED, reason=Reason.COMPLETED, finished_at=NOW - 1)
    assert decide(ended, BUSY, NOW, LIMITS) is None  # it may still be leaving
    assert decide(ended, BUSY, NOW + 10, LIMITS) == Kill()
    assert decide(ended, Exited(0), NOW, LIMITS) == Close()
    assert decide(ended, Absent(), NOW, LIMITS) == Close()


def test_what_we_ended_is_killed_at_once() -> None:
    lost = a_job(state=State.FAILED, reason=Reason.HEARTBEAT_LOST, finished_at=NOW)
    assert decide(lost, IDLE, NOW, LIMITS) == Kill()


TAKEN = Exited(None, 9, reason=Reason.EVICTED, message="Its node ran out of memory.", relaunch=True)


def test_a_run_that_was_taken_away_gets_another_attempt_and_not_for_ever() -> None:
    for state in (State.QUEUED, State.RUNNING):
        assert decide(a_job(state=state), TAKEN, NOW, LIMITS) == Relaunch("Its node ran out of memory.")
    match decide(a_job(attempt=4), TAKEN, NOW, LIMITS):
        case Ending(State.FAILED, Reason.EVICTED, message):
            assert "ran out of memory" in message
        case other:
            pytest.fail(str(other))


def test_a_run_that_was_to_be_cancelled_or_had_told_its_end_is_not_started_again() -> None:
    assert isinstance(decide(a_job(cancel_requested_at=NOW - 1), TAKEN, NOW, LIMITS), Ending)
    told = Done(attempt=1, seq=9, status=DoneStatus.SUCCEEDED)
    match decide(a_job(), replace(TAKEN, receipt=told, reason=None), NOW, LIMITS):
        case Ending(State.SUCCEEDED, Reason.COMPLETED):
            pass
        case other:
            pytest.fail(str(other))


def test_what_nobody_can_see_is_left_alone() -> None:
    seen = Unseen("The cluster does not answer.")
    for state in State:
        assert decide(a_job(state=state, launched_at=None), seen, NOW, LIMITS) is None
    assert decide(a_job(), seen, NOW + 1700, LIMITS) is None
    match decide(a_job(), seen, NOW + 1900, LIMITS):
        case Ending(State.FAILED, Reason.HEARTBEAT_LOST, message):
            assert "does not answer" in message
        case other:
            pytest.fail(str(other))
    assert decide(a_job(cancel_requested_at=NOW), seen, NOW, LIMITS) == AskToStop()


def test_a_job_that_runs_is_not_ended_for_a_look_that_came_too_early() -> None:
    assert decide(a_job(launched_at=NOW - 9_000), Preparing("Its node prepares it."), NOW, LIMITS) is None


def test_what_a_launched_job_waits_for_is_told_once() -> None:
    queued = {"state": State.QUEUED, "started_at": None}
    seen = Preparing("It waits for a node.", Reason.UNSCHEDULABLE, {"lines": ["0/1 nodes"]})
    assert decide(a_job(**queued), seen, NOW, LIMITS) == Explain("It waits for a node.")
    assert decide(a_job(**queued, message="It waits for a node."), seen, NOW, LIMITS) is None
    assert decide(a_job(**{**queued, "launched_at": None}), seen, NOW, LIMITS) is None
    match decide(a_job(**queued), seen, NOW + 3600, LIMITS):
        case Ending(State.FAILED, Reason.UNSCHEDULABLE, message, evidence):
            assert message.startswith("It waits for a node. It was not started within 3600 s")
            assert evidence == {"lines": ["0/1 nodes"]}
        case other:
            pytest.fail(str(other))


times = st.one_of(st.none(), st.floats(NOW - 10_000, NOW + 10))
jobs = st.builds(
    lambda **values: a_job(**values),
    state=st.sampled_from(State),
    reason=st.sampled_from(Reason),
    attached=st.booleans(),
    callbacks=st.booleans(),
    claim=st.integers(0, 3),
    cancel_requested_at=times,
    stuck_since=times,
    queued_at=times,
    launched_at=times,
    started_at=times,
    seen_at=times,
    finished_at=times,
)
receipts = st.one_of(st.none(), st.builds(Done, attempt=st.just(1), seq=st.just(9), status=st.sampled_from(DoneStatus)))
looks: st.SearchStrategy[Any] = st.one_of(
    st.just(Absent()),
    st.just(Preparing("making an environment")),
    st.just(Preparing("no node has room", Reason.UNSCHEDULABLE, {"lines": ["0/1 nodes"]})),
    st.just(Unseen("the cluster does not answer")),
    st.builds(Alive, st.floats(NOW - 10_000, NOW), st.booleans()),
    st.builds(
        Exited,
        exit_code=st.one_of(st.none(), st.integers(0, 255)),
        signal=st.one_of(st.none(), st.integers(1, 31)),
        out_of_memory=st.booleans(),
        stopped_on_request=st.booleans(),
        receipt=receipts,
        tail=st.text(max_size=200),
        reason=st.one_of(st.none(), st.sampled_from(Reason)),
        relaunch=st.booleans(),
    ),
)


@given(jobs, looks)
def test_whatever_is_seen_the_next_step_is_one_the_table_allows(job: Any, seen: Observation) -> None:
    step = decide(job, seen, NOW, LIMITS)
    if isinstance(step, Ending):
        assert step.state.is_terminal
        assert not job.state.is_terminal
        assert may_follow(job.state, step.state)
        assert step.reason in Reason


@given(jobs, looks)
def test_an_ended_job_is_never_ended_again(job: Any, seen: Observation) -> None:
    if job.state.is_terminal:
        assert decide(job, seen, NOW, LIMITS) in (None, Kill(), Close())


@given(jobs, looks)
def test_an_open_job_whose_run_is_over_always_ends(job: Any, seen: Observation) -> None:
    launched = job.claim > 0 and job.state is not State.PENDING
    if isinstance(seen, Exited) and launched and not job.state.is_terminal:
        assert isinstance(decide(job, seen, NOW, LIMITS), (Ending, Relaunch))
