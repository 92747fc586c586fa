"""./trainyard in a fresh clone, as on a machine that has Python and nothing else of ours."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.checkout import copy_checkout

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="./trainyard is a shell script; run it on Linux")

PYTHON = Path(sys.base_prefix) / "bin" / "python3"
TOOLS = "sh cmp readlink env cat".split()  # noqa: SIM905 - what the script and its programs call


def make_clone(folder: Path) -> Path:
    return copy_checkout(folder / "a clone")  # the path has a space in it


def make_path(folder: Path, *, python: str | None = None) -> Path:
    """A folder for PATH that holds the shell's tools, and `python` as python3."""
    folder.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        assert found, name
        (folder / name).symlink_to(found)
    if python:
        script = folder / "python3"
        script.write_text(f"#!/bin/sh\n{python}\n")
        script.chmod(0o755)
    return folder


def start(clone: Path, path: Path, *arguments: str, **env: str) -> "subprocess.Popen[str]":
    """env -i: nothing of this environment but what is given here."""
    home = clone.parent / "home"
    home.mkdir(exist_ok=True)
    pipe = subprocess.PIPE
    variables = {"PATH": str(path), "HOME": str(home)} | env
    argv = [str(clone / "trainyard"), *(arguments or ("--version",))]
    return subprocess.Popen(argv, env=variables, cwd=home, stdout=pipe, stderr=pipe, text=True)


def run(clone: Path, path: Path, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
    with start(clone, path, *arguments, **env) as process:
        out, err = process.communicate(timeout=280)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def shared_cache() -> dict[str, str]:
    """For tests of something else than empty caches: this machine's uv, and what it has downloaded already."""
    uv = shutil.which("uv")
    own = Path(os.environ.get("UV_CACHE_DIR") or Path.home() / ".cache" / "uv")
    given = {"UV_CACHE_DIR": str(own)} if own.is_dir() else {}
    # through its own Python it works where only a version manager's stand-in is on the PATH
    return given | ({"TRAINYARD_UV": uv} if uv and "shims" not in uv else {})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return make_path(tmp_path / "bin", python=f'exec "{PYTHON}" "$@"')


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path, str]]:
    """A clone that was set up with empty caches; its PATH; what the first call said."""
    folder = tmp_path_factory.mktemp("fresh")
    clone, path = make_clone(folder), make_path(folder / "bin", python=f'exec "{PYTHON}" "$@"')
    first = run(clone, path)
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("trainyard ")
    yield clone, path, first.stderr


def test_a_fresh_clone_sets_itself_up_with_nothing_but_python(ready: tuple[Path, Path, str]) -> None:
    clone, _, said = ready
    assert "Setting up trainyard (once):" in said
    assert "installing uv" in said
    assert (clone / ".trainyard/uv/bin/uv").exists()


def test_the_second_call_does_nothing_but_the_command(ready: tuple[Path, Path, str]) -> None:
    clone, path, _ = ready
    second = run(clone, path)
    assert (second.returncode, second.stderr) == (0, "")


def test_a_changed_lock_is_synced_and_a_package_that_left_it_is_gone(ready: tuple[Path, Path, str]) -> None:
    clone, path, _ = ready
    lock = clone / "requirements.lock"
    whole = lock.read_text()
    try:
        lock.write_text(whole[: whole.index("stamina==")] + whole[whole.index("starlette==") :])
        assert "Setting up" in run(clone, path).stderr
        assert not list((clone / ".venv").glob("lib/python*/site-packages/stamina"))
    finally:
        lock.write_text(whole)
    assert run(clone, path).returncode == 0
    assert list((clone / ".venv").glob("lib/python*/site-packages/stamina"))


def test_a_package_that_is_not_what_the_lock_says_is_refused(ready: tuple[Path, Path, str]) -> None:
    clone, path, _ = ready
    lock = clone / "requirements.lock"
    whole = lock.read_text()
    try:
        at = whole.index("typer==")
        lock.write_text(whole[:at] + whole[at:].replace("sha256:", "sha256:0000"))
        answer = run(clone, path, UV_NO_CACHE="1")
        assert answer.returncode == 1
        assert "Error: " in answer.stderr
    finally:
        lock.write_text(whole)
    assert run(clone, path).returncode == 0


def test_a_clone_that_moved_sets_itself_up_again(ready: tuple[Path, Path, str], tmp_path: Path) -> None:
    clone, path, _ = ready
    moved = tmp_path / "moved"
    clone.rename(moved)
    try:
        answer = run(moved, path)
        assert answer.returncode == 0, answer.stderr
        assert "Setting up" in answer.stderr
    finally:
        moved.rename(clone)
    assert run(clone, path).returncode == 0


def test_it_works_through_a_link_and_from_any_folder(ready: tuple[Path, Path, str], tmp_path: Path) -> None:
    clone, path, _ = ready
    link = tmp_path / "trainyard"
    link.symlink_to(clone / "trainyard")
    answer = subprocess.run([link, "--version"], env={"PATH": str(path)}, cwd="/", capture_output=True, text=True)
    assert (answer.returncode, answer.stderr) == (0, "")


def test_two_first_calls_at_once_do_not_disturb_each_other(tmp_path: Path, path: Path) -> None:
    clone = make_clone(tmp_path)
    both = [start(clone, path, **shared_cache()) for _ in range(2)]
    answers = [process.communicate(timeout=280) for process in both]
    assert [process.returncode for process in both] == [0, 0], answers
    assert sum("Setting up" in err for _, err in answers) == 1
    assert sum("waiting for it" in err for _, err in answers) == 1


def test_without_a_network_it_says_what_to_do_and_goes_on_later(tmp_path: Path, path: Path) -> None:
    clone = make_clone(tmp_path)
    away = {"HTTPS_PROXY": "http://127.0.0.1:9", "UV_HTTP_RETRIES": "0", "PIP_RETRIES": "0"}
    answer = run(clone, path, **away)
    assert answer.returncode == 1
    assert "cannot be reached" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert run(clone, path, **shared_cache()).returncode == 0


def test_without_pip_and_uv_it_names_the_one_package(tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", bare], check=True)
    path = make_path(tmp_path / "bin", python=f'exec "{bare}/bin/python" "$@"')
    answer = run(make_clone(tmp_path), path)
    assert answer.returncode == 1
    assert "python3-pip" in answer.stderr


def test_without_python_it_says_so(tmp_path: Path) -> None:
    answer = run(make_clone(tmp_path), make_path(tmp_path / "bin"))
    assert answer.returncode == 1
    assert "needs Python 3.11 or newer" in answer.stderr


def test_an_old_python_and_a_stand_in_are_passed_over(tmp_path: Path) -> None:
    path = make_path(tmp_path / "bin", python="exit 1")  # as an old Python answers to the question of its version
    (path / "python3.13").write_text("#!/bin/sh\nexit 127\n")
    (path / "python3.13").chmod(0o755)
    answer = run(make_clone(tmp_path), path)
    assert answer.returncode == 1
    assert "needs Python 3.11 or newer" in answer.stderr
