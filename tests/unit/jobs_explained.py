"""Jobs that failed in ways that trainers really fail, and their explanations: for tests of pure functions."""

from typing import Any

from tests.unit.jobs_made import NOW, a_job
from trainyard.contract.callbacks import Done, TrainerFault
from trainyard.contract.manifest import Parameter, Scalar
from trainyard.contract.vocabulary import DoneStatus
from trainyard.executors.base import Exited
from trainyard.jobs.endings import of_done, of_exit
from trainyard.jobs.explain import Explanation, explain
from trainyard.jobs.transition import Ending

DECLARED = {
    "epochs": Parameter(type="int", default=10, min=1),
    "batch_size": Parameter(type="int", default=16, min=1),
    "image_size": Parameter(type="int", default=640, min=32),
    "learning_rate": Parameter(type="float", default=0.01, min=1e-9, max=1),
    "workers": Parameter(type="int", default=4, min=0),
    "optimizer": Parameter(type="str", default="auto", choices=["auto", "SGD"]),
}
PARAMS: dict[str, Scalar] = {
    "epochs": 10,
    "batch_size": 16,
    "image_size": 640,
    "learning_rate": 0.05,
    "workers": 4,
    "optimizer": "SGD",
}
JOB = "job-20261121-101112-abcd"
TRACEBACK = """Traceback (most recent call last):
  File "/yard/trainer-timm/train.py", line 149, in fit
    loss.backward()
  File "/yard/trainer-timm/.venv/lib/python3.11/site-packages/torch/_tensor.py", line 581, in backward
    torch.autograd.backward(
"""


def ended(ending: Ending, **given: Any) -> Explanation:
    values: dict[str, Any] = {"params": PARAMS, "framework": "timm", "finished_at": NOW}
    values |= {"state": ending.state, "reason": ending.reason, "message": ending.message, "evidence": ending.evidence}
    lost, log = given.pop("lost", {}), given.pop("log", "")
    return explain(a_job(**(values | given)), DECLARED, lost, log)


def said(kind: str, message: str, traceback: str = "", **given: Any) -> Explanation:
    """A trainer that told its own failure."""
    fault = TrainerFault(type=kind, message=message, traceback=traceback or f"{TRACEBACK}{kind}: {message}")
    done = Done(attempt=1, seq=1, status=DoneStatus.FAILED, error=fault)
    return ended(of_done(done, cancel_requested=False), **given)


def exited(seen: Exited, *, callbacks: bool = True, **given: Any) -> Explanation:
    return ended(of_exit(seen, callbacks=callbacks, cancel_requested=False), **given)


NO_MEMORY = (
    "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 7.79 GiB of which 1.2 GiB is free."
)
BUS = (
    "DataLoader worker (pid 4711) is killed by signal: Bus error. It is possible that dataloader's workers are out of "
    "shared memory. Please try to raise your shared memory limit."
)
