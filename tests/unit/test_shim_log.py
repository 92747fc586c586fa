"""The shim's side of a log: its limit, and its own lines."""

import os
from pathlib import Path

import pytest

from trainyard.executors.local.shim.log import JobLog
from trainyard.logs.files import read_cut, read_range

pytestmark = pytest.mark.skipif(os.name != "posix", reason="local runs need Linux or macOS")

MB = 1 << 20


def read_all(path: Path) -> str:
    text, offset = "", 0
    while True:
        more, offset = read_range(path, offset)
        if not more:
            return text
        text += more


@pytest.mark.parametrize("holes", [True, False], ids=["with holes", "on a file system without holes"])
def test_a_log_keeps_within_its_limit_and_its_first_and_last_lines(tmp_path: Path, holes: bool) -> None:
    log = JobLog(str(tmp_path), "feed", 2 * MB)
    if not holes:
        log.punch = lambda fd, start, length: False
    for number in range(200_000):
        log.write(b"line %d of this log with some more to it\n" % number)
        if number % 5_000 == 0:
            log._next_look = 0.0  # time passes
            log.keep_short()
    path = tmp_path / "output.log"
    assert path.stat().st_blocks * 512 < 3 * MB
    text = read_all(path)
    assert text.startswith("line 0 of")
    assert "line 199999 of" in text
    assert text.count("MB of output were cut here (limit 2 MB") == 1
    assert "\0" not in text
    cut = read_cut(path)
    assert cut is not None
    assert cut.dropped > 4 * MB
    os.close(log.fd)


def test_a_line_of_ours_never_continues_one_of_the_trainer(tmp_path: Path) -> None:
    log = JobLog(str(tmp_path), "feed", MB)
    log.write(b"no newline")
    log.say("hello")
    log.say("again")
    os.close(log.fd)
    assert (tmp_path / "output.log").read_text() == (
        "no newline\n[TRACE:feed] [trainyard] hello\n[TRACE:feed] [trainyard] again\n"
    )
