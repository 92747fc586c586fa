"""Which state may follow which: the whole state machine on one screen.

PENDING ──► QUEUED ──► RUNNING ──► SUCCEEDED | FAILED | CANCELLED
"""

from trainyard.contract.vocabulary import State

ENDS = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED})

ALLOWED: dict[State, frozenset[State]] = {
    State.PENDING: frozenset({State.QUEUED, State.FAILED, State.CANCELLED}),
    # a trainer so quick that its first callback is `done`, or whose `done` overtook the rest, ends from QUEUED
    State.QUEUED: frozenset({State.RUNNING}) | ENDS,
    # relaunched after an eviction: back to the queue with the next attempt
    State.RUNNING: frozenset({State.QUEUED}) | ENDS,
    State.SUCCEEDED: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELLED: frozenset(),
}


def may_follow(now: State, then: State) -> bool:
    return then in ALLOWED[now]
