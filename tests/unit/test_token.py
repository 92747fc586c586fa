"""Callback tokens over time, and what a break in our own looking means."""

import os
from pathlib import Path

import pytest

from trainyard.callbacks.token import Tokens
from trainyard.errors import Unauthorized
from trainyard.jobs.presence import Presence

KEY, HOUR, NOW = "a-signing-key-for-tests-that-is-long-enough", 3600.0, 1_800_000_000.0


def presence(folder: Path, *, last_look: float, back: float) -> Presence:
    mark = folder / "last_look"
    mark.touch()
    os.utime(mark, (last_look, last_look))
    return Presence(mark, back)


def test_a_token_is_renewed_in_its_last_third_and_refused_after_its_end(tmp_path: Path) -> None:
    tokens = Tokens(KEY, 6 * HOUR, Presence(tmp_path / "last_look", NOW))
    claims = tokens.check(tokens.sign("job", 1, NOW), NOW)
    assert (claims.job_id, claims.attempt) == ("job", 1)
    assert tokens.renewal(claims, NOW + 3.9 * HOUR) is None
    assert tokens.renewal(claims, NOW + 4.1 * HOUR)
    with pytest.raises(Unauthorized, match="expired"):
        tokens.check(tokens.sign("job", 1, NOW), NOW + 6 * HOUR + 301)


def test_a_token_that_ran_out_while_no_backend_was_there_gets_a_moment_to_come_back(tmp_path: Path) -> None:
    back = NOW + 20 * HOUR
    tokens = Tokens(KEY, 6 * HOUR, presence(tmp_path, last_look=NOW + 1, back=back))
    signed = tokens.sign("job", 1, NOW)
    assert tokens.renewal(tokens.check(signed, back + 60), back + 60)
    with pytest.raises(Unauthorized, match="expired"):
        tokens.check(signed, back + 601)


def test_a_token_that_could_have_been_renewed_is_refused_after_a_restart(tmp_path: Path) -> None:
    tokens = Tokens(KEY, 6 * HOUR, presence(tmp_path, last_look=NOW + 19 * HOUR, back=NOW + 20 * HOUR))
    with pytest.raises(Unauthorized, match="expired"):
        tokens.check(tokens.sign("job", 1, NOW), NOW + 20 * HOUR + 1)


def test_a_late_look_means_that_we_were_away(tmp_path: Path) -> None:
    here = Presence(tmp_path / "last_look", NOW)
    assert here.look(NOW + 1) == NOW
    assert here.look(NOW + 9) == NOW
    asleep = NOW + 8 * HOUR
    assert here.look(asleep) == asleep
    assert here.look(asleep + 1) == asleep
    assert here.was_away(NOW + HOUR)
    assert not here.was_away(NOW + 5)
