"""Environments of trainers, made by the real uv from the real package index."""

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.localruns import Runs
from trainyard.contract.vocabulary import Reason
from trainyard.errors import InvalidSetting
from trainyard.executors.base import LaunchFailed, RunSpec
from trainyard.executors.local import envs, recipes
from trainyard.executors.local.gpus import available_gpus
from trainyard.executors.local.installing import Stopped, run_uv
from trainyard.executors.local.variables import base_environment

MANIFEST = """
framework = "tiny"
title = "Tiny"
[tasks.classify]
models = ["one"]
default_model = "one"
best_metric = "accuracy"
[params.epochs]
type = "int"
default = 1
"""


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    with Runs(tmp_path) as runs:
        yield runs


@pytest.fixture
def trainer(runs: Runs) -> Path:
    folder = runs.folder / "trainer-tiny"
    folder.mkdir()
    (folder / "trainer.toml").write_text(MANIFEST)
    (folder / "train.py").write_text("import six, sys; print('SIX', six.__file__, sys.prefix)")
    (folder / "requirements.txt").write_text("six==1.17.0\n")
    return folder


def make(runs: Runs) -> tuple[envs.Environment, list[str]]:
    said: list[str] = []
    return envs.make_environment(runs.settings, "tiny", said.append), said


def test_an_environment_is_made_once_used_and_found_again_in_milliseconds(runs: Runs, trainer: Path) -> None:
    spec = runs.spec("pass")
    spec = RunSpec(spec.run, "tiny", spec.env)
    said: list[str] = []
    runs.executor.submit(spec, said.append)
    end = runs.end(spec.run)
    assert end.exit_code == 0, end.tail
    assert f"SIX {trainer}/.venvs/" in end.tail
    assert said[0] == "Making the environment of trainer-tiny"
    assert "is ready" in said[-1]

    took: list[float] = []
    for _ in range(30):
        began = time.perf_counter()
        env, said = make(runs)
        took.append(time.perf_counter() - began)
    assert env.python == (trainer / ".venv").resolve() / "bin" / "python"
    assert said == []
    assert min(took) < 0.01


def test_changed_requirements_are_installed_and_two_callers_do_it_once(runs: Runs, trainer: Path) -> None:
    make(runs)
    (trainer / "requirements.txt").write_text("six==1.16.0\n")
    said: list[list[str]] = []
    threads = [threading.Thread(target=lambda: said.append(make(runs)[1])) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum("Making the environment of trainer-tiny" in lines for lines in said) == 1
    assert list(trainer.glob(".venv/lib/*/site-packages/six-1.16.0.dist-info"))


def prefix(runs: Runs, version: str) -> Path:
    """The environment of these requirements, made."""
    (runs.folder / "trainer-tiny" / "requirements.txt").write_text(f"six=={version}\n")
    env, _ = make(runs)
    assert env.folder is not None
    return env.folder


def test_an_environment_does_not_change_under_a_training_that_uses_it(runs: Runs, trainer: Path) -> None:
    (trainer / "train.py").write_text(
        "import pathlib, time; print('on')\nwhile not pathlib.Path('go').exists(): time.sleep(0.01)\n"
        "import six; print('SIX', six.__version__)"
    )
    spec = runs.spec("pass")
    spec = RunSpec(spec.run, "tiny", spec.env)
    runs.started.append(spec.run)
    runs.executor.submit(spec, print)
    runs.wait_for_line(spec.run, "\non")
    newest = [prefix(runs, version) for version in ("1.16.0", "1.15.0", "1.14.0")]
    (trainer / "go").touch()
    assert "SIX 1.17.0" in runs.end(spec.run).tail
    assert (trainer / ".venv").resolve() == newest[-1]

    last = prefix(runs, "1.13.0")  # now nobody uses the first one
    assert set((trainer / ".venvs").iterdir()) == {newest[-1], last}


def test_a_package_that_is_no_longer_required_is_gone_and_what_was_is_found_again(runs: Runs, trainer: Path) -> None:
    first = prefix(runs, "1.17.0")
    (trainer / "requirements.txt").write_text("# nothing\n")
    second, _ = make(runs)
    assert second.folder is not None
    assert not list(second.folder.glob("lib/*/site-packages/six*"))
    (trainer / "requirements.txt").write_text("six==1.17.0\n")
    env, said = make(runs)
    assert (env.folder, said) == (first, [])
    assert (trainer / ".venv").resolve() == first


def test_another_python_gets_another_environment(runs: Runs, trainer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = envs.find_environment(runs.settings, "tiny").folder
    monkeypatch.setattr(recipes.platform, "python_version", lambda: "3.99.0")
    assert envs.find_environment(runs.settings, "tiny").folder != before


def test_requirements_that_are_edited_meanwhile_are_the_ones_installed(runs: Runs, trainer: Path) -> None:
    def edit(line: str) -> None:
        if line.startswith("Making"):
            (trainer / "requirements.txt").write_text("six==1.16.0\n")

    env = envs.make_environment(runs.settings, "tiny", edit)
    assert env.is_ready
    assert list(trainer.glob(".venv/lib/*/site-packages/six-1.16.0.dist-info"))
    assert envs.find_environment(runs.settings, "tiny") == env


def test_a_folder_from_before_is_used_while_it_fits_and_never_touched(runs: Runs, trainer: Path) -> None:
    made = prefix(runs, "1.17.0")
    (trainer / ".venv").unlink()
    made.rename(trainer / ".venv")
    env, said = make(runs)
    assert (env.folder, said) == (trainer / ".venv", [])
    assert prefix(runs, "1.16.0").parent == trainer / ".venvs"
    assert not (trainer / ".venv").is_symlink()
    assert list(trainer.glob(".venv/lib/*/site-packages/six-1.17.0.dist-info"))


def test_a_requirement_that_does_not_exist_fails_clearly_and_counts_as_not_made(runs: Runs, trainer: Path) -> None:
    (trainer / "requirements.txt").write_text("six==99.0\n")
    with pytest.raises(LaunchFailed, match=r"Making the environment of trainer-tiny failed") as failure:
        make(runs)
    assert failure.value.reason is Reason.ENVIRONMENT_FAILED
    assert "requirements.txt" in failure.value.hint
    assert "six" in failure.value.evidence["output"]
    assert not envs.find_environment(runs.settings, "tiny").is_ready


def test_without_a_network_it_fails_clearly_and_works_when_it_is_back(
    runs: Runs, trainer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_INDEX_URL", "http://127.0.0.1:9/simple")  # nobody listens there
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_CACHE_DIR", str(runs.folder / "cache"))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(LaunchFailed) as failure:
        make(runs)
    assert failure.value.reason is Reason.ENVIRONMENT_FAILED
    assert "cannot be reached" in failure.value.message
    assert not envs.find_environment(runs.settings, "tiny").is_ready
    monkeypatch.undo()
    env, _ = make(runs)
    assert env.is_ready


def test_an_environment_made_by_hand_is_used_as_it_is(runs: Runs, trainer: Path) -> None:
    python = runs.folder / "venv-tiny" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(envs.system_python())
    env, said = make(runs)
    assert (env.python, said) == (python, [])
    assert not (trainer / ".venv").exists()


def test_a_trainer_without_requirements_uses_the_systems_python(runs: Runs, trainer: Path) -> None:
    (trainer / "requirements.txt").unlink()
    env, said = make(runs)
    assert (env.python, said) == (envs.system_python(), [])


def test_without_uv_it_is_the_systems_python_with_a_warning(
    runs: Runs, trainer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(envs, "find_uv", lambda data_dir: None)
    env, said = make(runs)
    assert env.python == envs.system_python()
    assert "uv is not installed" in said[0]
    assert "pip install uv" in said[0]


def test_a_cancel_stops_the_making_of_an_environment(runs: Runs, trainer: Path) -> None:
    slow = runs.folder / "slow-uv"
    slow.write_text(
        "#!/bin/sh\necho 'Resolved 40 packages in 1s' >&2\necho 'Downloading torch (800.0MiB)' >&2\nexec sleep 60\n"
    )
    slow.chmod(0o755)
    said, told = list[str](), "Making it: 40 packages, downloading torch"
    with pytest.raises(Stopped):
        run_uv(str(slow), ["pip"], "Making it", said.append, lambda: told in said[-1] and len(said) > 1)
    assert re.fullmatch(rf"{told}, \d+ s", said[-1])


def test_a_cancelled_submit_ends_as_cancelled(runs: Runs, trainer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = runs.spec("pass")
    spec = RunSpec(spec.run, "tiny", spec.env)
    slow = runs.folder / "slow-uv"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setattr(envs, "find_uv", lambda data_dir: str(slow))
    runs.executor.submit(spec, lambda line: runs.executor.cancel(spec.run))
    end = runs.end(spec.run)
    assert end.stopped_on_request
    assert end.message == "It was cancelled before its process was started."


def test_the_base_environment_is_an_allow_list() -> None:
    source = {"PATH": "/bin", "LC_ALL": "C", "HTTPS_PROXY": "p", "AWS_SECRET_ACCESS_KEY": "x", "TRAINYARD_TOKEN": "x"}
    assert base_environment(source) == {"PATH": "/bin", "LC_ALL": "C", "HTTPS_PROXY": "p"}


def test_gpus_are_those_that_are_named_or_none(tmp_path: Path) -> None:
    with Runs(tmp_path, gpus="0, 2") as runs:
        assert available_gpus(runs.settings) == (0, 2)
    with Runs(tmp_path, gpus="none") as runs:
        assert available_gpus(runs.settings) == ()
    with Runs(tmp_path, gpus="first") as runs, pytest.raises(InvalidSetting, match="TRAINYARD_GPUS=first"):
        available_gpus(runs.settings)


def test_gpus_are_found_by_the_drivers_own_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(
        "#!/bin/sh\necho 'GPU 0: NVIDIA A100 (UUID: x)'\necho '  MIG 1g'\necho 'GPU 1: NVIDIA A100 (UUID: y)'\n"
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with Runs(tmp_path, gpus="auto") as runs:
        assert available_gpus(runs.settings) == (0, 1)
