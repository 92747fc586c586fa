"""Code that somebody sends: what comes out of an archive is what went in, and nothing that could do harm gets out."""

import io
import stat
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainyard.errors import InvalidInput, TooLarge, TrainyardError
from trainyard.executors.bundle import LARGEST_BUNDLE, Bundle, File, bundle_folder, make_bundle
from trainyard.executors.bundle_archive import read_archive

ROOT = Path(__file__).parents[2]
LETTER = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/.")
PATHS = st.lists(st.text(LETTER, min_size=1, max_size=8), min_size=1, max_size=3).map("/".join)
MIB = 1 << 20


def zipped(*names: str, mode: int = stat.S_IFREG | 0o644, data: bytes = b"x") -> bytes:
    """A zip of another maker: in any order, with any mode, compressed."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system, entry.external_attr = 3, mode << 16
            archive.writestr(entry, data)
    return made.getvalue()


def peak_of(call: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@given(st.dictionaries(PATHS, st.tuples(st.binary(max_size=50), st.booleans()), max_size=6))
def test_a_bundle_comes_back_as_it_was(files: dict[str, tuple[bytes, bool]]) -> None:
    folders = {path.rsplit("/", depth)[0] for path in files for depth in range(1, path.count("/") + 1)}
    kept = {path: file for path, file in files.items() if path not in folders}
    bundle = make_bundle(File(path, data, executable) for path, (data, executable) in kept.items())
    back = read_archive(bundle.archive())
    assert (back.files, back.hash) == (bundle.files, bundle.hash)
    assert back.archive() == bundle.archive()


@pytest.mark.parametrize("folder", sorted(ROOT.glob("trainer-*")), ids=lambda folder: folder.name)
def test_our_own_trainers_come_back_as_they_were(folder: Path) -> None:
    bundle = bundle_folder(folder)
    assert read_archive(bundle.archive()).files == bundle.files


def test_an_archive_is_the_same_bytes_whatever_zlib_made_it() -> None:
    archive = make_bundle([File("train.py", b"a" * 1000, False)]).archive()
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert {entry.compress_type for entry in opened.infolist()} == {zipfile.ZIP_STORED}


def test_another_makers_zip_in_another_order_is_the_same_code() -> None:
    made = zipped("b.py", "a.py")
    assert read_archive(made).hash == make_bundle([File("a.py", b"x", False), File("b.py", b"x", False)]).hash
    assert read_archive(zipped("a.py", mode=stat.S_IFREG | 0o700)).files == (File("a.py", b"x", True),)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../out.py", "no plain path"),
        ("a/../../out.py", "no plain path"),
        ("/etc/passwd", "no plain path"),
        ("a//b.py", "no plain path"),
        ("./a.py", "no plain path"),
        ("folder/", "no plain path"),
        (".env", "hidden files never travel"),
        ("a/.git/config", "hidden files never travel"),
        ("a\nb.py", "nobody can read"),
        ("c\x1b[31m.py", "nobody can read"),
        ("x" * 256, "too long for a disk"),
        ("/".join(["d" * 200] * 30), "too long for a disk"),
        ("cut.py\0.txt", "packed in a way"),
    ],
)
def test_a_name_that_no_bundle_has_is_refused(name: str, words: str) -> None:
    made = zipped("train.py", name.replace("\0", "\x01")).replace(b"cut.py\x01", b"cut.py\x00")
    with pytest.raises(InvalidInput, match=words) as refused:
        read_archive(made)
    assert refused.value.field == "code"
    assert refused.value.message.isprintable()


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR])
def test_links_and_devices_are_refused(kind: int) -> None:
    with pytest.raises(InvalidInput, match="a link or a device"):
        read_archive(zipped("passwd", mode=kind | 0o777, data=b"/etc/passwd"))


def test_what_would_overwrite_itself_is_refused() -> None:
    with pytest.warns(UserWarning, match="Duplicate"), pytest.raises(InvalidInput, match="a name twice"):
        read_archive(zipped("a.py", "a.py"))
    with pytest.raises(InvalidInput, match="file and folder at once"):
        read_archive(zipped("a", "a/b.py"))


def test_data_is_no_code() -> None:
    with pytest.raises(InvalidInput, match=r"larger than 1 MiB and no Python file"):
        read_archive(make_bundle([File("labels.json", b"1" * (MIB + 1), False)]).archive())
    large = make_bundle([File("large.py", b"#" * (MIB + 1), False), File("exact.json", b"1" * MIB, False)])
    assert read_archive(large.archive()).hash == large.hash


def test_more_than_a_bundle_holds_is_refused() -> None:
    with pytest.raises(TooLarge, match="5,000 files or 64 MiB"):
        read_archive(zipped(*(f"{number}.py" for number in range(5_001)), data=b""))
    assert len(read_archive(zipped(*(f"{number}.py" for number in range(5_000)), data=b"")).files) == 5_000
    with pytest.raises(TooLarge):
        read_archive(bytes(LARGEST_BUNDLE + (8 << 20) + 1))


# -- bombs ------------------------------------------------------------------------------------------------------------


def test_a_bomb_that_tells_its_size_is_refused_unopened() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    stream = b"".join(packer.compress(bytes(MIB)) for _ in range(300)) + packer.flush()
    bomb = lying_zip(stream, says=300 * MIB)
    assert peak_of(lambda: refuse(bomb, TooLarge)) < 4 * MIB


def test_a_bomb_that_lies_about_its_size_is_read_no_further_than_it_says() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    stream = b"".join(packer.compress(bytes(MIB)) for _ in range(300)) + packer.flush()
    bomb = lying_zip(stream, says=1000)
    assert peak_of(lambda: refuse(bomb, InvalidInput)) < 4 * MIB


def test_a_directory_of_a_million_entries_is_not_read() -> None:
    entry = b"PK\x01\x02" + bytes(24) + struct.pack("<H", 1) + bytes(16) + b"a"
    directory = entry * 1_000_000
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), 0, 0)
    bomb = directory + end
    assert peak_of(lambda: refuse(bomb, TooLarge)) < MIB


def test_what_another_reader_would_see_otherwise_is_refused() -> None:
    plain = zipped("a.py")
    for made in (plain + b"comment", plain[:-4], b"PK", b"", plain[:-22] + b"PK\x06\x07" + bytes(16) + plain[-22:]):
        with pytest.raises(InvalidInput, match=r"no complete zip|no zip that trainyard makes"):
            read_archive(made)


@given(st.data())
def test_damage_is_said_in_words(data: st.DataObject) -> None:
    """Whatever byte is changed or lost: a sentence, or files that are safe to unpack."""
    made = bytearray(zipped("train.py", "sub/b.py", data=b"x = 1\n"))
    for _ in range(data.draw(st.integers(1, 4))):
        made[data.draw(st.integers(0, len(made) - 1))] = data.draw(st.integers(0, 255))
    try:
        found: Bundle = read_archive(
            bytes(made[: data.draw(st.integers(0, len(made)))] if data.draw(st.booleans()) else made)
        )
    except TrainyardError as error:
        assert error.message.isprintable()
        return
    assert not any(part in ("", "..") or part.startswith(".") for file in found.files for part in file.path.split("/"))


def lying_zip(stream: bytes, says: int) -> bytes:
    made = bytearray(zipped("a.py", data=b""))
    name, start = b"a.py", 30 + 4
    local, directory = bytes(made[:start]), bytearray(made[made.index(b"PK\x01\x02") : made.rindex(b"PK\x05\x06")])
    local = local[:18] + struct.pack("<2L", len(stream), says) + local[26:]
    directory[20:28] = struct.pack("<2L", len(stream), says)
    where = start + len(stream)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), where, 0)
    assert name in local
    return local + stream + bytes(directory) + end


def refuse(archive: bytes, kind: type[TrainyardError]) -> None:
    with pytest.raises(kind):
        read_archive(archive)
