"""Where webhooks may lead, and how what they carry is signed."""

import asyncio
import ipaddress
import json
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.unit.jobs_made import a_job
from tests.unit.test_docs import SETTINGS
from trainyard.contract.vocabulary import State
from trainyard.errors import InvalidInput
from trainyard.settings import Settings
from trainyard.webhooks.addresses import Forbidden, check, resolve, target_of
from trainyard.webhooks.message import body_of, headers_of, secret_of
from trainyard.webhooks.model import Delivery
from trainyard.webhooks.service import MOST_TRIES, PAUSES

NEVER = [
    "169.254.169.254", "0.0.0.0", "224.0.0.1", "255.255.255.255", "240.0.0.1", "100.100.100.200", "::", "ff02::1",
    "fe80::1", "fd00:ec2::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1",
    "192.0.0.192", "::ffff:192.0.0.192",
    # what stands for an address of the old kind where nobody can tell, or need, which
    "64:ff9b:1::a9fe:a9fe", "64:ff9b:1:a9fe:a9:fe00::", "64:ff9b:1::101:101", "::ffff:0:a9fe:a9fe",
    "::ffff:0:7f00:1", "::ffff:0:101:101", "::a9fe:a9fe", "::7f00:1", "::101:101",
]  # fmt: skip
PRIVATE = [
    "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "::1", "fd12::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "192.0.2.1",
    "192.0.0.9", "192.0.0.100", "64:ff9b::c000:64", "fec0::1", "feff::1",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
DELIVERY = Delivery("dl-1", "wh-1", "job-x", 1.0, 1, None, None, None, None, "")


@pytest.mark.parametrize("text", NEVER)
def test_some_addresses_are_never_called(text: str) -> None:
    for private in (True, False):
        with pytest.raises(Forbidden):
            check(ipaddress.ip_address(text), private)


@pytest.mark.parametrize("text", PRIVATE)
def test_private_addresses_need_a_setting(text: str) -> None:
    check(ipaddress.ip_address(text), private=True)
    with pytest.raises(Forbidden, match=r"this machine|private network"):
        check(ipaddress.ip_address(text), private=False)


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_may_be_called(text: str) -> None:
    check(ipaddress.ip_address(text), private=False)


def test_an_address_is_taken_apart_and_put_together_for_the_one_that_was_judged() -> None:
    target = target_of("https://hooks.example:8443/a/b?c=d")
    assert (target.host, target.port, target.path, target.host_header) == (
        "hooks.example",
        8443,
        "/a/b?c=d",
        "hooks.example:8443",
    )
    assert target.at(ipaddress.ip_address("1.2.3.4")) == "https://1.2.3.4:8443/a/b?c=d"
    assert target.at(ipaddress.ip_address("2606::1")) == "https://[2606::1]:8443/a/b?c=d"
    assert target_of("http://h").host_header == "h"
    assert target_of("http://h").path == "/"
    assert target_of("http://[::1]:81/").host_header == "[::1]:81"


@pytest.mark.parametrize(
    "url",
    ["ftp://h/", "http://", "http://:80/", "http://u@h/", "http://u:p@h/", "http://h:0/", "http://h:70000/",
     "http://[::1/", "http://h/#x", "http://h%00.example/", "http://한글.example/", "h/path", "http://h\\@evil/"],
)  # fmt: skip
def test_what_is_no_address_of_a_web_server_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        target_of(url)


def test_a_name_with_one_forbidden_address_is_refused_altogether(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that answer with a public address first and a private one next are how guards are passed."""

    def answers(*addresses: str) -> None:
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in addresses]

        def told(*_args: Any, **_given: Any) -> list[Any]:
            return found

        monkeypatch.setattr(socket, "getaddrinfo", told)

    answers("1.1.1.1", "1.0.0.1", "1.1.1.1")
    target = target_of("http://two.example/")
    assert [str(one) for one in asyncio.run(resolve(target, private=False))] == ["1.1.1.1", "1.0.0.1"]
    answers("1.1.1.1", "127.0.0.1")
    with pytest.raises(Forbidden):
        asyncio.run(resolve(target, private=False))


def test_a_name_server_that_is_silent_holds_up_nothing_but_webhooks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams, logs and the database's readers share the loop's own threads."""
    answered = threading.Event()

    def silent(*_args: Any, **_given: Any) -> list[Any]:
        answered.wait(20)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("1.1.1.1", 80))]

    async def others_go_on() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        waiting = [asyncio.create_task(resolve(target_of("http://silent.example/"), False)) for _ in range(9)]
        await asyncio.sleep(0)
        try:
            assert await asyncio.wait_for(asyncio.to_thread(lambda: "done"), 10) == "done"
            assert not any(one.done() for one in waiting)
        finally:
            answered.set()
        assert {str(address) for [address] in await asyncio.gather(*waiting)} == {"1.1.1.1"}

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    asyncio.run(others_go_on())


@pytest.mark.parametrize(
    ("given", "private"),
    [
        ({}, True),
        ({"host": "::1"}, True),
        ({"host": "0.0.0.0"}, False),
        ({"public_url": "https://trainyard.example"}, False),
        ({"allowed_hosts": "trainyard.example"}, False),
        ({"host": "0.0.0.0", "webhook_private": "true"}, True),
        ({"webhook_private": "false"}, False),
    ],
)
def test_private_ones_are_for_installations_of_one_machine(given: dict[str, str], private: bool) -> None:
    assert Settings(_env_file=None, **given).private_webhooks is private  # type: ignore[call-arg]


def test_receivers_that_do_as_the_page_says_know_ours_from_others() -> None:
    code = re.search(r"```python\n(.*?)```", SETTINGS.read_text().partition("## Webhooks")[2], re.DOTALL)
    assert code is not None
    page: dict[str, Any] = {}
    exec(code[1], page)
    secret, now = secret_of("key", "wh-1"), int(time.time())
    body = body_of(
        DELIVERY, a_job(state=State.SUCCEEDED, name="한글", finished_at=5.0), {"loss": {"last": "NaN"}}, "http://b"
    )
    headers = headers_of(DELIVERY, secret, now, body)
    assert page["is_genuine"](secret, headers, body)
    assert not page["is_genuine"](secret_of("key", "wh-2"), headers, body)
    assert not page["is_genuine"](secret_of("other", "wh-1"), headers, body)
    assert not page["is_genuine"](secret, headers, body + b" ")
    assert not page["is_genuine"](secret, headers | {"X-Trainyard-Timestamp": str(now + 1)}, body)
    assert not page["is_genuine"](secret, headers_of(DELIVERY, secret, now - 3_600, body), body)
    told = json.loads(body)
    assert (told["at"], told["job"]["name"], told["job"]["metrics"]) == (5.0, "한글", {"loss": {"last": "NaN"}})


def test_eight_tries_fit_into_a_day() -> None:
    assert MOST_TRIES == 8
    assert 12 * 3600 < sum(PAUSES) < 24 * 3600
