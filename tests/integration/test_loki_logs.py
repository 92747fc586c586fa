"""Job logs shipped to Loki: over restarts, from logs that are cut or emptied, and who may know what."""

import json
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.real.backend import wait_for
from tests.real.loki import QUICK, Fate, Push, Receiver, Yard, expect, numbered, refused, text
from trainyard.errors import InvalidSetting
from trainyard.executors.local.shim.log import JobLog as ShimLog
from trainyard.logs.files import read_range
from trainyard.logs.loki import JobLog, Shipper
from trainyard.settings import load_settings

MB = 1 << 20


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.shut()
    assert made.faults == []


@pytest.fixture
def yard(tmp_path: Path, receiver: Receiver) -> Iterator[Yard]:
    made = Yard(tmp_path, receiver.url)
    yield made
    made.close()


# -- restarts, and logs that change -----------------------------------------------------------------------------------


def test_a_restart_goes_on_where_it_was(yard: Yard, receiver: Receiver) -> None:
    yard.log("a")
    first = yard.ship()
    yard.write("a", text(numbered(0, 100)) + "begun ")
    expect(receiver, "a", numbered(0, 100))
    first.close()
    before = len(receiver.pushes)
    yard.write("a", "and ended\n" + text(numbered(100, 100)))
    yard.end("a")
    yard.ship()
    expect(receiver, "a", [*numbered(0, 100), "begun and ended", *numbered(100, 100)])
    assert not set(numbered(0, 100)) & {line for push in receiver.pushes[before:] for line in push.lines}


def test_a_crash_before_the_position_is_kept_repeats_one_batch_at_most(yard: Yard, receiver: Receiver) -> None:
    log = yard.log("a")
    state = log.path.with_name("shipped.json")
    kept: list[str] = []

    def rule(push: Push) -> Fate:
        kept.append(state.read_text() if state.exists() else "{}")  # as it was when this push came
        return Fate()

    receiver.obey(rule)
    lines = numbered(0, 30_000)
    yard.write("a", text(lines))
    first = yard.ship()
    expect(receiver, "a", lines)
    first.close()
    state.write_text(kept[-1])
    pushed = len(receiver.pushes)
    assert pushed > 2
    yard.write("a", "after the crash\n")
    yard.ship()
    wait_for("the new line", lambda: receiver.lines("a")[-1] == "after the crash")
    again = [line for push in receiver.pushes[pushed:] for line in push.lines]
    assert again == [*receiver.pushes[pushed - 1].lines, "after the crash"]
    assert list(dict.fromkeys(receiver.lines("a"))) == [*lines, "after the crash"]


def test_a_state_that_makes_no_sense_begins_anew(yard: Yard, receiver: Receiver) -> None:
    log = yard.log("a")
    log.path.with_name("shipped.json").write_text('{"offset": "none"')
    yard.write("a", "one\n")
    yard.ship()
    expect(receiver, "a", ["one"])
    wait_for("the position", lambda: "none" not in log.path.with_name("shipped.json").read_text())
    told = json.loads(log.path.with_name("shipped.json").read_text())
    assert told["offset"] == 4
    assert log.path.with_name("shipped.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("holes", [True, False], ids=["with holes", "on a file system without holes"])
def test_a_log_whose_middle_is_cut_out_arrives_as_readers_see_it(yard: Yard, receiver: Receiver, holes: bool) -> None:
    log = yard.log("a")
    shim = ShimLog(str(log.path.parent), "trace-a", 2 * MB)
    if not holes:
        shim.punch = lambda fd, start, length: False
    receiver.obey(lambda _: refused(503))
    yard.ship(replace(QUICK, longest_pause=0.1))
    for number in range(100_000):
        shim.write(b"line %d of this log with some more to it\n" % number)
        if number == 1_000:
            wait_for("a first try", lambda: receiver.pushes)
        if number % 5_000 == 0:
            shim._next_look = 0.0  # time passes
            shim.keep_short()
    receiver.obey()
    yard.end("a")
    wait_for("the last line", lambda: any("line 99999 of" in line for line in receiver.lines("a")[-1:]))
    os.close(shim.fd)
    got = receiver.lines("a")
    assert got == whole(log.path).rstrip("\n").split("\n")
    assert sum("MB of output were cut here (limit 2 MB" in line for line in got) == 1
    assert "\0" not in "".join(got)


def whole(path: Path) -> str:
    read, offset = "", 0
    while True:
        more, offset = read_range(path, offset)
        if not more:
            return read
        read += more


def test_a_log_that_somebody_emptied_is_read_from_its_beginning(yard: Yard, receiver: Receiver) -> None:
    log = yard.log("a")
    yard.ship()
    yard.write("a", text(numbered(0, 100)))
    expect(receiver, "a", numbered(0, 100))
    log.path.write_text("new\n")
    expect(receiver, "a", [*numbered(0, 100), "new"])


def test_a_listing_that_fails_is_asked_again(receiver: Receiver, yard: Yard, caplog: pytest.LogCaptureFixture) -> None:
    yard.log("a")
    yard.write("a", "one\n")
    answers: list[Callable[[], list[JobLog]]] = [lambda: [][1], lambda: list(yard.logs.values())]
    shipper = Shipper(receiver.url, None, lambda: (answers.pop(0) if len(answers) > 1 else answers[0])(), QUICK)
    yard.shippers.append(shipper)
    shipper.start()
    expect(receiver, "a", ["one"])
    assert "IndexError" in caplog.text


# -- who may know what ------------------------------------------------------------------------------------------------

PASSWORD, TOKEN = "p%40ss-canary", "token-canary"
SIGNED_IN = [
    (f"http://me:{PASSWORD}@", "", "Basic bWU6cEBzcy1jYW5hcnk="),
    ("http://me@", TOKEN, "Basic bWU6dG9rZW4tY2FuYXJ5"),
    ("http://", TOKEN, f"Bearer {TOKEN}"),
]


@pytest.mark.parametrize(("begin", "token", "header"), SIGNED_IN, ids=["password", "user and token", "token"])
def test_it_signs_in_and_tells_no_secret(
    yard: Yard, receiver: Receiver, caplog: pytest.LogCaptureFixture, begin: str, token: str, header: str
) -> None:
    caplog.set_level(logging.DEBUG)
    told = f"you said {header}, p@ss-canary, {PASSWORD}"
    receiver.obey(lambda push: refused(400, told) if push.lines == ["refused"] else refused(401, told))
    log = yard.log("a")
    yard.write("a", "refused\n")
    yard.ship(url=receiver.url.replace("http://", begin), token=token)
    wait_for("the refusal", lambda: "HTTP 400: you said" in caplog.text)
    yard.write("a", "one\n")
    wait_for("the other refusal", lambda: "HTTP 401: you said" in caplog.text)
    receiver.obey()
    expect(receiver, "a", ["one"])
    assert {push.headers["authorization"] for push in receiver.pushes} == {header}
    everything = caplog.text + log.path.with_name("shipped.json").read_text()
    for secret in (header.split()[1], *(["p@ss-canary", PASSWORD] if not token else [TOKEN])):
        assert secret not in everything


def test_without_credentials_none_are_sent_and_the_whole_address_is_taken_too(yard: Yard, receiver: Receiver) -> None:
    yard.log("a")
    yard.write("a", "one\n")
    yard.ship(url=f"{receiver.url}/loki/api/v1/push/")
    expect(receiver, "a", ["one"])
    assert "authorization" not in receiver.pushes[0].headers


@pytest.mark.parametrize(
    "url", ["loki:3100", "ftp://me:canary@loki", "http://", "http://me:canary@loki:port", "canary"]
)
def test_an_address_that_is_none_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(InvalidSetting) as raised:
        Shipper(url, None, list)
    assert raised.value.field == "TRAINYARD_LOKI_URL"
    assert "canary" not in str(raised.value)


def test_a_token_that_no_header_can_carry_is_refused_without_showing_it() -> None:
    with pytest.raises(InvalidSetting) as raised:
        Shipper("http://loki:3100", SecretStr("canary\r\nX: y"), list)
    assert "canary" not in str(raised.value)


def test_settings_show_neither(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # no .env
    monkeypatch.setenv("LOKI_URL", "http://me:canary@loki:3100")
    monkeypatch.setenv("TRAINYARD_LOKI_TOKEN", "canary")
    settings = load_settings()
    assert settings.loki_url
    assert settings.loki_url.get_secret_value() == "http://me:canary@loki:3100"
    assert "canary" not in repr(settings) + settings.model_dump_json()
    monkeypatch.setenv("LOKI_URL", "")
    assert not load_settings().loki_url
