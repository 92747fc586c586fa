"""What travels to a cluster, and what never does; in a real folder, against git's own reading of .gitignore."""

import hashlib
import io
import os
import subprocess
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainyard.errors import InvalidInput, TooLarge
from trainyard.executors import bundle as bundles
from trainyard.executors.bundle import Bundle, File, bundle_folder, bundle_script

ROOT = Path(__file__).parents[2]


def write(folder: Path, *paths: str, data: bytes = b"x = 1\n") -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def names(bundle: Bundle) -> list[str]:
    return [file.path for file in bundle.files]


def reasons(bundle: Bundle) -> dict[str, str]:
    return {left.path: left.why for left in bundle.left_out}


def test_a_trainers_code_travels_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, "train.py", "utils.py", "models/head.py", "trainer.toml", "labels.json")
    write(tmp_path, ".env", ".env.local", ".git/config", ".venv/bin/python", ".venvs/a/b.py", ".ssh/id", "venv-x/a.py")
    write(tmp_path, "__pycache__/a.pyc", "models/__pycache__/b.pyc", "own/pyvenv.cfg", "own/lib/c.py", "d.pyc")
    write(tmp_path, "data.zip", "cat.jpg", "pictures/DOG.PNG", "best.pt", "w.pth", "m.onnx", "s.safetensors")
    bundle = bundle_folder(tmp_path)
    assert names(bundle) == ["labels.json", "models/head.py", "train.py", "trainer.toml", "utils.py"]
    why = reasons(bundle)
    assert why[".env"] == why[".venv/"] == "hidden"
    assert why["own/"] == why["venv-x/"] == "made by a tool"
    assert why["best.pt"] == "a checkpoint"
    assert why["pictures/DOG.PNG"] == "a picture"
    assert why["data.zip"] == "a dataset's archive"


def test_files_over_1_mib_stay_unless_they_are_code(tmp_path: Path) -> None:
    write(tmp_path, "exact.txt", data=b"a" * (1 << 20))
    write(tmp_path, "over.txt", "train.py", data=b"a" * ((1 << 20) + 1))
    bundle = bundle_folder(tmp_path)
    assert names(bundle) == ["exact.txt", "train.py"]
    assert reasons(bundle) == {"over.txt": "larger than 1 MiB"}


def test_gitignore_is_read_as_git_reads_it(tmp_path: Path) -> None:
    """With a repository around, a folder's own rules, those above and below it, and what they take back."""
    folder = tmp_path / "trainer-x"
    write(tmp_path, ".gitignore", data=b"*.log\n/trainer-x/secret.txt\nruns/\n")
    write(folder, ".gitignore", data=b"*.tmp\n!keep.tmp\n/out\n# comment\n\ncache/**\nwith space.txt\\ \n")
    write(folder, "sub/.gitignore", data=b"!again.log\n!again.tmp\nhere.txt\n")
    write(folder, "a.py", "a.log", "b.tmp", "keep.tmp", "out/o.py", "sub/out/p.py", "secret.txt", "sub/secret.txt")
    write(
        folder,
        "runs/1/r.py",
        "sub/again.log",
        "sub/other.log",
        "sub/again.tmp",
        "sub/here.txt",
        "here.txt",
        "cache/deep/c.py",
    )
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    listed = subprocess.run(
        ["git", "ls-files", "--others", "--exclude-standard"], cwd=folder, capture_output=True, text=True, check=True
    )
    expected = sorted(name for name in listed.stdout.split() if not Path(name).name.startswith("."))
    assert names(bundle_folder(folder)) == expected
    assert {"keep.tmp", "sub/again.log", "sub/again.tmp", "sub/secret.txt", "sub/out/p.py", "here.txt"} <= set(expected)


def test_gitignore_counts_without_a_repository_too(tmp_path: Path) -> None:
    write(tmp_path, ".gitignore", data=b"notes.txt\n")
    write(tmp_path, "train.py", "notes.txt")
    assert names(bundle_folder(tmp_path)) == ["train.py"]
    assert reasons(bundle_folder(tmp_path))["notes.txt"] == "ignored by .gitignore"


def test_a_trainer_that_its_repository_ignores_as_a_whole_still_travels(tmp_path: Path) -> None:
    write(tmp_path, ".gitignore", data=b"trainer-mine/\n")
    write(tmp_path / "trainer-mine", "train.py")
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    assert names(bundle_folder(tmp_path / "trainer-mine")) == ["train.py"]


def test_links_travel_as_what_they_lead_to_and_never_lead_out(tmp_path: Path) -> None:
    folder, outside = tmp_path / "trainer-x", tmp_path / "key.txt"
    write(folder, "real.py", "sub/deep.py", ".env")
    outside.write_text("secret")
    for name, target in {
        "alias.py": "real.py", "out.txt": str(outside), "up.txt": "../key.txt", "env.txt": ".env", "gone.txt": "no",
        "round.txt": "round.txt", "folder": "sub", "passwd": "/etc/passwd", "second.py": "alias.py",
    }.items():  # fmt: skip
        (folder / name).symlink_to(target)
    bundle = bundle_folder(folder)
    assert names(bundle) == ["alias.py", "real.py", "second.py", "sub/deep.py"]
    assert {path for path, why in reasons(bundle).items() if "link" in why} == {
        "out.txt", "up.txt", "env.txt", "gone.txt", "round.txt", "folder", "passwd",
    }  # fmt: skip


def test_what_is_no_file_is_left_and_not_waited_for(tmp_path: Path) -> None:
    write(tmp_path, "train.py")
    os.mkfifo(tmp_path / "pipe.py")
    assert reasons(bundle_folder(tmp_path)) == {"pipe.py": "no regular file"}


def test_unicode_and_long_names_travel_and_unreadable_ones_are_said(tmp_path: Path) -> None:
    long = "/".join(["d" * 100, "e" * 100, "f" * 97 + ".py"])
    write(tmp_path, "모델 é$(x).py", long, "a\nb.py", "c\x1b[31m.py")
    (tmp_path / os.fsdecode(b"\xff\xfe.py")).touch()
    bundle = bundle_folder(tmp_path)
    assert names(bundle) == [long, "모델 é$(x).py"]
    assert set(reasons(bundle).values()) == {"named with characters that nobody can read"}
    assert len(reasons(bundle)) == 3


def test_the_hash_tells_any_change_of_name_mode_or_byte_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    write(folder, "train.py", "sub/b.py")
    first = bundle_folder(folder)
    os.utime(folder / "train.py", (1, 1))
    (folder / "train.py").chmod(0o600)  # another umask is no other code
    write(folder, "__pycache__/x.pyc", ".cache/y", "z.png")
    assert bundle_folder(folder).hash == first.hash
    assert bundle_folder(folder).archive() == first.archive()
    (folder / "train.py").chmod(0o755)
    executable = bundle_folder(folder).hash
    write(folder, "train.py", data=b"x = 2\n")
    changed = bundle_folder(folder).hash
    (folder / "sub/b.py").rename(folder / "sub/c.py")
    assert len({first.hash, executable, changed, bundle_folder(folder).hash}) == 4


@given(st.lists(st.tuples(st.text("ab\n 0", min_size=1, max_size=4), st.binary(max_size=6)), max_size=3))
def test_two_bundles_with_one_hash_are_the_same(files: list[tuple[str, bytes]]) -> None:
    """Whatever is moved over the border between two files, or between a name and its bytes."""
    made = Bundle(tuple(File(name, data, False) for name, data in files), ())
    joined = b"".join(name.encode() + data for name, data in files)
    other = Bundle((File("a", joined, False),), ())
    assert (made.hash == other.hash) == (made.files == other.files)


def test_the_archive_unpacks_to_the_same_files_and_modes(tmp_path: Path) -> None:
    write(tmp_path, "train.py", "sub/모델.py")
    write(tmp_path, "run.sh", data=b"\x00\xff")
    (tmp_path / "run.sh").chmod(0o755)
    bundle = bundle_folder(tmp_path)
    with zipfile.ZipFile(io.BytesIO(bundle.archive())) as opened:
        found = {entry.filename: (opened.read(entry), entry.external_attr >> 16 & 0o777) for entry in opened.infolist()}
    assert found == {file.path: (file.data, 0o755 if file.executable else 0o644) for file in bundle.files}
    assert found["run.sh"] == (b"\x00\xff", 0o755)


def test_too_much_is_refused_before_it_is_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "a.py", "b.py", "c.py")
    monkeypatch.setattr(bundles, "MOST_FILES", 2)
    with pytest.raises(TooLarge, match="more than 2 files"):
        bundle_folder(tmp_path)
    monkeypatch.setattr(bundles, "MOST_FILES", 3)
    monkeypatch.setattr(bundles, "LARGEST_BUNDLE", 17)
    with pytest.raises(TooLarge, match=r"dataset.*\.gitignore"):
        bundle_folder(tmp_path)


def test_an_entrypoint_that_stays_behind_is_an_error_that_says_why(tmp_path: Path) -> None:
    write(tmp_path, ".gitignore", data=b"train.py\nlib/\n")
    write(tmp_path, "train.py", "lib/other.py", "ok.py")
    bundle = bundle_folder(tmp_path)
    bundle.require("ok.py")
    bundle.require("./ok.py")
    with pytest.raises(InvalidInput, match=r"train\.py is ignored by \.gitignore"):
        bundle.require("train.py")
    with pytest.raises(InvalidInput, match=r"lib/ is ignored"):
        bundle.require("lib/other.py")
    with pytest.raises(InvalidInput, match="not in its folder"):
        bundle.require("nowhere.py")


def test_a_script_of_no_trainer_takes_only_the_python_files_beside_it(tmp_path: Path) -> None:
    """Its folder may be a home: letters and keys that lie there are nobody's code."""
    write(tmp_path, "mine.py", "helper.py", "taxes.txt", "below/other.py", ".netrc")
    assert names(bundle_script(tmp_path / "mine.py")) == ["helper.py", "mine.py"]


def test_a_folder_that_cannot_be_read_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"nowhere can't be read: No such file"):
        bundle_folder(Path("nowhere"))


@pytest.mark.parametrize("folder", sorted(ROOT.glob("trainer-*")), ids=lambda folder: folder.name)
def test_our_own_trainers_travel_whole_in_a_configmap(folder: Path) -> None:
    bundle = bundle_folder(folder)
    assert {"train.py", "predict.py", "utils.py", "job.py", "trainer.toml"} <= set(names(bundle))
    assert bundle.size < 500_000


@settings(max_examples=20, deadline=None)
@given(st.dictionaries(st.from_regex(r"[a-z]{1,3}\.py", fullmatch=True), st.binary(max_size=20), max_size=5))
def test_bytes_arrive_as_they_were(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> None:
    folder = tmp_path_factory.mktemp("bundle")
    for name, data in files.items():
        (folder / name).write_bytes(data)
    assert {file.path: file.data for file in bundle_folder(folder).files} == files
    assert len(bundle_folder(folder).hash) == len(hashlib.sha256().hexdigest())
