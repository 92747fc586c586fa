"""One finding about a Job or its pod, in the shape that `trainyard explain` shows."""

import math
from dataclasses import dataclass, field
from typing import Any

from trainyard.contract.vocabulary import Reason

NOTHING_WRONG = "Nothing is wrong with the training: it may be run again."
AT_ONCE, SOON, LATER, NEVER = 0.0, 20.0, 300.0, math.inf


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """`patience`: seconds for which the cluster may still mend it by itself; 0 for an end, or what can't mend.
    `relaunch`: it was the cluster's doing, and another pod may do better."""

    reason: Reason
    message: str
    hint: str
    lines: list[str] = field(default_factory=list[str])
    patience: float = AT_ONCE
    relaunch: bool = False
    exit_code: int | None = None
    signal: int | None = None
    tail: str = ""  # the end of its output, where the kubelet kept it

    @property
    def evidence(self) -> dict[str, Any]:
        """For LaunchFailed and Exited."""
        return {"lines": self.lines, "hint": self.hint}
