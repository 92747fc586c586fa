"""The pure parts of identity: roles, what a narrowed token may, how often somebody may try."""

import asyncio
import time
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainyard.api.guard import origin_of
from trainyard.errors import Forbidden, InvalidInput, NotFound, TooManyTries
from trainyard.identity import passwords, throttle
from trainyard.identity.passwords import Passwords
from trainyard.identity.rights import Principal, Role, narrowed
from trainyard.identity.throttle import Tries

KIM = Principal("u1", "kim", roles={"lab": Role.ADMIN, "zoo": Role.VIEWER})
ROOT = Principal("u2", "root", True, everywhere=Role.ADMIN, may_hand_out=True)
roles = st.sampled_from(list(Role))
principals = st.builds(
    Principal,
    st.just("u"),
    st.just("u"),
    roles=st.dictionaries(st.sampled_from(["lab", "zoo", "sea"]), roles),
    everywhere=st.none() | roles,
)


def test_each_role_may_what_those_before_it_may() -> None:
    order = [Role.VIEWER, Role.MEMBER, Role.ADMIN]
    for have, needed in product(order, order):
        assert have.covers(needed) == (order.index(have) >= order.index(needed))


def test_a_project_of_others_is_not_there_and_a_low_role_is_told_what_is_needed() -> None:
    with pytest.raises(NotFound, match="no job job-1, or it is not in a project of yours"):
        KIM.require(Role.VIEWER, "sea", "job job-1")
    with pytest.raises(Forbidden, match="needs the role member in project zoo; yours is viewer"):
        KIM.require(Role.MEMBER, "zoo")
    KIM.require(Role.ADMIN, "lab")
    with pytest.raises(Forbidden, match="administrator"):
        KIM.require_administrator()
    ROOT.require_administrator()
    ROOT.require(Role.ADMIN, "anything")


@given(principals, st.none() | st.sampled_from(["lab", "zoo", "new"]), st.none() | roles)
def test_a_token_never_may_more_than_its_owner(owner: Principal, project: str | None, role: Role | None) -> None:
    token = narrowed(owner, project, role)
    for place, needed in product(["lab", "zoo", "sea", "new"], Role):
        if token.may(needed, place):
            assert owner.may(needed, place)
            assert project in (None, place)
            assert role is None or role.covers(needed)
        elif owner.may(needed, place):  # it is the token's limits that keep it out, nothing else
            assert project not in (None, place) or (role is not None and not role.covers(needed))
    assert token.projects is None or all(token.role_in(one) for one in token.projects)


def test_a_narrowed_token_of_an_administrator_is_no_administrator() -> None:
    for limits in [("lab", None), (None, Role.ADMIN), ("lab", Role.VIEWER)]:
        token = narrowed(ROOT, *limits)
        assert not token.administrator
        assert not token.may_hand_out
    assert narrowed(ROOT, None, Role.VIEWER).projects is None  # it sees all, and changes nothing
    assert narrowed(ROOT, "lab", None).projects == {"lab"}


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def tried(tries: Tries, name: str, address: str) -> bool:
    try:
        tries.count(name, address)
    except TooManyTries as error:
        assert 0 < error.retry_after <= throttle.WINDOW_SECONDS
        return False
    return True


def test_tries_of_a_name_are_limited_whatever_their_address_and_come_back() -> None:
    clock = Clock()
    tries = Tries(clock)
    done = [tried(tries, " Kim" if number % 2 else "kim", f"10.0.0.{number}") for number in range(20)]
    assert done == [True] * throttle.PER_NAME + [False] * (20 - throttle.PER_NAME)
    assert tried(tries, "lee", "10.0.0.1")
    clock.now += throttle.WINDOW_SECONDS
    assert tried(tries, "kim", "10.0.0.1")


def test_tries_of_an_address_are_limited_whatever_their_names() -> None:
    tries = Tries(Clock())
    done = [tried(tries, f"user-{number}", "10.0.0.1") for number in range(throttle.PER_ADDRESS + 5)]
    assert done.count(True) == throttle.PER_ADDRESS
    assert tried(tries, "kim", "10.0.0.2")


def test_a_household_with_ipv6_is_one_address() -> None:
    tries = Tries(Clock())
    done = [tried(tries, f"user-{number}", f"2001:db8:1:2::{number:x}") for number in range(throttle.PER_ADDRESS + 5)]
    assert done.count(True) == throttle.PER_ADDRESS
    assert tried(tries, "kim", "2001:db8:1:3::1")


def test_whoever_signs_in_is_not_counted() -> None:
    tries = Tries(Clock())
    for _ in range(5 * throttle.PER_ADDRESS):
        assert tried(tries, "kim", "10.0.0.1")
        tries.forgive("kim", "10.0.0.1")


def test_memory_is_bounded_and_new_names_still_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MOST_KEYS", 100)
    tries = Tries(Clock())
    for number in range(1_000):
        assert tried(tries, f"user-{number}", f"10.{number // 200}.{number % 200}.1")
    assert [tried(tries, "kim", "10.0.0.1") for _ in range(11)].count(True) == throttle.PER_NAME


@pytest.mark.parametrize("password", ["", "short", "x" * 9, "x" * 201, "한" * 67])
def test_what_is_no_password_is_refused_naming_the_field(password: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        passwords.check(password, "new")
    assert refused.value.field == "new"


@pytest.mark.parametrize("password", ["x" * 10, "x" * 200, "한국어로된긴비밀번호", "with a space "])
def test_passwords_are_hashed_and_found_again(password: str) -> None:
    passwords.check(password)

    async def through() -> tuple[str, bool, bool, bool]:
        work = Passwords()
        stored = await work.hash(password)
        again = await work.matches(stored, password), await work.matches(stored, password + "x")
        nobody = await work.matches(None, password)
        work.close()
        return stored, *again, nobody

    stored, right, wrong, nobody = asyncio.run(through())
    assert stored.startswith("$argon2id$")
    assert (right, wrong, nobody) == (True, False, False)


def test_hashing_leaves_the_event_loop_alone_and_a_crowd_is_sent_away() -> None:
    async def crowd() -> tuple[float, int, int]:
        work = Passwords()
        await work.matches(None, "x" * 10)  # loads argon2
        calls = [asyncio.create_task(work.matches(None, "x" * 10)) for _ in range(passwords.MOST_WAITING + 5)]
        longest, last = 0.0, time.monotonic()
        while not all(call.done() for call in calls):
            await asyncio.sleep(0.001)
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
        errors = [call.exception() for call in calls]
        work.close()
        busy = sum(isinstance(error, TooManyTries) for error in errors)
        return longest, busy, sum(error is None for error in errors)

    longest, busy, done = asyncio.run(crowd())
    assert longest < 0.5  # one alone takes about 0.1 s; on the loop 40 of them would take 4 s
    assert (busy, done) == (5, passwords.MOST_WAITING)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://localhost:3000", "http://localhost:3000"),
        ("https://Train.Example/app/", "https://train.example"),
        (" http://127.0.0.1:8000/ ", "http://127.0.0.1:8000"),
        ("train.example", None),
        ("", None),
        ("javascript:alert(1)", None),
    ],
)
def test_an_address_becomes_the_origin_that_browsers_send(url: str, origin: str | None) -> None:
    assert origin_of(url) == origin
