"""A pod's log in a file, against a real server on loopback that cuts, drops, rotates, floods and refuses."""

import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.real.backend import wait_for
from tests.unit.kubelet_made import SECOND, START, Kubelet, api_of, kubelet, lines, seconds, told
from trainyard.executors.kubernetes import podlog
from trainyard.executors.kubernetes.loglines import Lines, Place
from trainyard.executors.kubernetes.podlog import PodLog
from trainyard.logs.files import read_cut, read_range

MB = 1 << 20
Follow = Callable[..., PodLog]


@pytest.fixture
def server() -> Iterator[Kubelet]:
    with kubelet() as made:
        yield made


@pytest.fixture
def follow(server: Kubelet, tmp_path: Path) -> Iterator[Follow]:
    """Begins to follow the server's log into `tmp_path`."""
    with api_of(server.url) as api, ExitStack() as after:

        def begin(silence: float = 30.0) -> PodLog:
            log = PodLog.of_pod(api, "job-x-0", tmp_path, "feed", 64, silence)
            after.callback(log.close)
            log.start()
            log.start()
            return log

        yield begin


@pytest.fixture
def written(tmp_path: Path) -> Callable[[], bytes]:
    path = tmp_path / "output.log"
    return lambda: path.read_bytes() if path.exists() else b""


def told_again(place: Place, entries: list[tuple[int, bytes]]) -> bytes:
    return told(entries, seconds(place.since))


# -- lines, without a server ------------------------------------------------------------------------------------------

AWKWARD = [
    (START + SECOND - 2, b"before the second\n"),
    (START + SECOND, b"same\n"),
    (START + SECOND, b"same\n"),
    (START + SECOND, b"same\n"),
    (START + SECOND + 7, b"stdout was written before\n"),
    (START + SECOND - 1, b"stderr, although it is older\n"),
    (START + SECOND + 8, b"\n"),
    (START + SECOND + 9, b"\x00\xff 50%\r 100%\r\n"),
    (START + 2 * SECOND - 3, b"a long line "),
    (START + 2 * SECOND + 5, b"that goes on in the next second "),
    (START + 3 * SECOND + 6, b"and ends in the one after it\n"),
    (START + 3 * SECOND + 6, b"2026-09-21T12:53:20.000000001Z is what it printed itself\n"),
    (START + 90 * SECOND, b"no end"),
]


def test_a_log_that_is_cut_anywhere_goes_on_with_the_next_byte() -> None:
    whole, expected = told(AWKWARD), b"".join(text for _, text in AWKWARD)
    for cut in range(len(whole) + 1):
        first = Lines(Place())
        begun = first.feed(whole[:cut])
        assert expected.startswith(begun)
        again = Lines(first.place)
        assert begun + again.feed(told_again(first.place, AWKWARD)) == expected, f"cut at {cut}"
        assert not again.lost


def test_a_log_that_comes_in_pieces_of_any_size_is_the_same() -> None:
    whole, expected = told(AWKWARD), b"".join(text for _, text in AWKWARD)
    for size in (1, 2, 3, 7, 30, 31, 32, 100):
        read = Lines(Place())
        got = b"".join(read.feed(whole[at : at + size]) for at in range(0, len(whole), size))
        assert got == expected
        again = Lines(read.place)
        once_more = told_again(read.place, AWKWARD)
        assert b"".join(again.feed(once_more[at : at + size]) for at in range(0, len(once_more), size)) == b""


def test_what_the_kubelet_says_itself_is_no_part_of_the_log() -> None:
    words = b"failed to create fsnotify watcher: too many open files\n"
    read = Lines(Place())
    assert read.feed(told(lines(1)) + words + told(lines(1, first=1)) + b"rpc error: code = NotFound, and more") == (
        b"line 0\nline 1\n"
    )
    assert Lines(read.place).feed(b"unable to retrieve container logs for containerd://abc") == b""


def test_timestamps_of_another_zone_are_in_order_too() -> None:
    read = Lines(Place())
    read.feed(b"2026-10-25T02:59:59.900000000+02:00 before the clock went back\n")
    assert read.place.since == "2026-10-25T00:59:58Z"
    again = b"2026-10-25T02:59:59.900000000+02:00 before the clock went back\n2026-10-25T02:00:00.1+01:00 after\n"
    assert Lines(read.place).feed(again) == b"after\n"


# -- a server that behaves, and one that does not ---------------------------------------------------------------------


def test_a_log_arrives_as_it_was_printed_and_is_drained_when_it_ends(
    server: Kubelet, follow: Follow, written: Callable[[], bytes]
) -> None:
    server.say(AWKWARD[:4])
    log = follow()
    wait_for("the first lines", lambda: written() == server.text)
    assert not log.drained
    server.say(AWKWARD[4:], end=True)
    wait_for("it to be drained", lambda: log.drained)
    assert written() == server.text
    assert server.queries[0] == {
        "path": "/api/v1/namespaces/trains/pods/job-x-0/log",
        "container": "trainer",
        "follow": "true",
        "timestamps": "true",
    }


@pytest.mark.parametrize("tell", [PodLog.pod_started, PodLog.pod_ended])
def test_told_of_its_container_it_asks_at_once(
    tell: Callable[[PodLog], None],
    server: Kubelet,
    follow: Follow,
    written: Callable[[], bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(podlog, "_FIRST_PAUSE", 60.0)
    server.always = (400, 'container "trainer" in pod "job-x-0" is waiting to start: ContainerCreating')
    log = follow()
    wait_for("its first try", lambda: server.queries)
    server.say(lines(3))
    server.always = None
    tell(log)
    wait_for("the lines", lambda: written() == server.text, 10)


def test_told_of_the_end_it_reads_the_rest_at_once(
    server: Kubelet, follow: Follow, written: Callable[[], bytes]
) -> None:
    server.silent_at = [60]
    server.say(lines(50), end=True)
    log = follow()  # its first connection hangs for as long as the silence: 30 s
    wait_for("a line", lambda: written() != b"")
    begun = time.monotonic()
    log.pod_ended()
    wait_for("it to be drained", lambda: log.drained, 5)
    assert time.monotonic() - begun < 5
    assert written() == server.text


def test_a_stream_that_is_cut_every_few_bytes_gives_the_whole_log(
    server: Kubelet, follow: Follow, written: Callable[[], bytes]
) -> None:
    server.cut_at = 1500
    server.say(lines(200, every=SECOND // 4, text="line {} with a little more to it"), end=True)
    log = follow()
    wait_for("it to be whole", lambda: written() == server.text, 30)
    assert len(server.queries) > 5
    server.cut_at = None
    wait_for("it to be drained", lambda: log.drained)
    assert written() == server.text


def test_a_connection_that_falls_silent_is_made_again(
    server: Kubelet, follow: Follow, written: Callable[[], bytes]
) -> None:
    server.silent_at = [0, 100, 333]
    server.say(lines(30), end=True)
    log = follow(silence=0.3)
    wait_for("it to be drained", lambda: log.drained)
    assert written() == server.text


def test_a_quiet_trainer_is_asked_again_and_again_and_nothing_comes_twice(
    server: Kubelet, follow: Follow, written: Callable[[], bytes]
) -> None:
    server.say(lines(5))
    log = follow(silence=0.1)
    wait_for("many connections", lambda: len(server.queries) > 8)
    assert written() == server.text
    assert not log.drained
    server.say(lines(5, first=5))
    wait_for("what came later", lambda: written() == server.text)


def test_answers_that_end_although_the_container_lives_do_not_end_the_log(
    server: Kubelet, follow: Follow, written: Callable[[], bytes]
) -> None:
    server.early_ends = 4
    log = follow()
    wait_for("a fifth answer", lambda: len(server.queries) == 5)
    server.say(lines(3))
    wait_for("the lines", lambda: written() == server.text)
    assert not log.drained


def test_a_log_that_was_rotated_meanwhile_says_where_lines_may_be_missing(
    server: Kubelet, follow: Follow, written: Callable[[], bytes]
) -> None:
    server.say(lines(20))
    follow()
    wait_for("the first lines", lambda: written() == server.text)
    server.shut()
    server.say(lines(30, first=20))
    server.rotate(keep=10)
    server.open(server.port)
    wait_for("the last lines", lambda: written().endswith(b"line 49\n"), 20)
    first, _, last = written().partition(b"[TRACE:feed] [trainyard] ")
    assert first == b"".join(b"line %d\n" % n for n in range(20))
    mark, _, rest = last.partition(b"\n")
    assert b"lines may be missing here" in mark
    assert rest == b"".join(b"line %d\n" % n for n in range(40, 50))


def test_an_api_server_that_is_away_is_waited_for(
    server: Kubelet, follow: Follow, written: Callable[[], bytes]
) -> None:
    server.say(lines(10))
    log = follow()
    wait_for("the first lines", lambda: written() == server.text)
    server.shut()
    server.say(lines(10, first=10), end=True)
    server.refuses = [(503, "etcd is away"), (500, "oops"), (401, "who are you?"), (429, "later")]
    server.open(server.port)
    wait_for("it to be drained", lambda: log.drained, 30)
    assert written() == server.text


def test_a_container_that_waits_to_start_is_asked_again_soon(
    server: Kubelet, follow: Follow, written: Callable[[], bytes]
) -> None:
    server.refuses = [(400, 'container "trainer" in pod "x" is waiting to start: ContainerCreating')] * 3
    server.say(lines(2), end=True)
    log = follow()
    wait_for("it to be drained", lambda: log.drained, 10)
    assert written() == server.text


def test_a_pod_that_is_gone_has_no_more_to_say(server: Kubelet, follow: Follow, written: Callable[[], bytes]) -> None:
    server.say(lines(4))
    log = follow(silence=0.2)
    wait_for("the lines", lambda: written() == server.text)
    server.always = (404, 'pods "job-x-0" not found')
    wait_for("it to be drained", lambda: log.drained)
    assert written() == server.text


def test_a_node_that_does_not_know_the_pod_yet_is_asked_again(
    server: Kubelet, follow: Follow, written: Callable[[], bytes]
) -> None:
    server.refuses = [(404, "the server could not find the requested resource ( pods/log job-x-0)")] * 2
    server.say(lines(4), end=True)
    log = follow()
    wait_for("the lines", lambda: written() == server.text)
    wait_for("it to be drained", lambda: log.drained)


@pytest.mark.parametrize("way", ["errors", "nobody listens", "silence"])
def test_an_ended_pod_whose_log_can_not_be_read_is_given_up(
    way: str, server: Kubelet, follow: Follow, written: Callable[[], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(podlog, "ENDED_SECONDS", 1.0)
    server.say(lines(4))
    log = follow()
    wait_for("the lines", lambda: written() == server.text)
    server.always = (500, "the kubelet does not answer") if way == "errors" else None
    server.silent_at = [0] * 9
    if way == "nobody listens":
        server.shut()
    assert not log.drained
    log.pod_ended()
    log.pod_ended()
    wait_for("it to be given up", lambda: log.drained, 4)
    assert written() == server.text
    if way == "nobody listens":
        server.open()


def test_another_follower_goes_on_where_one_let_go(
    server: Kubelet, follow: Follow, written: Callable[[], bytes]
) -> None:
    server.say(AWKWARD[:9])
    first = follow()
    wait_for("the lines", lambda: written() == server.text)
    first.close()
    assert not first.drained
    server.say(AWKWARD[9:], end=True)
    second = follow()
    wait_for("it to be drained", lambda: second.drained)
    assert written() == server.text
    assert server.queries[-1]["sinceTime"]


def test_what_was_written_and_not_noted_stays_when_the_pod_is_gone(
    server: Kubelet, follow: Follow, written: Callable[[], bytes], tmp_path: Path
) -> None:
    (tmp_path / "output.log").write_bytes(b"line 0\nline 1\nlin")  # and no note: killed within its first half second
    server.say(lines(5), end=True)
    server.always = (404, "gone")
    log = follow()
    log.pod_ended()
    wait_for("it to be drained", lambda: log.drained)
    assert written() == b"line 0\nline 1\nlin"
    log.close()
    server.always = None
    again = follow()
    wait_for("it to be drained", lambda: again.drained)
    assert written() == server.text


def test_threads_and_descriptors_are_given_back(server: Kubelet, follow: Follow) -> None:
    def open_files() -> int:
        return sum(1 for one in Path("/proc/self/fd").iterdir() if "output.log" in _target(one))

    server.say(lines(5))
    logs = [follow(silence=0.2) for _ in range(5)]
    wait_for("the logs to be open", lambda: open_files() == 5)
    for log in logs:
        log.close()
    assert open_files() == 0
    wait_for("the threads to end", lambda: not [t for t in threading.enumerate() if t.name.startswith("pod-log")])


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


# -- much of it -------------------------------------------------------------------------------------------------------


def test_a_line_of_ten_megabytes_arrives_whole_although_it_is_cut(
    server: Kubelet, follow: Follow, written: Callable[[], bytes]
) -> None:
    parts = [(START + SECOND + n * SECOND // 40, os.urandom(16_384).replace(b"\n", b"\r")) for n in range(640)]
    server.silent_at = [3_000_001]
    server.say([*lines(3), *parts, (START + 20 * SECOND, b"\n"), *lines(3, first=300)], end=True)
    log = follow(silence=1.0)
    wait_for("it to be drained", lambda: log.drained, 30)
    assert written() == server.text
    assert len(server.queries) > 2


FOLLOWER = """
import resource, sys, time
from contextlib import ExitStack
from pathlib import Path
from tests.unit.kubelet_made import api_of
from trainyard.executors.kubernetes.podlog import PodLog

url, folder, limit_mb, most = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
if most:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
with api_of(url) as api:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    log = PodLog.of_pod(api, "job-x-0", folder, "feed", limit_mb)
    log.start()
    while not log.drained:
        time.sleep(0.05)
        if most and (folder / "output.log").exists() and (folder / "output.log").stat().st_size == most:
            time.sleep(1)
            assert (folder / "output.log").stat().st_size == most
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
            most = 0
    log.close()
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def followed_elsewhere(server: Kubelet, folder: Path, limit_mb: int = 64, most: int = 0) -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", textwrap.dedent(FOLLOWER), server.url, str(folder), str(limit_mb), str(most)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


def test_a_flood_is_cut_in_the_middle_and_takes_little_memory(server: Kubelet, tmp_path: Path) -> None:
    says = "line {} of a flood that says nothing but this, a hundred times over"
    server.say(lines(200_000, every=SECOND // 20_000, text=says))
    server.ended = True
    process = followed_elsewhere(server, tmp_path, limit_mb=2)
    most_on_disk = 0
    while process.poll() is None:
        path = tmp_path / "output.log"
        most_on_disk = max(most_on_disk, path.stat().st_blocks * 512 if path.exists() else 0)
        time.sleep(0.02)
    grown, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert int(grown) < 40, "megabytes of memory"
    assert MB < most_on_disk < 3 * MB
    assert (tmp_path / "output.log").stat().st_size == len(server.text)
    text, offset = "", 0
    while (more := read_range(tmp_path / "output.log", offset))[0]:
        text, offset = text + more[0], more[1]
    assert text.startswith("line 0 of")
    assert text.endswith("line 199999 of a flood that says nothing but this, a hundred times over\n")
    assert text.count("MB of output were cut here (limit 2 MB") == 1
    assert read_cut(tmp_path / "output.log") is not None


def test_killed_again_and_again_the_file_becomes_the_whole_log(server: Kubelet, tmp_path: Path) -> None:
    stop = threading.Event()

    def prints() -> None:
        number = 0
        while not stop.is_set() and number < 200_000:
            server.say(lines(20, first=number, every=SECOND // 3000))
            number += 20
            stop.wait(0.005)

    printer = threading.Thread(target=prints)
    printer.start()
    path = tmp_path / "output.log"
    seen = b""
    try:
        for _ in range(4):
            before = len(seen)
            process = followed_elsewhere(server, tmp_path)
            wait_for("more of it", lambda before=before: path.exists() and path.stat().st_size > before + 3000, 20)
            process.kill()
            process.communicate(timeout=10)
            now = path.read_bytes()
            assert now.startswith(seen), "what readers saw has changed"
            seen = now
            assert server.text.startswith(seen)
    finally:
        stop.set()
        printer.join()
    server.say([], end=True)
    process = followed_elsewhere(server, tmp_path)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert path.read_bytes() == server.text


def test_a_full_disk_stops_the_log_and_nothing_is_missing_when_there_is_room_again(
    server: Kubelet, tmp_path: Path
) -> None:
    server.say(lines(50_000), end=True)
    process = followed_elsewhere(server, tmp_path, most=200_000)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert (tmp_path / "output.log").read_bytes() == server.text
