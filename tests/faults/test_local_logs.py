"""Faults of a run's output, and of the disk that it is written to."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.real.localruns import Runs, is_gone, wait_for
from trainyard.contract.vocabulary import Reason
from trainyard.executors.base import LaunchFailed
from trainyard.logs.files import read_range, size, tail

MB = 1 << 20


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    with Runs(tmp_path, log_limit_mb=16) as runs:
        yield runs


def read_all(path: Path) -> Iterator[str]:
    offset = 0
    while True:
        text, offset = read_range(path, offset)
        if not text:
            return
        yield text


def test_f26_100_mb_of_output_that_nobody_reads_do_not_stop_a_training(runs: Runs) -> None:
    run = runs.start("""
        import sys
        for number in range(1_000_000):
            sys.stdout.write(f"{number:8d} " + "x" * 90 + "\\n")
        print("finished")
    """)
    runs.executor.close()  # nobody is there
    end = runs.end(run, seconds=60)
    assert end.exit_code == 0
    assert "finished" in end.tail
    assert size(runs.files(run).log) > 95 * MB


def test_f27_a_10_mb_line_binary_bytes_and_carriage_returns_do_no_harm(runs: Runs) -> None:
    run = runs.start("""
        import os, sys
        out = sys.stdout.buffer
        out.write(b"y" * 10_000_000 + b"\\n")
        out.write(bytes(range(256)) * 4000 + b"\\n")
        for number in range(10_000):
            out.write(b"%d%%\\r" % number)
        out.write(b"\\nlast line\\n")
    """)
    end = runs.end(run)
    assert end.exit_code == 0
    assert len(end.tail.encode()) < 5 * 8192
    assert "last line\n" in end.tail
    pieces = list(read_all(runs.files(run).log))
    assert max(map(len, pieces)) <= MB
    assert sum(piece.count("y") for piece in pieces) >= 10_000_000


def test_f28_a_flood_is_cut_with_a_mark_and_the_disk_stays_bounded(runs: Runs) -> None:
    run = runs.start("""
        import os, time
        os.write(1, b"the first line\\n")
        block = (b"f" * 99 + b"\\n") * 10_000
        began = time.monotonic()
        for number in range(300):
            os.write(1, block)
            time.sleep(max(0, began + number / 40 - time.monotonic()))  # 40 MB/s
        os.write(1, b"the last line\\n")
    """)
    log = runs.files(run).log
    shim = runs.shim(run)
    most_disk = most_memory = 0
    while not (runs.files(run).path / "exit.json").exists():
        most_disk = max(most_disk, log.stat().st_blocks * 512)
        with suppress(psutil.NoSuchProcess):  # it ends once it has said so
            most_memory = max(most_memory, shim.memory_info().rss)
        time.sleep(0.005)
    assert runs.end(run).exit_code == 0
    assert size(log) > 300_000_000
    assert most_disk < 48 * MB
    assert most_memory < 40 * MB
    assert log.stat().st_blocks * 512 <= 17 * MB
    text = "".join(read_all(log))
    assert "the first line\n" in text
    assert "the last line\n" in text
    assert text.count("MB of output were cut here (limit 16 MB; setting TRAINYARD_LOG_LIMIT_MB)") == 1
    assert "\0" not in text
    assert tail(log, 2, 8192).startswith("the last line\n")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("needs to mount a tmpfs: run as root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> None:
    with (folder / "filler").open("wb", buffering=0) as file:
        for step in (65536, 4096, 1):
            try:
                while file.write(b"\0" * step):
                    pass
            except OSError:
                continue


def test_f52_a_submit_to_a_full_disk_fails_with_that_reason(tmp_path: Path, small_disk: Path) -> None:
    with Runs(tmp_path, data_dir=small_disk) as runs:
        (small_disk / "runs").mkdir()
        fill(small_disk)
        with pytest.raises(LaunchFailed, match="is full") as failure:
            runs.start("pass")
        assert failure.value.reason is Reason.DISK_FULL
        (small_disk / "filler").unlink()
        assert runs.end(runs.start("pass")).exit_code == 0


def test_f52_a_disk_that_fills_up_under_a_run_is_named_as_the_cause(tmp_path: Path, small_disk: Path) -> None:
    with Runs(tmp_path, data_dir=small_disk) as runs:
        run = runs.start("""
            import time
            print("ready")
            while True:
                print("x" * 5000)
                time.sleep(0.0001)
        """)
        shim = runs.files(run).shim()
        assert shim is not None
        end = runs.end(run)
        assert end.exit_code == 1
        assert end.reason is Reason.DISK_FULL
        wait_for(lambda: is_gone(shim.pid), "the shim's end")


def test_f52_a_disk_filled_by_others_does_not_hide_how_a_run_ended(tmp_path: Path, small_disk: Path) -> None:
    with Runs(tmp_path, data_dir=small_disk) as runs:
        run = runs.start(f"""
            import os, time
            os.write(1, b"ready\\n")
            while not os.path.exists("{tmp_path}/go"):
                time.sleep(0.01)
        """)
        runs.wait_for_line(run, "\nready")
        fill(small_disk)
        (tmp_path / "go").touch()
        end = runs.end(run)
        assert (end.exit_code, end.reason) == (0, None)
        assert runs.files(run).log.stat().st_size > 0
