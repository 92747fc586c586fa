"""Callback tokens over time, and what a break in our own looking means."""

import pytest

from trainyard.callbacks.token import Tokens
from trainyard.errors import Unauthorized
from trainyard.jobs.presence import Presence

KEY, HOUR, NOW = "a-signing-key-for-tests-that-is-long-enough", 3600.0, 1_800_000_000.0


def test_a_token_is_renewed_in_its_last_third_and_refused_after_its_end() -> None:
    tokens = Tokens(KEY, 6 * HOUR, Presence(NOW - 30 * HOUR))
    claims = tokens.check(tokens.sign("job", 1, NOW), NOW)
    assert (claims.job_id, claims.attempt) == ("job", 1)
    assert tokens.renewal(claims, NOW + 3.9 * HOUR) is None
    assert tokens.renewal(claims, NOW + 4.1 * HOUR)
    with pytest.raises(Unauthorized, match="expired"):
        tokens.check(tokens.sign("job", 1, NOW), NOW + 6 * HOUR + 301)


def test_a_token_that_ran_out_while_no_backend_was_there_gets_a_moment_to_come_back() -> None:
    back = NOW + 20 * HOUR
    tokens = Tokens(KEY, 6 * HOUR, Presence(back))
    signed = tokens.sign("job", 1, NOW)
    assert tokens.renewal(tokens.check(signed, back + 60), back + 60)
    with pytest.raises(Unauthorized, match="expired"):
        tokens.check(signed, back + 601)


def test_a_late_look_means_that_we_were_away() -> None:
    presence = Presence(NOW)
    assert presence.look(NOW + 1) == NOW
    assert presence.look(NOW + 9) == NOW
    asleep = NOW + 8 * HOUR
    assert presence.look(asleep) == asleep
    assert presence.look(asleep + 1) == asleep
