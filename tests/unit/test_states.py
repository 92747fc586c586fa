"""The transition table, pair by pair."""

import itertools

import pytest

from trainyard.contract.vocabulary import State
from trainyard.jobs.states import ALLOWED, may_follow

P, Q, R, S, F, C = State
EXPECTED = {
    (P, Q), (P, F), (P, C),
    (Q, R), (Q, S), (Q, F), (Q, C),
    (R, Q), (R, S), (R, F), (R, C),
}  # fmt: skip


@pytest.mark.parametrize(("now", "then"), list(itertools.product(State, State)))
def test_every_pair_is_allowed_or_not_as_the_design_says(now: State, then: State) -> None:
    assert may_follow(now, then) == ((now, then) in EXPECTED)


def test_nothing_follows_an_end() -> None:
    assert all(not ALLOWED[state] for state in State if state.is_terminal)


def test_every_state_but_the_first_can_be_reached() -> None:
    assert set().union(*ALLOWED.values()) == set(State) - {State.PENDING}
