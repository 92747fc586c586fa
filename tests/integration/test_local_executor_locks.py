"""Environments from a lock, made by the real uv from the real package index: hashes, what it falls back to, sharing."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.running import ROOT
from tests.real.localruns import Runs
from trainyard.executors.base import LaunchFailed
from trainyard.executors.local import envs
from trainyard.executors.local.envs import Environment, find_environment, make_environment

SIX = "six==1.17.0 --hash=sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274\n"
ONLY_FOR_WINDOWS = "pywin32==311 --hash=sha256:0502d1facf1fed4839a9a51ccbcc63d952cf318f78ffc00a7e78528ac27d7a2b\n"


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    with Runs(tmp_path) as runs:
        yield runs


def locked(runs: Runs, requirements: str, lock: str, name: str = "tiny") -> Path:
    """A trainer's folder with these requirements and a lock that was made from them."""
    folder = runs.folder / f"trainer-{name}"
    folder.mkdir(exist_ok=True)
    (folder / "requirements.txt").write_text(requirements)
    digest = hashlib.sha256(requirements.encode()).hexdigest()
    (folder / "requirements.lock").write_text(f"# from requirements.txt sha256:{digest}\n{lock}")
    return folder


def make(runs: Runs, name: str = "tiny") -> tuple[Environment, list[str]]:
    said: list[str] = []
    return make_environment(runs.settings, name, said.append), said


def packages(env: Environment) -> set[str]:
    assert env.folder is not None
    return {path.name.removesuffix(".dist-info") for path in env.folder.glob("lib/*/site-packages/*.dist-info")}


def test_what_is_locked_is_installed_though_the_requirements_allow_more(runs: Runs) -> None:
    locked(runs, "six>=1.10\n", SIX)
    env, said = make(runs)
    assert packages(env) == {"six-1.17.0"}
    assert not [line for line in said if "lock" in line]
    assert make(runs) == (env, [])


def test_a_file_whose_hash_is_not_the_locked_one_is_not_installed(runs: Runs) -> None:
    locked(runs, "six==1.17.0\n", SIX.replace("4721", "0000"))
    with pytest.raises(LaunchFailed, match="Hash mismatch") as failure:
        make(runs)
    assert "find out why" in failure.value.hint
    assert not find_environment(runs.settings, "tiny").is_ready


def test_a_lock_that_lacks_a_requirement_of_a_package_is_refused(runs: Runs) -> None:
    lock = (
        "python-dateutil==2.9.0.post0 --hash=sha256:a8b2bc7bffae282281c8140a97d3aa9c14da0b136dfe83f850eea9a5f7470427\n"
    )
    locked(runs, "python-dateutil==2.9.0.post0\n", lock)
    with pytest.raises(LaunchFailed, match="six"):
        make(runs)


def test_requirements_that_were_changed_after_the_lock_are_installed_without_it_and_it_is_said(runs: Runs) -> None:
    folder = locked(runs, "six==1.17.0\n", SIX)
    first, _ = make(runs)
    (folder / "requirements.txt").write_text("six==1.16.0\n")
    env, said = make(runs)
    assert said[0] == (
        "requirements.txt was changed after requirements.lock was made: installs without the lock "
        "(`just lock trainer-tiny` makes it anew)"
    )
    assert packages(env) == {"six-1.16.0"}
    assert env.folder != first.folder


def test_a_lock_that_was_made_anew_makes_another_environment(runs: Runs) -> None:
    folder = locked(runs, "six>=1.10\n", SIX)
    first, _ = make(runs)
    with (folder / "requirements.lock").open("a") as lock:
        lock.write("idna==3.10 --hash=sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3\n")
    assert not find_environment(runs.settings, "tiny").is_ready
    second, said = make(runs)
    assert packages(second) == {"six-1.17.0", "idna-3.10"}
    assert second.folder != first.folder
    assert said


def test_a_lock_without_a_file_for_this_system_gives_way_to_the_requirements(runs: Runs) -> None:
    locked(runs, "six==1.17.0\n", ONLY_FOR_WINDOWS)
    env, said = make(runs)
    assert packages(env) == {"six-1.17.0"}
    assert [line for line in said if "requirements.lock has not all for this system and Python" in line]
    assert make(runs) == (env, [])


def test_a_checkout_with_windows_line_ends_still_has_its_lock(runs: Runs) -> None:
    folder = locked(runs, "six==1.17.0\n", SIX)
    for name in ("requirements.txt", "requirements.lock"):
        (folder / name).write_bytes((folder / name).read_bytes().replace(b"\n", b"\r\n"))
    env, said = make(runs)
    assert packages(env) == {"six-1.17.0"}
    assert not [line for line in said if "without the lock" in line]


def test_the_script_that_makes_locks_writes_the_line_that_is_looked_for(runs: Runs) -> None:
    folder = locked(runs, "six==1.16.0\n", "# by hand\n")
    (folder / "requirements.txt").write_text("six\n")
    assert find_environment(runs.settings, "tiny").recipe.warning  # type: ignore[union-attr]
    subprocess.run([ROOT / ".ci" / "lock", folder], check=True)
    assert not find_environment(runs.settings, "tiny").recipe.warning  # type: ignore[union-attr]
    env, said = make(runs)
    assert len(packages(env)) == 1
    assert not [line for line in said if "without the lock" in line]


def on_one_disk(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(runs.folder / "cache"))
    monkeypatch.delenv("UV_LINK_MODE", raising=False)


def files(env: Environment) -> dict[str, os.stat_result]:
    """Its package's files; what uv writes anew for each environment (who installed it, when) is not shared."""
    assert env.folder is not None
    return {path.name: path.stat() for path in env.folder.glob("lib/*/site-packages/six.py")}


def test_two_environments_with_the_same_package_share_its_files(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    on_one_disk(runs, monkeypatch)
    made: list[dict[str, os.stat_result]] = []
    for name in ("one", "two"):
        locked(runs, f"six==1.17.0\n# {name}\n", SIX, name)
        env, said = make(runs, name)
        assert "copies" not in said[-1]
        made.append(files(env))
    assert made[0]["six.py"].st_ino == made[1]["six.py"].st_ino
    assert made[1]["six.py"].st_nlink == 3  # uv's cache has the third


def test_with_uvs_cache_on_another_disk_it_copies_and_says_what_would_save_them(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_one_disk(runs, monkeypatch)
    elsewhere = Path("/dev/shm") / f"trainyard-{os.getpid()}"  # a file system of its own
    assert Path("/dev/shm").stat().st_dev != runs.folder.stat().st_dev
    monkeypatch.setenv("UV_CACHE_DIR", str(elsewhere))
    try:
        locked(runs, "six==1.17.0\n", SIX)
        env, said = make(runs)
    finally:
        shutil.rmtree(elsewhere, ignore_errors=True)
    assert files(env)["six.py"].st_nlink == 1
    assert "uv's cache is on another disk" in said[-1]
    assert "UV_CACHE_DIR" in said[-1]


def test_a_job_that_waits_for_copies_reads_so(runs: Runs) -> None:
    slow = runs.folder / "slow-uv"
    slow.write_text(
        "#!/bin/sh\necho 'Resolved 3 packages in 1s' >&2\n"
        "echo 'warning: Failed to hardlink files; falling back to full copy.' >&2\n"
        f"while [ ! -e {runs.folder}/told ]; do sleep 0.05; done\n"
    )
    slow.chmod(0o755)

    def say(line: str) -> None:
        if line.startswith("Making it: 3 packages, copying, "):
            (runs.folder / "told").touch()

    assert envs.run_uv(str(slow), ["pip"], "Making it", say, lambda: False).copied
