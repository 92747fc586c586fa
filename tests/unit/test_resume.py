"""What resuming means: on with the plan, a fresh schedule, or first a question; and in which words."""

import pytest

from tests.unit.jobs_made import a_job
from trainyard.contract.manifest import Scalar
from trainyard.contract.vocabulary import State
from trainyard.errors import Conflict, InvalidInput
from trainyard.jobs.checkpoints import Checkpoint
from trainyard.jobs.model import Job
from trainyard.jobs.resume import Plan, plan, require_resumable


def job(state: State, epoch: int | None, epochs: int = 10) -> Job:
    return a_job(id="j", state=state, epoch=epoch, params={"epochs": epochs, "learning_rate": 0.1})


def planned(of: Job, kind: str, epoch: int | None, epochs: int | None = None, **params: Scalar) -> Plan:
    return plan(of, Checkpoint(kind, f"checkpoints/job-j/{kind}.pt", epoch, 1, None), epochs, params)


FRESH = "Starts a fresh schedule of"


@pytest.mark.parametrize(
    ("state", "reached", "kind", "epoch", "epochs", "expected"),
    [
        (State.FAILED, 7, "last", 7, None, Plan(10, "Continues j from epoch 7 of 10.")),
        (State.CANCELLED, 7, "last", 6, 10, Plan(10, "Continues j from epoch 6 of 10.")),
        (State.FAILED, 10, "last", 9, None, Plan(10, "Continues j from epoch 9 of 10.")),  # its newest was not uploaded
        (State.FAILED, 7, "best", 3, None, Plan(10, f"{FRESH} 10 epochs from the weights of j (best, epoch 3 of 10).")),
        (State.FAILED, 7, "last", None, None, Plan(10, "Continues j from its checkpoint last.")),
        (State.SUCCEEDED, 10, "epoch-4", 4, None, Plan(10, "Continues j from epoch 4 of 10.")),
        (State.SUCCEEDED, 10, "best", 4, 9, Plan(9, f"{FRESH} 9 epochs from the weights of j (best, epoch 4 of 10).")),
        # what a trainer sees is a run with this plan, interrupted after epoch 4
        (State.SUCCEEDED, 4, "last", 4, 10, Plan(10, "Continues j from epoch 4 of 10.")),
        (
            State.SUCCEEDED,
            10,
            "last",
            10,
            10,
            Plan(10, "Starts a fresh schedule of 10 epochs from the weights of j (last)."),
        ),
        (
            State.SUCCEEDED,
            10,
            "best",
            4,
            1,
            Plan(1, f"{FRESH} 1 epoch from the weights of j (best, epoch 4 of 10)."),
        ),
        (State.FAILED, 10, "last", 10, 5, Plan(5, "Starts a fresh schedule of 5 epochs from the weights of j (last).")),
    ],
)
def test_a_child_goes_on_or_begins_anew(
    state: State, reached: int, kind: str, epoch: int | None, epochs: int | None, expected: Plan
) -> None:
    assert planned(job(state, reached), kind, epoch, epochs) == expected


@pytest.mark.parametrize(
    ("state", "reached", "kind", "epoch", "words"),
    [
        (State.SUCCEEDED, 10, "last", 10, "j finished all of its 10 epochs."),
        (State.SUCCEEDED, 10, "best", 4, "j finished all of its 10 epochs."),
        (State.SUCCEEDED, 10, "epoch-10", 10, "j finished all of its 10 epochs."),
        (State.SUCCEEDED, 6, "last", 6, "j ended by itself after epoch 6 of 10."),
        (State.FAILED, 10, "last", None, "j finished all of its 10 epochs."),
    ],
)
def test_where_nothing_of_the_plan_is_left_it_asks_for_how_many_more(
    state: State, reached: int, kind: str, epoch: int | None, words: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        planned(job(state, reached), kind, epoch)
    assert (caught.value.message, caught.value.field) == (words, "epochs")
    assert "--epochs N" in caught.value.hint


def test_another_plan_is_a_fresh_schedule_and_other_settings_are_left_to_the_trainer() -> None:
    interrupted = job(State.FAILED, 7)
    assert (
        f"{FRESH} 20 epochs from the weights of j (last, epoch 7 of 10)." == planned(interrupted, "last", 7, 20).words
    )
    changed = planned(interrupted, "last", 7, learning_rate=0.5).words
    assert "from epoch 7 of 10, with another learning_rate: its log says" in changed
    assert planned(interrupted, "last", 7, learning_rate="0.1").words == "Continues j from epoch 7 of 10."


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"state": State.RUNNING}, "has not ended yet"),
        ({"state": State.QUEUED}, "has not ended yet"),
        ({"state": State.FAILED, "callbacks": False}, "script of its own"),
        ({"state": State.FAILED, "script": "mine.py"}, "script of its own"),
    ],
)
def test_jobs_that_can_not_be_resumed_say_why(given: dict[str, object], words: str) -> None:
    with pytest.raises(Conflict, match=words):
        require_resumable(a_job(**given))
