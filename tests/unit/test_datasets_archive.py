"""Hostile and broken zips: each is refused with the entry's name, in bounded time and memory."""

import io
import random
import stat
import struct
import subprocess
import sys
import textwrap
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trainyard.datasets.archive import clean_name
from trainyard.datasets.inspect import inspect
from trainyard.errors import InvalidInput

LIMIT = 10**10
GOOD = {"cat/1.jpg": b"c" * 50, "dog/1.jpg": b"d" * 50}


def zip_of(files: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def with_entry(info: zipfile.ZipInfo, content: bytes = b"x") -> bytes:
    buffer = io.BytesIO(zip_of(GOOD))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(info, content)
    return buffer.getvalue()


def renamed(good: str, bad: bytes) -> bytes:
    """A zip with a name that zipfile would not write, put in afterwards in both places."""
    data = zip_of({**GOOD, good: b"x"})
    assert len(good) == len(bad)
    return data.replace(good.encode(), bad)


def symlink() -> bytes:
    info = zipfile.ZipInfo("cat/link.jpg")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return with_entry(info, b"/etc/passwd")


def device() -> bytes:
    info = zipfile.ZipInfo("cat/dev.jpg")
    info.create_system, info.external_attr = 3, (stat.S_IFCHR | 0o666) << 16
    return with_entry(info)


def encrypted() -> bytes:
    data = bytearray(zip_of(GOOD))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + place] |= 1
    return bytes(data)


def duplicated() -> bytes:
    return renamed("cat/2.jpg", b"cat/1.jpg")


def directory_says_another_name() -> bytes:
    data = zip_of(GOOD)
    at = data.rindex(b"dog/1.jpg")
    return data[:at] + b"dog/9.jpg" + data[at + 9 :]


def directory_says_another_size() -> bytes:
    data = bytearray(zip_of(GOOD))
    at = data.rindex(b"PK\x01\x02")
    data[at + 20 : at + 28] = struct.pack("<LL", 49, 49)
    return bytes(data)


def bomb() -> bytes:
    return zip_of({**GOOD, "cat/big.jpg": bytes(150 * 1024 * 1024)}, zipfile.ZIP_DEFLATED)


def impossible_ratio() -> bytes:
    data = bytearray(zip_of(GOOD, zipfile.ZIP_DEFLATED))
    for mark, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.index(mark) + place
        data[at : at + 4] = struct.pack("<L", 2**31)
    return bytes(data)


def overlapping() -> bytes:
    """Every entry of the directory points at the same data, so that a small file unpacks to a large one."""
    data = zip_of({f"cat/{n}.jpg": bytes(1000) for n in range(50)})
    start = data.index(b"PK\x01\x02")
    body, central = data[: data.index(b"PK\x03\x04", 4)], bytearray(data[start:])
    at = 0
    while (at := central.find(b"PK\x01\x02", at)) >= 0:
        central[at + 42 : at + 46] = bytes(4)
        at += 46
    end = central.rindex(b"PK\x05\x06")
    central[end + 16 : end + 20] = struct.pack("<L", len(body))
    return body + bytes(60_000) + bytes(central[:end]) + _end(central[end:], len(body) + 60_000)


def _end(record: bytes | bytearray, start: int) -> bytes:
    return bytes(record[:16]) + struct.pack("<L", start) + bytes(record[20:])


def cut_off() -> bytes:
    return zip_of(GOOD)[:-10]


def directory_gone() -> bytes:
    data = zip_of(GOOD)
    return data[: data.index(b"PK\x01\x02")]


def data_behind_the_end() -> bytes:
    data = bytearray(zip_of(GOOD))
    at = data.rindex(b"PK\x01\x02")
    data[at + 42 : at + 46] = struct.pack("<L", len(data) + 5000)
    return bytes(data)


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "dot-dot": (lambda: zip_of({**GOOD, "../../x.jpg": b""}), r"'\.\./\.\./x\.jpg' leads out"),
    "dot-dot inside": (lambda: zip_of({**GOOD, "cat/../../x.jpg": b""}), "leads out"),
    "absolute": (lambda: zip_of({**GOOD, "/etc/x.jpg": b""}), "'/etc/x.jpg' has an absolute path"),
    "drive": (lambda: zip_of({**GOOD, "C:/x.jpg": b""}), "'C:/x.jpg' has an absolute path"),
    "backslash": (lambda: renamed("cat/..-x.jpg", b"cat\\..\\x.jpg"), r"'cat\\..\\x.jpg' has a backslash"),
    "NUL": (lambda: renamed("cat/2-..jpg", b"cat/2\0..jpg"), "control character"),
    "newline": (lambda: zip_of({**GOOD, "cat/a\nb.jpg": b""}), "control character"),
    "long name": (lambda: zip_of({**GOOD, "cat/" + "a" * 300 + ".jpg": b""}), "no disk can hold"),
    "symbolic link": (symlink, "'cat/link.jpg' is a symbolic link"),
    "device": (device, "'cat/dev.jpg' is neither a file nor a folder"),
    "encrypted": (encrypted, "'cat/1.jpg' is encrypted"),
    "duplicate": (duplicated, "holds 'cat/1.jpg' twice"),
    "same but for case": (lambda: zip_of({**GOOD, "Cat/1.JPG": b""}), "'cat/1.jpg' and 'Cat/1.JPG'"),
    "same but for Unicode form": (lambda: zip_of({**GOOD, "é/1.jpg": b"", "e\u0301/1.jpg": b""}), "overwrites"),
    "file and folder": (lambda: zip_of({**GOOD, "cat": b""}), "'cat' is a file and a folder"),
    "another name in the directory": (directory_says_another_name, "'dog/9.jpg' is described differently"),
    "another size in the directory": (directory_says_another_size, "'dog/1.jpg' is described differently"),
    "bomb": (bomb, "times its size"),
    "impossible ratio": (impossible_ratio, "a size that it can't have"),
    "overlapping": (overlapping, "overlap"),
    "cut off": (cut_off, "not a complete zip"),
    "directory gone": (directory_gone, "not a complete zip"),
    "data behind the end": (data_behind_the_end, "'dog/1.jpg' lies beyond"),
    "empty file": (lambda: b"", "not a complete zip"),
    "tar.gz": (lambda: b"\x1f\x8b\x08" + bytes(100), "not a complete zip"),
    "web page": (lambda: b"<html>404</html>" * 50, "not a complete zip"),
    "empty zip": (lambda: zip_of({}), "no pictures"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_or_broken_zip_is_refused_with_its_reason(case: str, tmp_path: Path) -> None:
    make, reason = HOSTILE[case]
    path = tmp_path / "upload.zip"
    path.write_bytes(make())
    began = time.monotonic()
    with pytest.raises(InvalidInput, match=reason) as caught:
        inspect(path, LIMIT)
    assert caught.value.field == "file"
    assert caught.value.hint
    assert time.monotonic() - began < 5
    assert list(tmp_path.iterdir()) == [path]


def test_the_plain_zip_that_these_are_made_of_is_fine(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zip_of(GOOD))
    assert inspect(tmp_path / "a.zip", LIMIT).summary["classes"] == ["cat", "dog"]


def test_more_than_may_be_unpacked_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zip_of(GOOD))
    with pytest.raises(InvalidInput, match="at most 99 fit"):
        inspect(tmp_path / "a.zip", 99)


def test_a_zip_written_as_a_stream_is_accepted(tmp_path: Path) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise OSError

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w") as archive:
        for name, content in GOOD.items():
            archive.writestr(name, content)
    (tmp_path / "a.zip").write_bytes(pipe.getvalue())
    assert inspect(tmp_path / "a.zip", LIMIT).summary["pictures"] == 2


def test_what_operating_systems_leave_behind_is_passed_over(tmp_path: Path) -> None:
    junk = {"__MACOSX/cat/._1.jpg": b"", ".DS_Store": b"", "cat/Thumbs.db": b"", "cat/._1.jpg": b""}
    (tmp_path / "a.zip").write_bytes(zip_of({**GOOD, **junk}))
    assert inspect(tmp_path / "a.zip", LIMIT).summary["pictures"] == 2


def crowded(count: int) -> bytes:
    """A directory of `count` entries with empty names, 46 bytes each: the densest there is."""
    entry = struct.pack("<4s4B4H3L5H2L", b"PK\x01\x02", 20, 3, 20, 0, *[0] * 14)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(entry) * count, 0, 0)
    return entry * count + end


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not count a process's memory in this way")
def test_a_directory_of_a_million_entries_costs_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(crowded(1_300_000))
    script = textwrap.dedent(f"""
        import resource, sys
        from pathlib import Path
        from trainyard.datasets.inspect import inspect
        from trainyard.errors import InvalidInput
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            inspect(Path({str(path)!r}), 10**10)
        except InvalidInput as error:
            print(error, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, sep="|")
    """)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    message, _, kib = done.stdout.rpartition("|")
    assert "more than 500,000 entries" in message
    assert int(kib) < 250 * 1024


def test_a_directory_that_claims_gigabytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    size = 3 * 2**30
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, size, 0, 0)
    with path.open("wb") as file:  # sparse: it takes no room
        file.truncate(size)
        file.seek(size)
        file.write(end)
    with pytest.raises(InvalidInput, match="at most 67,108,864 are read"):
        inspect(path, LIMIT)


@settings(deadline=None, max_examples=400)
@given(st.text(max_size=60) | st.lists(st.sampled_from(["..", ".", "", "a", "b c", "é"])).map("/".join))
def test_any_name_is_refused_or_stays_inside(name: str) -> None:
    try:
        cleaned = clean_name(name)
    except InvalidInput as error:
        str(error).encode()  # whatever was in the name, the message can be sent
    else:
        inside = Path("/unpacked") / cleaned
        assert inside.is_relative_to("/unpacked")
        assert ".." not in inside.parts
        assert cleaned.encode()
        assert "\0" not in cleaned


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_any_bytes_changed_in_a_zip_raise_nothing_but_invalid_input(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    data = bytearray(zip_of({**GOOD, "data.yaml": b"names: [a]\ntrain: cat\nval: dog\n"}, zipfile.ZIP_DEFLATED))
    for _ in range(rng.randint(1, 6)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    (tmp_path / "a.zip").write_bytes(data[: rng.choice([len(data), rng.randrange(len(data))])])
    try:
        inspect(tmp_path / "a.zip", LIMIT)
    except InvalidInput as error:
        assert error.message
