"""Job logs shipped to a receiver that checks Loki's push protocol: what is sent, and a Loki in trouble."""

import itertools
import logging
import os
import threading
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.real.backend import wait_for
from tests.real.loki import QUICK, Fate, Push, Receiver, Yard, expect, numbered, refused, text

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


# -- what is sent -----------------------------------------------------------------------------------------------------


def test_lines_come_as_they_are_with_labels_and_the_trace_id_beside_them(yard: Yard, receiver: Receiver) -> None:
    yard.log("a")
    yard.log("b")
    yard.ship()
    lines = ["[TRACE:trace-a] 학습 시작", "", " indented\t", "10%\r100%\r", '{"a": "\\"}', "nul \0 and \x1b[31mred"]
    yard.write("a", text(lines))
    yard.write("b", "other\n")
    expect(receiver, "a", lines)
    expect(receiver, "b", ["other"])
    (stream,) = [stream for key, stream in receiver.streams.items() if ("job_id", "a") in key]
    assert (("framework", "timm"), ("job_id", "a"), ("tier", "local")) in receiver.streams
    assert stream.metadata == [{"trace_id": "trace-a"}] * len(lines)


def test_a_line_is_sent_once_it_is_whole_and_the_last_one_at_the_end(yard: Yard, receiver: Receiver) -> None:
    yard.log("a")
    yard.ship()
    yard.write("a", "one\nhalf a l")
    expect(receiver, "a", ["one"])
    yard.write("a", "ine\nno newline at the end")
    expect(receiver, "a", ["one", "half a line"])
    yard.end("a")
    expect(receiver, "a", ["one", "half a line", "no newline at the end"])


def test_lines_too_long_for_loki_come_in_pieces(yard: Yard, receiver: Receiver) -> None:
    yard.log("a")
    long = "한" * (MB // 3)
    yard.write("a", f"before\n{long}")
    yard.ship()
    wait_for("the first pieces of a line without an end", lambda: len(receiver.lines("a")) > 3)
    yard.write("a", "!\nafter\n")
    wait_for("the line after it", lambda: receiver.lines("a")[-1:] == ["after"])
    got = receiver.lines("a")
    assert got[0] == "before"
    assert "".join(got[1:-1]) == long + "!"


def test_many_lines_travel_together_and_never_too_many(yard: Yard, receiver: Receiver) -> None:
    yard.log("a")
    lines = numbered(0, 60_000)
    yard.write("a", text(lines))
    yard.ship()
    expect(receiver, "a", lines)
    assert len(receiver.pushes) < len(text(lines)) / QUICK.batch + 3
    assert max(len(text(push.lines)) for push in receiver.pushes) <= 2 * QUICK.batch
    assert max(push.size for push in receiver.pushes) < 4 * MB


def test_single_lines_wait_for_each_other(yard: Yard, receiver: Receiver) -> None:
    yard.log("a")
    yard.ship(replace(QUICK, look=0.3))
    lines = numbered(0, 200)
    begun = time.monotonic()
    for line in lines:
        yard.write("a", f"{line}\n")
        time.sleep(0.005)  # the pace of a training, not a wait for something
    expect(receiver, "a", lines)
    assert len(receiver.pushes) <= (time.monotonic() - begun) / 0.3 + 2


def test_lines_of_yesterday_have_the_time_of_yesterday(yard: Yard, receiver: Receiver) -> None:
    log = yard.log("a")
    yard.write("a", "old\n")
    yesterday = time.time() - 86_400
    os.utime(log.path, (yesterday, yesterday))
    yard.end("a")
    yard.ship()
    expect(receiver, "a", ["old"])
    assert abs(int(receiver.pushes[0].streams[0]["values"][0][0]) / 1e9 - yesterday) < 1


# -- a Loki in trouble ------------------------------------------------------------------------------------------------


def test_an_outage_loses_and_repeats_nothing(yard: Yard, receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "trainyard")
    yard.log("a")
    yard.ship()
    yard.write("a", text(numbered(0, 100)))
    expect(receiver, "a", numbered(0, 100))
    receiver.shut()
    yard.write("a", text(numbered(100, 100)))
    wait_for("the word that it is away", lambda: "takes no logs: " in caplog.text)
    yard.write("a", text(numbered(200, 100)))
    receiver.open()
    expect(receiver, "a", numbered(0, 300))
    wait_for("the word that it is back", lambda: "takes logs again" in caplog.text)
    said = [record.levelname for record in caplog.records if record.name == "trainyard.logs.loki"]
    assert said == ["WARNING", "INFO"]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 401, 404])
def test_what_may_pass_is_tried_again_more_and_more_slowly(yard: Yard, receiver: Receiver, status: int) -> None:
    tries: list[float] = []

    def rule(push: Push) -> Fate:
        tries.append(push.at)
        return refused(status, "not now") if len(tries) < 6 else Fate()

    receiver.obey(rule)
    yard.log("a")
    yard.write("a", "one\ntwo\n")
    yard.ship()
    expect(receiver, "a", ["one", "two"])
    pauses = [after - before for before, after in itertools.pairwise(tries)]
    assert len(tries) == 6
    for number, pause in enumerate(pauses):
        assert pause >= QUICK.first_pause * min(2**number, 25)


def test_pauses_end_growing(yard: Yard, receiver: Receiver) -> None:
    receiver.obey(lambda _: refused(503))
    yard.log("a")
    yard.write("a", "one\n")
    yard.ship(replace(QUICK, longest_pause=0.04))
    wait_for("many tries", lambda: len(receiver.pushes) > 20)
    receiver.obey()
    expect(receiver, "a", ["one"])


@pytest.mark.parametrize("status", [400, 413])
def test_what_loki_will_never_take_is_dropped_with_one_warning(
    yard: Yard, receiver: Receiver, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    receiver.obey(lambda push: refused(status, "entry too far behind") if "old" in push.lines[0] else Fate())
    yard.log("a")
    yard.ship()
    for number in range(3):
        yard.write("a", f"old {number}\n")
        wait_for("its refusal", lambda seen=number: len(receiver.pushes) > seen)
    yard.write("a", "new\n")
    expect(receiver, "a", ["new"])
    assert len(receiver.pushes) == 4
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warnings == [f"Loki refuses lines, which are not sent again: HTTP {status}: entry too far behind"]


def test_an_answer_that_comes_too_late_repeats_no_line(yard: Yard, receiver: Receiver) -> None:
    """The push was taken, nobody knows: it is sent again, now with the lines that came since."""
    pushes: list[Push] = []

    def rule(push: Push) -> Fate:
        pushes.append(push)
        return Fate(delay=0.6) if len(pushes) == 1 else Fate()

    receiver.obey(rule)
    yard.log("a")
    yard.write("a", text(numbered(0, 50)))
    yard.ship(replace(QUICK, answer=0.2))
    wait_for("the first push", lambda: pushes)
    yard.write("a", text(numbered(50, 50)))
    expect(receiver, "a", numbered(0, 100))
    assert pushes[1].lines[:50] == pushes[0].lines


def test_a_log_that_loki_cannot_take_holds_up_no_other(yard: Yard, receiver: Receiver) -> None:
    receiver.obey(lambda push: refused(500) if push.job_id == "a" else Fate())
    yard.log("a")
    yard.log("b")
    yard.write("a", "poison\n")
    yard.write("b", text(numbered(0, 100)))
    yard.ship()
    expect(receiver, "b", numbered(0, 100))
    yard.write("b", text(numbered(100, 100)))
    expect(receiver, "b", numbered(0, 200))
    assert receiver.lines("a") == []


def test_a_log_that_cannot_be_read_holds_up_no_other(
    yard: Yard, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    broken = yard.log("a")
    broken.path.mkdir()
    (broken.path / "a file").touch()
    yard.log("b")
    yard.write("b", "one\n")
    yard.ship()
    expect(receiver, "b", ["one"])
    assert "a log could not be shipped to Loki" in caplog.text
    assert "IsADirectoryError" in caplog.text


def test_a_flood_during_an_outage_costs_no_memory(yard: Yard, receiver: Receiver) -> None:
    receiver.obey(lambda _: refused(503))
    lines = [f"line {number} {'x' * 200}" for number in range(150_000)]
    yard.log("a")
    yard.write("a", text(lines))
    tracemalloc.start()
    try:
        yard.ship(replace(QUICK, longest_pause=0.04))
        wait_for("some tries", lambda: len(receiver.pushes) > 5)
        own = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*/trainyard/logs/*")])
    finally:
        tracemalloc.stop()
    assert sum(trace.size for trace in own.traces) < 4 * MB
    receiver.obey()
    wait_for("the whole flood", lambda: len(receiver.lines("a")) == len(lines))
    assert receiver.lines("a") == lines


def test_closing_waits_for_no_loki_that_hangs(yard: Yard, receiver: Receiver) -> None:
    asked, closed, answered = threading.Event(), threading.Event(), threading.Event()

    def rule(_: Push) -> Fate:
        asked.set()
        closed.wait(30)
        answered.set()
        return Fate()

    receiver.obey(rule)
    yard.log("a")
    yard.write("a", "one\n")
    shipper = yard.ship()
    wait_for("the push that hangs", asked.is_set)
    shipper.close()
    assert not answered.is_set()
    closed.set()
