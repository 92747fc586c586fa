"""`trainyard link`, `users` and `tokens`; and the link that `up` prints."""

import re
import subprocess
from pathlib import Path

import httpx2
import pytest

from tests.real.backend import Backend, wait_for
from tests.real.installation import CLI, installation
from tests.real.people import Person
from tests.real.shell import Shell

LINK = re.compile(r"(http://\S+)/sign-in#code=([\w-]{43})")


@pytest.fixture
def shell(shared: Backend, tmp_path: Path) -> Shell:
    return Shell(shared, tmp_path)


def signs_in(text: str) -> str:
    """Whom the link in a text signs in, once."""
    found = LINK.search(text)
    assert found, text
    first, second = (httpx2.post(f"{found[1]}/v1/auth/link", json={"code": found[2]}, timeout=60) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 401)
    return str(first.json()["name"])


def test_link_prints_a_link_that_signs_in_once(shell: Shell) -> None:
    said = shell.run("link")
    assert LINK.fullmatch(said.out.strip())
    assert "15 minutes" in said.err
    assert signs_in(said.out) == "admin"
    shell.run("users", "add", "linked")
    assert signs_in(shell.json("link", "--user", "linked")["url"]) == "linked"
    assert "There is no user nobody" in shell.run("link", "--user", "nobody", code=1).err


def test_users_are_added_with_a_role_and_a_link_and_listed(shell: Shell) -> None:
    said = shell.run("users", "add", "kim", "--project", "default", "--role", "viewer").out
    assert "kim is added as viewer of default" in said
    assert signs_in(said) == "kim"
    lee = shell.json("users", "add", "lee", "--administrator")
    assert lee["administrator"] is True
    listed = {user["name"]: user for user in shell.json("users", "list")}
    assert {"admin", "kim", "lee"} <= set(listed)
    table = shell.run("users", "list").out
    assert re.search(r"^lee +administrator", table, re.M)
    assert re.search(r"^kim +.*just now|^kim +.*s ago|^kim +.*now", table, re.M), table
    members = shell.backend.ask("GET", "/v1/projects/default/members")["items"]
    assert ("kim", "viewer") in {(one["name"], one["role"]) for one in members}
    shell.run("users", "role", "kim", "default", "admin")
    shell.run("users", "role", "lee", "default", "member")
    shell.run("users", "role", "lee", "default", "none")
    members = shell.backend.ask("GET", "/v1/projects/default/members")["items"]
    assert [one["role"] for one in members if one["name"] in ("kim", "lee")] == ["admin"]
    assert "already" in shell.run("users", "add", "kim", code=1).err


def test_a_password_is_asked_for_and_never_an_argument(shell: Shell) -> None:
    shell.run("users", "add", "typist")
    terminal = shell.terminal("users", "password", "typist")
    for _ in range(2):
        terminal.expect("assword|again|confirm")
        terminal.sendline("correct horse battery")
    terminal.expect("is set")
    terminal.close()
    body = {"name": "typist", "password": "correct horse battery"}
    assert httpx2.post(f"{shell.backend.url}/v1/auth/sign-in", json=body, timeout=60).status_code == 200
    argv = [*CLI, "users", "password", "typist"]
    piped = subprocess.run(argv, input="short\n", env=shell.env, cwd=shell.folder, capture_output=True, text=True)
    assert piped.returncode != 0
    assert "10" in piped.stderr
    assert "short" not in piped.stderr


def test_somebody_disabled_is_out_until_it_is_undone(shell: Shell) -> None:
    shell.run("users", "add", "gone")
    assert "gone is disabled" in shell.run("users", "disable", "gone").out
    assert "disabled" in shell.run("link", "--user", "gone", code=1).err
    assert re.search(r"^gone +disabled", shell.run("users", "list").out, re.M)
    shell.run("users", "disable", "gone", "--undo")
    assert signs_in(shell.run("link", "--user", "gone").out) == "gone"


def test_a_token_is_printed_alone_works_for_the_cli_and_is_revoked(shell: Shell) -> None:
    shell.backend.ask("POST", "/v1/projects", json={"id": "lab", "name": "Lab"})
    said = shell.run("tokens", "add", "nightly", "--project", "lab", "--role", "viewer", "--days", "7")
    token = said.out.strip()
    assert re.fullmatch(r"ty_[\w-]{43}", token)
    (listed,) = [one for one in shell.json("tokens", "list") if one["name"] == "nightly"]
    assert (listed["project_id"], listed["role"]) == ("lab", "viewer")
    assert token not in shell.run("tokens", "list").out
    assert token[:8] in shell.run("tokens", "list").out
    shell.run("jobs", TRAINYARD_TOKEN=token)
    refused = shell.run("users", "list", code=1, TRAINYARD_TOKEN=token).err
    assert "administrator" in refused
    narrow = Person(shell.backend, "narrow", {"Authorization": f"Bearer {token}"})
    assert [one["id"] for one in narrow.ask("GET", "/v1/projects")["items"]] == ["lab"]
    shell.run("tokens", "revoke", token[:8])
    assert narrow.refused("GET", "/v1/me") == 401
    assert "You have no token nightly" in shell.run("tokens", "revoke", "nightly", code=2).err


def test_up_prints_a_link_each_time(tmp_path: Path) -> None:
    with installation(tmp_path) as place:
        first = place.run("up", "--detach")
        assert signs_in(first) == "admin"
        assert "`trainyard link` makes another" in first
        again = place.run("up", "--detach")
        assert "Already up" in again
        assert signs_in(again) == "admin"
        place.run("down")
        with place.start("up") as process:
            assert process.stderr
            said = ""
            while not LINK.search(said):
                line = process.stderr.readline()
                assert line, said
                said += line
            assert signs_in(said) == "admin"
            process.terminate()
            wait_for("the end of `up`", lambda: process.poll() is not None)
        code = LINK.search(said)
        assert code
        for path in place.data.rglob("*"):
            if path.is_file() and path.suffix in (".log", ".json"):
                assert code[2] not in path.read_text(errors="replace"), path
