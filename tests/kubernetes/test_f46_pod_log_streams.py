"""F46: the stream of a pod's log is cut, falls silent, is rotated. Its file has no gap and no duplicate."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.kubernetes.test_cluster import kubeconfig, pod, wait_phase
from tests.real.backend import wait_for
from tests.real.cluster import OwnNamespace
from tests.real.wire import Wire
from trainyard.executors.kubernetes.api import Api
from trainyard.executors.kubernetes.podlog import CONTAINER, PodLog

# what a trainer prints, in about 6 s or until it is told to end; two streams, as print and a progress bar have them
PRINTS = r"""
import itertools, os, sys, time
for n in itertools.takewhile(lambda n: n < 600 or not os.path.exists("/tmp/end"), itertools.count()):
    os.write(1, b"line %d\n" % n)
    if n % 7 == 0:
        os.write(1, b"%d%%\r%d%%\r\n" % (n, n + 1))
    if n % 50 == 0 and n < 600:
        os.write(1, b"\x00\xff" + b"%d" % n * 20_000 + b"\n\n")
    time.sleep(0.01)
os.write(1, b"no newline at the end")
"""
MANY = 147_000  # lines, of 74 bytes as a node keeps them: hardly more than 10 MB, so that they stay in one file
WAITS = "import os, time\nwhile not os.path.exists('/tmp/{0}'): time.sleep(0.05)\n"


def printed(lines: int = 600) -> bytes:
    """What is left of it when containerd has written it down: it takes the `\r` at the end of a line for a part of
    the end."""
    said: list[bytes] = []
    for n in range(lines):
        said.append(b"line %d\n" % n)
        said += [b"%d%%\r%d%%\n" % (n, n + 1)] if n % 7 == 0 else []
        said += [b"\x00\xff" + b"%d" % n * 20_000 + b"\n\n"] if n % 50 == 0 and n < 600 else []
    return b"".join(said) + b"no newline at the end"


def numbered(first: int, behind: int) -> str:
    """A program's part that prints these lines, at once."""
    each = "b'number %06d of many of the same\\n' % n"
    return f"import os\nos.write(1, b''.join({each} for n in range({first}, {behind})))\n"


def numbers(first: int, behind: int) -> bytes:
    return b"".join(b"number %06d of many of the same\n" % n for n in range(first, behind))


@contextmanager
def wired(cluster: OwnNamespace, folder: Path) -> Generator[tuple[Wire, Api]]:
    """Our client behind a wire that can be cut."""
    server = urlsplit(cluster.api.server)
    wire = Wire((str(server.hostname), server.port or 443))
    config = kubeconfig(cluster, folder / "wired", server=f"{server.scheme}://127.0.0.1:{wire.port}")
    api = Api.connect(cluster.settings(kubeconfig=config))
    try:
        yield wire, api
    finally:
        api.close()
        wire.close()


def follow(api: Api, folder: Path, silence: float = 30.0) -> PodLog:
    log = PodLog.of_pod(api, "speaks", folder, "feed", 64, silence)
    log.start()
    return log


def begin(cluster: OwnNamespace, image: str, code: str) -> None:
    made = pod("speaks", image, code)
    made["spec"]["containers"][0]["name"] = CONTAINER
    cluster.api.create(made)


@pytest.fixture
def told(tmp_path: Path) -> Callable[[], bytes]:
    path = tmp_path / "output.log"
    return lambda: path.read_bytes() if path.exists() else b""


def test_f46_a_log_followed_from_before_the_pod_runs_is_whole(
    cluster: OwnNamespace, sklearn_image: str, tmp_path: Path, told: Callable[[], bytes]
) -> None:
    begin(cluster, sklearn_image, "open('/tmp/end', 'w')\n" + PRINTS)
    log = follow(cluster.api, tmp_path)
    wait_for("it to be drained", lambda: log.drained)
    log.close()
    assert told() == printed()


def test_f46_a_stream_that_is_cut_and_falls_silent_leaves_no_gap_and_no_duplicate(
    cluster: OwnNamespace, sklearn_image: str, tmp_path: Path, told: Callable[[], bytes]
) -> None:
    with wired(cluster, tmp_path) as (wire, api):
        begin(cluster, sklearn_image, PRINTS)
        log = follow(api, tmp_path, silence=1.0)
        for turn in range(8):
            before = len(told())
            wait_for("more of it", lambda before=before: len(told()) > before)
            if turn % 4 == 3:
                wire.hold()
                wait_for("more to be said", lambda: len(kept(cluster)) > len(told()) + 1000)
                wire.mend()
            else:
                wire.interrupt()
        cluster.kubectl("exec", "speaks", "--", "touch", "/tmp/end")
        wait_phase(cluster, "speaks", "Succeeded")
        lines = kept(cluster).removesuffix(b"no newline at the end").count(b"line ")
        log.pod_ended()
        wait_for("it to be drained", lambda: log.drained)
        log.close()
    assert told() == printed(lines)


def test_f46_another_process_goes_on_in_the_middle_of_a_line(
    cluster: OwnNamespace, sklearn_image: str, tmp_path: Path, told: Callable[[], bytes]
) -> None:
    half = "import os\nos.write(1, b'x' * 50_000)\n"
    begin(cluster, sklearn_image, half + WAITS.format("go") + half + "os.write(1, b'\\nend\\n')")
    first = follow(cluster.api, tmp_path)
    wait_for("its first two parts", lambda: len(told()) == 32_768)
    first.close()
    cluster.kubectl("exec", "speaks", "--", "touch", "/tmp/go")
    wait_phase(cluster, "speaks", "Succeeded")
    second = follow(cluster.api, tmp_path)
    wait_for("it to be drained", lambda: second.drained)
    second.close()
    assert told() == b"x" * 100_000 + b"\nend\n"


def test_f46_a_log_that_the_kubelet_rotates_goes_on(
    cluster: OwnNamespace, sklearn_image: str, tmp_path: Path, told: Callable[[], bytes]
) -> None:
    """10 MB is what kubelets keep in one file; a moment later they begin another."""
    first = numbers(0, MANY)
    code = numbered(0, MANY) + WAITS.format("go") + numbered(MANY, MANY + 100) + WAITS.format("end")
    with wired(cluster, tmp_path) as (wire, api):
        begin(cluster, sklearn_image, code)
        log = follow(api, tmp_path, silence=2.0)
        wait_phase(cluster, "speaks", "Running")
        log.pod_started()  # as the executor says it: whoever asks late finds the first file gone
        wait_for("what is in the first file", lambda: told() == first)
        wait_for("the rotation", lambda: not kept(cluster, limitBytes="1"))
        wire.interrupt()
        cluster.kubectl("exec", "speaks", "--", "touch", "/tmp/go")
        wait_for("what is in the second file", lambda: told().endswith(numbers(MANY, MANY + 100)))
        cluster.kubectl("exec", "speaks", "--", "touch", "/tmp/end")
        wait_phase(cluster, "speaks", "Succeeded")
        log.pod_ended()
        wait_for("it to be drained", lambda: log.drained)
        log.close()
    ours = b"lines may be missing here"
    assert b"".join(line for line in told().splitlines(keepends=True) if ours not in line) == numbers(0, MANY + 100)


def kept(cluster: OwnNamespace, **query: str) -> bytes:
    """What the kubelet still has."""
    with cluster.api.log("speaks", {"container": CONTAINER} | query, 60) as pieces:
        return b"".join(pieces)


def test_f46_a_deleted_pods_log_is_drained(
    cluster: OwnNamespace, sklearn_image: str, tmp_path: Path, told: Callable[[], bytes]
) -> None:
    begin(cluster, sklearn_image, "print('here', flush=True)\n" + WAITS.format("never"))
    log = follow(cluster.api, tmp_path)
    wait_for("its line", lambda: told() == b"here\n")
    assert not log.drained
    cluster.api.delete("Pod", "speaks")
    wait_for("it to be drained", lambda: log.drained)
    log.close()
    assert told() == b"here\n"
