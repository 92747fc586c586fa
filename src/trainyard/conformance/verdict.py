"""A clause of the contract, and what can come of judging it."""

from collections.abc import Callable
from dataclasses import dataclass

from trainyard.conformance.evidence import Seen


@dataclass(frozen=True)
class Pass:
    seen: str = ""


@dataclass(frozen=True)
class Fail:
    """What was seen, what the contract expects, and what to do about it."""

    seen: str
    expected: str
    do: str


@dataclass(frozen=True)
class NotApplicable:
    why: str


@dataclass(frozen=True)
class NotJudged:
    """Something else went wrong before: another clause fails because of it. Never a silent pass."""

    why: str


Result = Pass | Fail | NotApplicable | NotJudged


@dataclass(frozen=True)
class Clause:
    """One promise of the contract. `judge` is pure: from what was seen in the scenarios it needs to a result."""

    id: str
    title: str
    promise: str  # the contract's own sentence
    needs: tuple[str, ...]
    judge: Callable[[Seen], Result]
    callbacks: bool = True  # a trainer that owes no callbacks owes none of these


@dataclass(frozen=True)
class Verdict:
    clause: Clause
    result: Result

    @property
    def word(self) -> str:
        return {Pass: "pass", Fail: "fail", NotApplicable: "n/a", NotJudged: "not judged"}[type(self.result)]

    @property
    def text(self) -> str:
        match self.result:
            case Pass(seen) | Fail(seen):
                return seen
            case NotApplicable(why) | NotJudged(why):
                return why

    @property
    def good(self) -> bool:
        return isinstance(self.result, Pass | NotApplicable)
