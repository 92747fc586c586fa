"""A stream of events that breaks goes on with its Last-Event-ID: every event comes once, whatever cut it off."""

import json
import random
import socket
import struct
from typing import Any

import pytest

from tests.faults.yard import Yard
from tests.real.backend import TOKEN

EPOCHS = 120
ENDS = ("SUCCEEDED", "FAILED", "CANCELLED")


class Reader:
    """A browser's EventSource in plain: it keeps whole events only, and knows the last one it had."""

    def __init__(self, yard: Yard, job: str) -> None:
        self.events: list[dict[str, Any]] = []
        self.connections = 0
        self._address, self._job = ("127.0.0.1", yard.port), job

    @property
    def ended(self) -> bool:
        return any(one["data"].get("to") in ENDS for one in self.events)

    def connect(self, *, buffer: int = 0) -> socket.socket:
        self.connections += 1
        one = socket.socket()
        if buffer:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        one.settimeout(90)
        one.connect(self._address)
        last = self.events[-1]["id"] if self.events else 0
        lines = [f"GET /v1/events?job_id={self._job} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {TOKEN}"]
        one.sendall("\r\n".join([*lines, f"Last-Event-ID: {last}", "", ""]).encode())
        return one

    def read(self, one: socket.socket, most: int) -> None:
        """So many bytes at most, then the connection is reset: mostly within an event."""
        data = b""
        with one:
            while len(data) < most and (piece := one.recv(min(4096, most - len(data)))):
                data += piece
                if any(f'"to":"{end}"'.encode() in data for end in ENDS) and data.endswith(b"\n\r\n"):
                    break
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        head, _, body = data.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200") or not head
        whole = unchunked(body)
        for frame in whole[: whole.rfind(b"\n\n") + 1].split(b"\n\n"):
            for line in frame.split(b"\n"):
                if line.startswith(b"data: "):
                    self.events.append(json.loads(line[6:]))


def unchunked(body: bytes) -> bytes:
    """Without the sizes that HTTP puts between; the last piece may be cut."""
    whole = b""
    while b"\r\n" in body:
        size, _, body = body.partition(b"\r\n")
        length = int(size or b"0", 16)
        whole, body = whole + body[:length], body[length + 2 :]
    return whole


def told(yard: Yard, job: str) -> list[int]:
    return [one["id"] for one in yard.events(job)]


@pytest.mark.parametrize("most", [300, 3_000])
def test_f48_a_stream_cut_again_and_again_has_no_gap_and_nothing_twice(yard_on: Yard, most: int) -> None:
    chance = random.Random(most)
    job = yard_on.submit(epochs=EPOCHS, epoch_seconds=0.02)
    reader = Reader(yard_on, job)
    while not reader.ended:
        reader.read(reader.connect(), 600 + chance.randrange(most))
    known = told(yard_on, job)
    assert [one["id"] for one in reader.events] == known[: len(reader.events)]
    epochs = [one["data"]["epoch"] for one in reader.events if one["type"] == "heartbeat"]
    assert epochs == list(range(1, EPOCHS + 1))
    assert reader.connections > 5


def test_f48_whoever_was_away_hears_all_of_it_at_once(yard_on: Yard) -> None:
    job = yard_on.submit(epochs=EPOCHS, epoch_seconds=0)
    reader = Reader(yard_on, job)
    reader.read(reader.connect(), 700)
    yard_on.wait_closed(job)
    reader.read(reader.connect(), 10 << 20)
    assert reader.connections == 2
    assert [one["id"] for one in reader.events] == told(yard_on, job)[: len(reader.events)]
    assert reader.ended


def test_f48_a_restarted_backend_goes_on_with_the_same_numbers(yard_on: Yard) -> None:
    job = yard_on.submit(epochs=EPOCHS, epoch_seconds=0.05)
    reader = Reader(yard_on, job)
    reader.read(reader.connect(), 4_000)
    yard_on.kill()
    yard_on.start()
    while not reader.ended:
        reader.read(reader.connect(), 20_000)
    assert [one["id"] for one in reader.events] == told(yard_on, job)[: len(reader.events)]
    epochs = [one["data"]["epoch"] for one in reader.events if one["type"] == "heartbeat"]
    assert epochs == list(range(1, EPOCHS + 1))
