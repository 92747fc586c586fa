"""Signing in, links, sessions, passwords and tokens, over HTTP."""

import statistics
import threading
import time
from collections.abc import Callable

import httpx2
import pytest

from tests.real.backend import TOKEN, Backend
from tests.real.people import Person, change_rows, cookie_of, link, signed_in, with_token

RIGHT, WRONG = "correct horse battery", "incorrect horse battery"
DAY = 86_400


def sign_in(backend: Backend, name: str, password: str, **headers: str) -> httpx2.Response:
    body = {"name": name, "password": password}
    origin = {"Origin": backend.url}
    with httpx2.Client(base_url=backend.url, timeout=60, verify=False) as http:
        return http.post("/v1/auth/sign-in", json=body, headers=origin | headers)


def code_of(answer: httpx2.Response) -> str:
    return str(answer.json()["error"]["code"])


def with_password(backend: Backend, name: str) -> None:
    backend.ask("POST", "/v1/users", json={"name": name, "password": RIGHT})


# -- name and password ------------------------------------------------------------------------------------------------


def test_name_and_password_open_a_session(shared: Backend) -> None:
    with_password(shared, "kim")
    answer = sign_in(shared, " Kim ", RIGHT)
    assert answer.status_code == 200, answer.text
    me = answer.json()
    assert (me["name"], me["administrator"], me["has_password"], me["via"]) == ("kim", False, True, "session")
    assert me["projects"] == []
    kim = Person(shared, "kim", {"Cookie": cookie_of(answer), "Origin": shared.url})
    assert kim.ask("GET", "/v1/me") == me


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(
    shared: Backend, make_backend: Callable[..., Backend]
) -> None:
    with_password(shared, "cookie")
    parts = sign_in(shared, "cookie", RIGHT).headers["set-cookie"].split("; ")
    assert parts[0].startswith(f"trainyard-{shared.port}=")
    assert len(parts[0].partition("=")[2]) >= 43  # 256 bits
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(parts)
    assert "Secure" not in parts
    tls = {"X-Forwarded-Proto": "https", "Origin": f"https://127.0.0.1:{shared.port}"}
    behind_tls = sign_in(shared, "cookie", RIGHT, **tls)
    assert "Secure" in behind_tls.headers["set-cookie"].split("; ")
    public = make_backend(public_url="https://train.example").start()
    code = link(public, "admin")
    begun = httpx2.post(
        f"{public.url}/v1/auth/link", json={"code": code}, headers={"Origin": "https://train.example"}, timeout=60
    )
    assert "Secure" in begun.headers["set-cookie"].split("; ")
    assert public.ask("POST", "/v1/auth/links")["url"].startswith("https://train.example/sign-in#code=")


def test_what_is_stored_signs_nobody_in(shared: Backend) -> None:
    with_password(shared, "stored")
    kim = Person(shared, "stored", {"Cookie": cookie_of(sign_in(shared, "stored", RIGHT)), "Origin": shared.url})
    token = kim.ask("POST", "/v1/tokens", json={"name": "x"})["token"]
    code = link(shared, "stored")
    secrets = [RIGHT, kim.headers["Cookie"].partition("=")[2], token, code]
    kept = b"".join(path.read_bytes() for path in (shared.folder / "data").glob("trainyard.db*"))
    assert b"$argon2id$" in kept
    assert token[:8].encode() in kept  # the prefix that lists show
    log = shared.log.read_bytes()
    for secret in secrets:
        assert secret.encode() not in kept
        assert secret.encode() not in log


@pytest.mark.parametrize(
    "name", ["nobody-of-that-name", "disabled-one", "linked-only", "right-name", "ki\x00m", "'; --"]
)
def test_whatever_is_wrong_the_answer_is_the_same(shared: Backend, name: str) -> None:
    if name == "right-name":
        with_password(shared, name)
    if name == "linked-only":
        shared.ask("POST", "/v1/users", json={"name": name})
    password = WRONG
    if name == "disabled-one":
        with_password(shared, name)
        user = next(one for one in shared.ask("GET", "/v1/users")["items"] if one["name"] == name)
        shared.ask("PATCH", f"/v1/users/{user['id']}", json={"disabled": True})
        password = RIGHT
    answer = sign_in(shared, name, password)
    assert answer.status_code == 401
    assert code_of(answer) == "wrong_credentials"
    assert answer.json()["error"]["message"] == "Name and password do not match."
    assert "set-cookie" not in answer.headers


def test_a_wrong_name_takes_as_long_as_a_wrong_password(shared: Backend) -> None:
    with_password(shared, "timed")

    def seconds(name: str) -> float:
        began = time.perf_counter()
        assert sign_in(shared, name, WRONG).status_code == 401
        return time.perf_counter() - began

    sign_in(shared, "timed", WRONG)  # the first of all loads argon2
    pairs = [(seconds("timed"), seconds(f"nobody-{number}")) for number in range(7)]
    known, unknown = (statistics.median(times) for times in zip(*pairs, strict=True))
    assert 0.6 < known / unknown < 1.7, (known, unknown)


def test_tries_are_limited_and_the_installations_token_is_not(backend: Backend) -> None:
    with_password(backend, "kim")
    first = [sign_in(backend, "kim", WRONG).status_code for _ in range(11)]
    assert first == [401] * 10 + [429]
    refused = sign_in(backend, "kim", RIGHT)  # also with the right one: a guess must not be told from a miss
    assert refused.status_code == 429
    assert code_of(refused) == "too_many_tries"
    assert 0 < int(refused.headers["retry-after"]) <= 900
    crowd = {sign_in(backend, f"user-{number}", WRONG).status_code for number in range(60)}
    assert crowd == {401, 429}  # of one address, whatever the name
    assert backend.ask("GET", "/v1/me")["name"] == "admin"
    assert signed_in(backend, "kim").ask("GET", "/v1/me")["name"] == "kim"  # a link is no try


def test_many_at_once_are_no_way_around_the_limit(backend: Backend) -> None:
    with_password(backend, "kim")
    seen: list[int] = []
    threads = [
        threading.Thread(target=lambda: seen.append(sign_in(backend, "kim", WRONG).status_code)) for _ in range(24)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (seen.count(401), seen.count(429)) == (10, 14)


# -- sessions ---------------------------------------------------------------------------------------------------------


def test_a_session_ends_when_its_user_leaves_or_stays_away_or_stays_too_long(shared: Backend) -> None:
    people = [signed_in(shared, f"leaver-{number}") for number in range(4)]
    active, idle, old, out = people
    assert change_rows(shared, "UPDATE sessions SET seen_at = seen_at - ? WHERE user_id = ?", 13 * DAY, active.user_id)
    assert change_rows(
        shared, "UPDATE sessions SET created_at = created_at - ? WHERE user_id = ?", 89 * DAY, active.user_id
    )
    assert change_rows(shared, "UPDATE sessions SET seen_at = seen_at - ? WHERE user_id = ?", 14 * DAY, idle.user_id)
    assert change_rows(
        shared, "UPDATE sessions SET created_at = created_at - ? WHERE user_id = ?", 90 * DAY, old.user_id
    )
    out.ask("POST", "/v1/auth/sign-out")
    assert [person.refused("GET", "/v1/me") for person in people] == [200, 401, 401, 401]
    # being used, it slides
    assert change_rows(shared, "UPDATE sessions SET seen_at = seen_at - ? WHERE user_id = ?", 13 * DAY, active.user_id)
    assert active.refused("GET", "/v1/me") == 200


def test_signing_out_ends_this_session_only_and_forgets_the_cookie(shared: Backend) -> None:
    here, there = signed_in(shared, "two-places"), signed_in(shared, "two-places")
    gone = here.call("POST", "/v1/auth/sign-out")
    assert gone.status_code == 204
    assert "Max-Age=0" in gone.headers["set-cookie"]
    assert (here.refused("GET", "/v1/me"), there.refused("GET", "/v1/me")) == (401, 200)


def test_sessions_outlive_the_backend(backend: Backend) -> None:
    kim = signed_in(backend, "kim")
    backend.kill()
    backend.start()
    assert kim.ask("GET", "/v1/me")["name"] == "kim"


def test_somebody_disabled_is_out_at_once_and_comes_back_with_nothing_but_tokens(shared: Backend) -> None:
    kim = signed_in(shared, "disabled", default="member")
    token, waiting = with_token(shared, kim), link(shared, "disabled")
    shared.ask("PATCH", f"/v1/users/{kim.user_id}", json={"disabled": True})
    assert (kim.refused("GET", "/v1/me"), token.refused("GET", "/v1/me")) == (401, 401)
    used = httpx2.post(f"{shared.url}/v1/auth/link", json={"code": waiting}, timeout=60)
    assert (used.status_code, code_of(used)) == (401, "wrong_credentials")
    assert shared.http.post("/v1/auth/links", json={"user": "disabled"}).status_code == 422
    shared.ask("PATCH", f"/v1/users/{kim.user_id}", json={"disabled": False})
    assert (kim.refused("GET", "/v1/me"), token.refused("GET", "/v1/me")) == (401, 200)
    assert signed_in(shared, "disabled").ask("GET", "/v1/me")["name"] == "disabled"


def test_nobody_locks_themselves_or_the_installation_out(shared: Backend) -> None:
    root = signed_in(shared, "own-foot", administrator=True)
    for change in ({"disabled": True}, {"administrator": False}):
        assert root.refused("PATCH", f"/v1/users/{root.user_id}", json=change) == 422
        assert root.refused("PATCH", "/v1/users/admin", json=change) == 422
    demoted = signed_in(shared, "demoted", administrator=True)
    root.ask("PATCH", f"/v1/users/{demoted.user_id}", json={"administrator": False})
    assert demoted.refused("GET", "/v1/users") == 403


# -- links ------------------------------------------------------------------------------------------------------------


def test_a_link_signs_in_once(shared: Backend) -> None:
    shared.ask("POST", "/v1/users", json={"name": "linked"})
    made = shared.ask("POST", "/v1/auth/links", json={"user": "linked"})
    base, _, code = made["url"].partition("/sign-in#code=")
    assert base == shared.url
    assert 880 < made["expires_at"] - time.time() <= 900
    answers: list[int] = []

    def use() -> None:
        with httpx2.Client(base_url=shared.url, timeout=60, verify=False) as http:
            answers.append(http.post("/v1/auth/link", json={"code": code}).status_code)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + [401] * 7


def test_a_link_is_good_for_a_quarter_of_an_hour(shared: Backend) -> None:
    code = link(shared, "admin")
    assert change_rows(shared, "UPDATE login_links SET expires_at = expires_at - 900") > 0
    late = httpx2.post(f"{shared.url}/v1/auth/link", json={"code": code}, timeout=60)
    assert (late.status_code, code_of(late)) == (401, "wrong_credentials")


def test_links_for_others_are_made_by_administrators_only(shared: Backend) -> None:
    kim, root = signed_in(shared, "no-links"), signed_in(shared, "link-maker", administrator=True)
    assert kim.refused("POST", "/v1/auth/links", json={"user": "admin"}) == 403
    assert kim.refused("POST", "/v1/auth/links", json={"user": "no-such-user"}) == 403
    assert kim.refused("POST", "/v1/auth/links") == 200
    assert kim.refused("POST", "/v1/auth/links", json={"user": "no-links"}) == 200
    assert root.refused("POST", "/v1/auth/links", json={"user": "no-links"}) == 200
    assert root.refused("POST", "/v1/auth/links", json={"user": "no-such-user"}) == 404


# -- passwords --------------------------------------------------------------------------------------------------------


def test_a_password_is_set_after_a_link_and_changed_with_the_old_one(shared: Backend) -> None:
    kim = signed_in(shared, "changer")
    other = signed_in(shared, "changer")
    kim.ask("POST", "/v1/me/password", json={"new": RIGHT})
    assert (kim.refused("GET", "/v1/me"), other.refused("GET", "/v1/me")) == (200, 401)
    assert sign_in(shared, "changer", RIGHT).status_code == 200
    # from now on the old one is needed, in this session too
    without = kim.call("POST", "/v1/me/password", json={"new": WRONG})
    assert (without.status_code, without.json()["error"]["field"]) == (422, "old")
    wrong = kim.call("POST", "/v1/me/password", json={"old": WRONG, "new": WRONG})
    assert (wrong.status_code, wrong.json()["error"]["field"]) == (422, "old")
    kim.ask("POST", "/v1/me/password", json={"old": RIGHT, "new": WRONG})
    assert [sign_in(shared, "changer", password).status_code for password in (RIGHT, WRONG)] == [401, 200]
    assert kim.refused("POST", "/v1/me/password", json={"old": WRONG, "new": "too short"}) == 422


def test_guessing_the_old_password_is_limited_too(shared: Backend) -> None:
    with_password(shared, "guessed")
    begun = sign_in(shared, "guessed", RIGHT)
    thief = Person(shared, "thief", {"Cookie": cookie_of(begun), "Origin": shared.url})
    body = {"old": WRONG, "new": WRONG}
    assert [thief.refused("POST", "/v1/me/password", json=body) for _ in range(11)] == [422] * 10 + [429]


def test_a_session_left_open_makes_no_new_password(shared: Backend) -> None:
    with_password(shared, "left-open")
    begun = sign_in(shared, "left-open", RIGHT)
    thief = Person(shared, "thief", {"Cookie": cookie_of(begun), "Origin": shared.url})
    code = thief.ask("POST", "/v1/auth/links")["url"].partition("#code=")[2]
    again = httpx2.post(f"{shared.url}/v1/auth/link", json={"code": code}, headers={"Origin": shared.url}, timeout=60)
    second = Person(shared, "thief", {"Cookie": cookie_of(again), "Origin": shared.url})
    assert second.refused("POST", "/v1/me/password", json={"new": WRONG}) == 422


def test_an_old_link_does_not_let_a_password_be_set_without_the_old_one(shared: Backend) -> None:
    with_password(shared, "slow")
    slow = signed_in(shared, "slow")
    assert change_rows(
        shared, "UPDATE sessions SET password_until = password_until - 900 WHERE user_id = ?", slow.user_id
    )
    assert slow.refused("POST", "/v1/me/password", json={"new": WRONG}) == 422
    assert signed_in(shared, "slow").refused("POST", "/v1/me/password", json={"new": WRONG}) == 200


def test_an_administrator_sets_a_password_anew_and_ends_what_was_open(shared: Backend) -> None:
    with_password(shared, "forgetful")
    open_one, root = signed_in(shared, "forgetful"), signed_in(shared, "resetter", administrator=True)
    waiting = link(shared, "forgetful")
    root.ask("PATCH", f"/v1/users/{open_one.user_id}", json={"password": WRONG})
    assert open_one.refused("GET", "/v1/me") == 401
    assert httpx2.post(f"{shared.url}/v1/auth/link", json={"code": waiting}, timeout=60).status_code == 401
    assert [sign_in(shared, "forgetful", password).status_code for password in (RIGHT, WRONG)] == [401, 200]


# -- tokens -----------------------------------------------------------------------------------------------------------


def test_a_token_is_shown_once_and_works_until_it_is_revoked(shared: Backend) -> None:
    kim = signed_in(shared, "token-owner", default="member")
    made = kim.ask("POST", "/v1/tokens", json={"name": "nightly"})
    assert made["token"].startswith(made["prefix"])
    token = Person(shared, "token", {"Authorization": f"Bearer {made['token']}"})
    me = token.ask("GET", "/v1/me")
    assert (me["name"], me["via"], [(one["id"], one["role"]) for one in me["projects"]]) == (
        "token-owner", "token", [("default", "member")],
    )  # fmt: skip
    (listed,) = kim.ask("GET", "/v1/tokens")["items"]
    assert "token" not in listed
    assert listed["last_used_at"] is not None
    assert signed_in(shared, "token-thief").refused("DELETE", f"/v1/tokens/{made['id']}") == 404
    kim.ask("DELETE", f"/v1/tokens/{made['id']}")
    assert token.refused("GET", "/v1/me") == 401
    assert kim.ask("GET", "/v1/tokens")["items"] == []


def test_a_tokens_use_is_noted_at_most_once_a_minute(shared: Backend) -> None:
    kim = signed_in(shared, "busy")
    token = with_token(shared, kim)

    def noted() -> float:
        return float(kim.ask("GET", "/v1/tokens")["items"][0]["last_used_at"])

    token.ask("GET", "/v1/me")
    first = noted()
    for _ in range(5):
        token.ask("GET", "/v1/me")
    assert noted() == first
    assert change_rows(shared, "UPDATE api_tokens SET last_used_at = last_used_at - 61 WHERE id = ?", token.user_id)
    token.ask("GET", "/v1/me")
    assert noted() > first


def test_a_token_expires(shared: Backend) -> None:
    token = with_token(shared, signed_in(shared, "expirer"), days=1)
    assert token.refused("GET", "/v1/me") == 200
    assert change_rows(shared, "UPDATE api_tokens SET expires_at = expires_at - 86400 WHERE id = ?", token.user_id)
    assert token.refused("GET", "/v1/me") == 401


def test_a_token_reaches_as_far_as_it_was_made_for(shared: Backend) -> None:
    for project in ("near", "far"):
        shared.ask("POST", "/v1/projects", json={"id": project, "name": project})
    kim = signed_in(shared, "narrower", near="admin", far="viewer")
    assert kim.refused("POST", "/v1/tokens", json={"name": "x", "project_id": "far", "role": "member"}) == 403
    assert kim.refused("POST", "/v1/tokens", json={"name": "x", "project_id": "default"}) == 404
    narrow = with_token(shared, kim, project_id="near", role="viewer")
    assert [(one["id"], one["role"]) for one in narrow.ask("GET", "/v1/me")["projects"]] == [("near", "viewer")]
    assert narrow.refused("PUT", "/v1/projects/near/members/narrower", json={"role": "admin"}) == 403
    assert narrow.refused("GET", "/v1/projects/far") == 404
    wide = with_token(shared, kim)
    assert wide.refused("GET", "/v1/projects/far") == 200
    shared.ask("DELETE", "/v1/projects/far/members/narrower")
    assert wide.refused("GET", "/v1/projects/far") == 404


def test_the_installations_token_is_the_administrator_admin(shared: Backend) -> None:
    me = shared.ask("GET", "/v1/me")
    assert (me["id"], me["name"], me["administrator"], me["via"]) == ("admin", "admin", True, "token")
    listed = next(one for one in shared.ask("GET", "/v1/users")["items"] if one["name"] == "admin")
    assert (listed["administrator"], listed["disabled"]) == (True, False)
    both = {"Authorization": f"Bearer {TOKEN}x", "Cookie": signed_in(shared, "bystander").headers["Cookie"]}
    refused = httpx2.get(f"{shared.url}/v1/me", headers=both, timeout=60)
    assert refused.status_code == 401  # a wrong token isn't made good by a cookie
