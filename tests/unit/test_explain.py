"""Why a job is as it is, in words: from its row and what its trainer said, as trainers really say it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.jobs_explained import BUS, DECLARED, JOB, NO_MEMORY, PARAMS, TRACEBACK, ended, exited, said
from tests.unit.jobs_made import NOW, a_job
from trainyard.contract.manifest import Scalar
from trainyard.contract.vocabulary import Reason, State
from trainyard.executors.base import Exited
from trainyard.jobs.explain import explain, wants_log
from trainyard.jobs.reasons import ADVICE
from trainyard.jobs.transition import Ending

UNCLOSED = """  File "train.py", line 1
    x = (
        ^
SyntaxError: '(' was never closed"""


@pytest.mark.parametrize(
    ("seen", "callbacks", "reason", "says", "line"),
    [
        (
            Exited(None, signal=9, out_of_memory=True),
            True,
            Reason.OUT_OF_MEMORY,
            "ran out of memory",
            "signal 9 (SIGKILL)",
        ),
        (
            Exited(None, signal=9, tail="epoch 3"),
            True,
            Reason.KILLED,
            "Something killed the trainer",
            "signal 9 (SIGKILL)",
        ),
        (
            Exited(None, signal=11, tail="x"),
            True,
            Reason.TRAINER_ERROR,
            "crash outside of Python",
            "signal 11 (SIGSEGV)",
        ),
        (Exited(None, signal=7, tail=f"RuntimeError: {BUS}"), True, Reason.TRAINER_ERROR, "/dev/shm", BUS),
        (Exited(0, tail="bye"), True, Reason.EXITED_WITHOUT_DONE, "without saying how", "bye"),
        (Exited(3, tail="it broke"), False, Reason.TRAINER_ERROR, "The trainer crashed: it broke", "it broke"),
        (Exited(3), False, Reason.TRAINER_ERROR, "exit code 3", "exit code 3"),
        (Exited(1, tail=UNCLOSED), True, Reason.TRAINER_ERROR, "can't be read by Python", "SyntaxError: '('"),
        (
            Exited(None, reason=Reason.MACHINE_RESTARTED, message="The machine was restarted."),
            True,
            Reason.MACHINE_RESTARTED,
            "restarted",
            "",
        ),
        (
            Exited(None, reason=Reason.SUPERVISOR_LOST, message="The run's supervisor was killed."),
            True,
            Reason.SUPERVISOR_LOST,
            "supervisor",
            "",
        ),
    ],
)
def test_an_end_without_a_word_is_explained_by_how_it_ended(
    seen: Exited, callbacks: bool, reason: Reason, says: str, line: str
) -> None:
    told = exited(seen, callbacks=callbacks)
    assert told.reason == reason
    assert says in told.what
    assert line in "\n".join(told.evidence)
    assert told.advice


def test_a_crash_is_placed_in_the_trainer_s_own_code() -> None:
    told = said("RuntimeError", "a tensor does not require grad", epoch=3, epochs=10)
    assert told.what == (
        "The trainer crashed after epoch 3 at train.py line 149: RuntimeError: a tensor does not require grad"
    )
    assert told.evidence == ["RuntimeError: a tensor does not require grad"]
    assert told.remedy is None


def test_a_warning_in_the_log_is_not_taken_for_the_cause() -> None:
    log = f"[TRACE:x] WARNING MLflow is away, its calls wait: Connection refused\n{TRACEBACK}KeyError: 'names'"
    told = exited(Exited(1, tail=log, traceback=f"{TRACEBACK}KeyError: 'names'"))
    assert told.what.endswith("KeyError: 'names'")
    assert told.cause == ""
    only = exited(Exited(1, tail="[TRACE:x] WARNING the storage is away: Connection refused\n[TRACE:x] it gave up"))
    assert only.what == "The trainer crashed: it gave up"


@pytest.mark.parametrize(
    ("message", "name", "says", "params"),
    [
        (
            "LEARNING_RATE=7 is not valid: it should be a number from 1e-09 to 1",
            "learning_rate",
            "the parameter learning_rate = 0.05",
            {"learning_rate": 0.01},
        ),
        ("PARAM_OPTIMIZER=Adan is not valid: it should be auto, SGD", "optimizer", "optimizer", {"optimizer": "auto"}),
        ("EPOCHS=x is not valid: it should be a whole number", "epochs", "epochs", None),
    ],
)
def test_a_wrong_variable_is_named_as_the_parameter_it_comes_from(
    message: str, name: str, says: str, params: dict[str, Scalar] | None
) -> None:
    told = said("BadConfiguration", message)
    assert told.reason == Reason.BAD_CONFIGURATION
    assert (told.cause, told.parameter) == ("parameter", name)
    assert says in told.what
    assert message in told.evidence[0]
    assert (told.remedy.params if told.remedy else None) == params


def test_a_wrong_variable_in_the_last_line_of_a_log_is_found_there() -> None:
    tail = "[TRACE:x] job starts\n[TRACE:x] BATCH_SIZE=0 is not valid: it should be a whole number from 1 to 1e+300"
    told = exited(Exited(2, tail=tail))
    assert (told.cause, told.parameter) == ("parameter", "batch_size")
    assert told.evidence[0].startswith("BATCH_SIZE=0 is not valid")
    assert "at least 1" in told.advice


def test_a_wrong_setting_that_is_no_parameter_is_told_as_it_is() -> None:
    told = said("BadConfiguration", "MINIO_BUCKET is not set: it should be its bucket")
    assert (told.cause, told.remedy) == ("setting", None)
    assert "MINIO_BUCKET is not set" in told.what
    fits = said(
        "BadConfiguration", "RESUME_FROM=checkpoints/job-x/last.pt does not fit: it was trained on the classes …"
    )
    assert fits.cause == "checkpoint_fit"


# -- remedies -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "helps"),
    [
        ({"batch_size": 16}, {"batch_size": 8}),
        ({"batch_size": 3}, {"batch_size": 1}),
        ({"batch_size": 1, "image_size": 640}, {"image_size": 480}),
        ({"batch_size": 1, "image_size": 32}, None),
        ({"batch_size": "auto"}, None),
        ({}, None),
    ],
)
def test_less_memory_is_half_a_batch_then_smaller_pictures_then_nothing(
    params: dict[str, Scalar], helps: dict[str, Scalar] | None
) -> None:
    told = said("OutOfMemoryError", NO_MEMORY, params=params)
    assert (told.remedy.params if told.remedy else None) == helps


def test_what_a_trainer_does_not_allow_is_not_offered() -> None:
    lowest = said("FloatingPointError", "loss is nan", params={"learning_rate": 1e-9})
    assert lowest.remedy is None
    job = a_job(state=State.FAILED, reason=Reason.OUT_OF_MEMORY, message=NO_MEMORY, params=PARAMS)
    assert explain(job, {}).remedy is None


def test_an_interrupted_job_is_gone_on_with_from_its_checkpoint() -> None:
    seen = Exited(None, signal=9, tail="x")
    reached: dict[str, Any] = {"checkpoint": f"checkpoints/job-{JOB}/last.pt", "epoch": 4}
    assert exited(seen).remedy.command == f"trainyard retry {JOB}"  # type: ignore[union-attr]
    assert exited(seen, **reached).remedy.command == f"trainyard resume {JOB}"  # type: ignore[union-attr]
    assert exited(seen, **(reached | {"epoch": 10})).remedy.kind == "retry"  # type: ignore[union-attr]
    assert exited(seen, **reached, script="/home/me/own.py").remedy is None


# -- what the executor knows ----------------------------------------------------------------------------------------


def test_what_an_executor_knows_is_told_as_it_says_it() -> None:
    evidence = {"lines": ["OOMKilled: exit code 137", "memory limit 2Gi"], "hint": "Give it more memory."}
    seen = Exited(
        137, out_of_memory=True, reason=Reason.OUT_OF_MEMORY, message="Over its limit of 2Gi.", evidence=evidence
    )
    told = exited(seen)
    assert (told.what, told.evidence, told.advice) == ("Over its limit of 2Gi.", evidence["lines"], evidence["hint"])
    assert told.remedy is not None
    assert told.remedy.params == {"batch_size": 8}


def test_a_launch_that_failed_keeps_its_hint_apart() -> None:
    told = ended(
        Ending(
            State.FAILED,
            Reason.ENVIRONMENT_FAILED,
            "Making it failed. Correct requirements.txt.",
            {"hint": "Correct requirements.txt.", "output": "Resolved 3 packages\nerror: no such version"},
        )
    )
    assert told.what == "Making it failed."
    assert told.advice == "Correct requirements.txt."
    assert told.evidence[-1] == "error: no such version"


def test_silence_is_explained_with_the_log_s_last_lines() -> None:
    ending = Ending(
        State.FAILED,
        Reason.HEARTBEAT_LOST,
        "The trainer stood still and said nothing for 95 s.",
        {"silent_seconds": 95, "busy": False, "last_phase": "training"},
    )
    assert wants_log(a_job(state=ending.state, reason=ending.reason, evidence=ending.evidence))
    told = ended(ending, log="epoch 1\n[TRACE:x] waiting for the others\n")
    assert told.evidence == ["epoch 1", "waiting for the others", "silent for 95 s, last phase: training"]
    assert not wants_log(a_job(state=State.FAILED, reason=Reason.KILLED, evidence={"tail": "x"}))


# -- not failed -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"state": State.PENDING, "claim": 0}, "It waits for its turn."),
        ({"state": State.QUEUED, "claim": 0, "message": "Waits for a slot: 1 of 1 in use by x."}, "Waits for a slot"),
        ({"state": State.QUEUED, "claim": 1}, "It is about to start."),
        ({"state": State.RUNNING, "epoch": 3, "epochs": 10}, "It is running: training, epoch 3 of 10."),
        ({"state": State.RUNNING, "phase": ""}, "It is running."),
        ({"state": State.RUNNING, "stuck_since": NOW}, "has said nothing for long"),
        ({"state": State.RUNNING, "cancel_requested_at": NOW}, "was asked to stop"),
        ({"state": State.SUCCEEDED, "reason": Reason.COMPLETED}, "It completed."),
        ({"state": State.CANCELLED, "reason": Reason.CANCELLED_BY_USER, "cancel_requested_at": NOW}, "Somebody asked"),
        ({"state": State.CANCELLED, "reason": Reason.CANCELLED_BY_SIGNAL, "evidence": {"signal": 2}}, "Ctrl+C"),
    ],
)
def test_a_job_of_any_state_is_explained(given: dict[str, Any], says: str) -> None:
    told = explain(a_job(**given), DECLARED)
    assert says in told.what
    assert told.state == given["state"]


def test_a_loss_that_became_nan_is_told_of_a_good_end_and_of_a_bad_one() -> None:
    lost = {"train/loss": "NaN", "val/accuracy": "NaN"}
    good = ended(Ending(State.SUCCEEDED, Reason.COMPLETED, "Completed."), lost=lost)
    assert (good.cause, good.evidence) == ("nan", ["train/loss: NaN"])
    bad = said("ValueError", "cost matrix is infeasible", lost=lost)
    assert bad.cause == "nan"
    assert "cost matrix is infeasible" in bad.what
    for told in (good, bad):
        assert told.remedy is not None
        assert told.remedy.params == {"learning_rate": 0.005}
    assert said("ValueError", "shapes differ", lost={"val/accuracy": "NaN"}).cause == ""


# -- the tables -----------------------------------------------------------------------------------------------------


def test_each_reason_of_a_failure_has_advice() -> None:
    good = {Reason.COMPLETED, Reason.CANCELLED_BY_USER, Reason.CANCELLED_BY_SIGNAL}
    assert set(ADVICE) == set(Reason) - good


ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = ("error", "traceback", "tail", "lines", "hint", "output", "exit_code", "signal", "silent_seconds", "last_phase")


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(NAMES), ANYTHING | st.dictionaries(st.sampled_from(("type", "message", "traceback")), ANYTHING)
    ),
    st.sampled_from([State.FAILED, State.CANCELLED]),
    st.none() | st.sampled_from(list(Reason)),
    st.text(max_size=80),
)
def test_garbage_as_evidence_is_passed_over(evidence: dict[str, Any], state: State, reason: Reason, text: str) -> None:
    if state is State.FAILED and reason not in ADVICE:
        reason = Reason.TRAINER_ERROR
    told = ended(Ending(state, reason, text, evidence), log=text)
    assert all(isinstance(line, str) for line in told.evidence)
