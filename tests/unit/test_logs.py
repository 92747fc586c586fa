"""Reading logs: by range, from the end, as they grow, and over the hole where the middle was cut out."""

import asyncio
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainyard.logs.files import last_traceback, read_range, size, tail

MB = 1 << 20


def read_all(path: Path, limit: int, ended: bool = True) -> str:
    text, offset = "", 0
    while True:
        more, offset = read_range(path, offset, limit, ended=ended)
        if not more:
            return text
        text += more


@given(content=st.binary(max_size=400), limit=st.integers(1, 50))
def test_read_in_pieces_of_any_size_a_log_is_what_it_is_read_at_once(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, limit: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "output.log"
    path.write_bytes(content)
    assert read_all(path, limit) == content.decode(errors="replace")


@given(text=st.text(max_size=100), pieces=st.lists(st.integers(1, 9), max_size=40))
def test_a_follower_never_sees_half_a_character(
    tmp_path_factory: pytest.TempPathFactory, text: str, pieces: list[int]
) -> None:
    path = tmp_path_factory.mktemp("log") / "output.log"
    content, seen, offset = text.encode("utf-8", "replace"), "", 0
    with path.open("wb") as file:
        for length in [*pieces, len(content)]:
            file.write(content[file.tell() : file.tell() + length])
            file.flush()
            more, offset = read_range(path, offset, ended=False)
            seen += more
    assert seen == content.decode()


@settings(max_examples=60)
@given(
    before=st.binary(min_size=1, max_size=100),
    hole=st.integers(1, 200),
    after=st.binary(min_size=0, max_size=100),
    limit=st.integers(1, 60),
)
def test_the_hole_is_skipped_with_one_mark_whatever_the_pieces(
    tmp_path_factory: pytest.TempPathFactory, before: bytes, hole: int, after: bytes, limit: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "output.log"
    path.write_bytes(before + b"\0" * hole + after)
    cut = {"start": len(before), "end": len(before) + hole, "bytes": hole, "limit_mb": 64}
    path.with_name("cuts.json").write_text(json.dumps(cut))
    start = before.decode(errors="replace")
    mark = f"[trainyard] {hole / MB:.1f} MB of output were cut here (limit 64 MB; setting TRAINYARD_LOG_LIMIT_MB)\n"
    newline = "" if start.endswith("\n") else "\n"
    assert read_all(path, limit) == start + newline + mark + after.decode(errors="replace")


def test_who_was_reading_where_the_hole_is_now_goes_on_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "output.log"
    path.write_bytes(b"a" * 10 + b"\0" * 2 * MB + b"end\n")
    path.with_name("cuts.json").write_text(
        json.dumps({"start": 10, "end": 10 + 2 * MB, "bytes": 2 * MB, "limit_mb": 1})
    )
    text, offset = read_range(path, 10 + MB)
    assert text.startswith("[trainyard] 1.0 MB of output were cut here (limit 1 MB")
    assert text.endswith("\nend\n")
    assert offset == size(path)


def test_a_missing_log_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "output.log"
    assert read_range(path, 0) == ("", 0)
    assert read_range(path, 99) == ("", 99)
    assert tail(path, 10, 1000) == ""
    assert size(path) == 0


def test_a_line_of_10_mb_comes_in_bounded_pieces(tmp_path: Path) -> None:
    path = tmp_path / "output.log"
    path.write_bytes("한".encode() * (10 * MB // 3))
    text, offset = read_range(path, 0, limit=10**9)
    assert len(text.encode()) == offset
    assert MB - 3 <= offset <= MB
    assert len(tail(path, 40, 8192)) <= 8192


def test_tail_gives_whole_lines_and_the_end_of_a_progress_bar(tmp_path: Path) -> None:
    path = tmp_path / "output.log"
    path.write_bytes(b"first line\n 10%\r 50%\r100%\nsecond\r\nthird")
    assert tail(path, 10, 1000) == "first line\n100%\nsecond\r\nthird"
    assert tail(path, 2, 1000) == "second\r\nthird"
    assert tail(path, 10, 8) == "third"
    path.write_bytes(b"a\nb\nc\n")
    assert tail(path, 2, 1000) == "b\nc\n"


def test_the_tail_of_a_cut_log_begins_behind_the_hole(tmp_path: Path) -> None:
    path = tmp_path / "output.log"
    path.write_bytes(b"a\n" + b"\0" * 100 + b"z\n")
    path.with_name("cuts.json").write_text(json.dumps({"start": 2, "end": 102, "bytes": 100, "limit_mb": 64}))
    text = tail(path, 10, 1000)
    assert "\0" not in text
    assert text.endswith("TRAINYARD_LOG_LIMIT_MB)\nz\n")


async def collect(path: Path) -> list[str]:
    ended = False
    parts: list[str] = []

    async def write() -> None:
        nonlocal ended
        for part in ("one\n", "t", "wo\n"):
            await asyncio.sleep(0.05)
            with path.open("a") as file:
                file.write(part)
        ended = True

    writer = asyncio.create_task(write())
    offset = 0
    while True:
        over = ended  # before reading, as whoever follows a log must look
        text, offset = read_range(path, offset, ended=over)
        if text:
            parts.append(text)
        elif over:
            break
        await asyncio.sleep(0.01)
    await writer
    return parts


def test_following_ends_with_the_run_and_misses_nothing(tmp_path: Path) -> None:
    parts = asyncio.run(collect(tmp_path / "output.log"))
    assert "".join(parts) == "one\ntwo\n"
    assert len(parts) > 1


def test_the_last_traceback_ends_with_its_exception() -> None:
    text = (
        "Traceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 'a'\n\n"
        "During handling of the above exception, another exception occurred:\n\n"
        'Traceback (most recent call last):\n  File "a.py", line 3\n    x\nValueError: bad\nbye\n'
    )
    assert last_traceback(text) == 'Traceback (most recent call last):\n  File "a.py", line 3\n    x\nValueError: bad'
    syntax = '  File "/t/train.py", line 3\n    def (\n        ^\nSyntaxError: invalid syntax\n'
    assert last_traceback("hello\n" + syntax) == syntax.strip("\n")
    assert last_traceback("all is well\n") == ""
