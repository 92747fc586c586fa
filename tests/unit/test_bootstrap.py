"""What the bootstrap decides, and what the files beside it promise."""

import re
import sys
from pathlib import Path

import pytest

from trainyard.stack import bootstrap
from trainyard.uv import explain_failure, find_uv, uv_environment

ROOT = Path(__file__).parents[2]
LOCKS = [ROOT / "requirements.lock", ROOT / "requirements-dev.lock", *sorted(ROOT.glob("src/trainyard/stack/*.lock"))]
PINS = re.compile(r"^([A-Za-z0-9._-]+)==([^\s\\;]+)", re.MULTILINE)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A checkout whose .venv was made from the runtime lock."""
    (tmp_path / "requirements.lock").write_text("a==1\n")
    (tmp_path / "requirements-dev.lock").write_text("a==1\nb==2\n")
    python = bootstrap.venv_python(tmp_path / ".venv")
    python.parent.mkdir(parents=True)
    python.touch()
    (tmp_path / ".venv/trainyard-home").write_text(f"{tmp_path}\n")
    (tmp_path / ".venv/trainyard-lock").write_text("a==1\n")
    return tmp_path


def test_an_environment_made_from_the_lock_is_fresh_until_the_lock_changes(clone: Path) -> None:
    assert bootstrap.is_fresh(clone, "requirements.lock")
    (clone / "requirements.lock").write_text("a==2\n")
    assert not bootstrap.is_fresh(clone, "requirements.lock")


def test_the_tests_environment_serves_the_program_but_not_the_other_way_round(clone: Path) -> None:
    assert not bootstrap.is_fresh(clone, "requirements-dev.lock")
    (clone / ".venv/trainyard-lock").write_text("a==1\nb==2\n")
    assert bootstrap.is_fresh(clone, "requirements-dev.lock")
    assert bootstrap.is_fresh(clone, "requirements.lock")


def test_a_checkout_that_moved_is_not_fresh(clone: Path) -> None:
    moved = clone.rename(clone.with_name("elsewhere"))
    assert not bootstrap.is_fresh(moved, "requirements.lock")


def test_an_environment_whose_python_is_gone_is_not_fresh(clone: Path) -> None:
    bootstrap.venv_python(clone / ".venv").unlink()
    assert not bootstrap.is_fresh(clone, "requirements.lock")


def test_the_tests_lock_holds_every_package_of_the_programs() -> None:
    runtime, dev = (set(PINS.findall((ROOT / name).read_text())) for name in (bootstrap.RUNTIME, bootstrap.DEV))
    assert runtime
    assert runtime <= dev


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_names_no_host_and_every_package_has_hashes(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert "--index" not in text
    packages = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert packages
    assert [package for package in packages if "--hash=sha256:" not in package] == []


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("error: Failed to fetch\n  cause: dns error", "cannot be reached"),
        ("error: x\n  cause: invalid peer certificate: UnknownIssuer", "SSL_CERT_FILE"),
        ("error: failed to write\n  cause: No space left on device (os error 28)", "disk is full"),
        ("error: something else entirely", "something else entirely"),
        ("", "nothing"),
    ],
)
def test_a_failed_installation_is_explained(output: str, says: str) -> None:
    assert says in explain_failure(output)


@pytest.mark.skipif(sys.platform == "win32", reason="pip's files have other names on Windows; run it on Linux or macOS")
def test_uv_hears_what_pip_was_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_SYSTEM_CERTS"):
        monkeypatch.delenv(name, raising=False)
    config = tmp_path / "pip.conf"
    config.write_text("[global]\nindex-url = https://mirror.example/simple\ncert = /from/file.pem\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://more.example/simple")
    monkeypatch.setenv("SSL_CERT_FILE", "/set/for/uv.pem")
    env = uv_environment()
    assert env["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert env["UV_INDEX"] == "https://more.example/simple"
    assert env["SSL_CERT_FILE"] == "/set/for/uv.pem"
    assert env["UV_SYSTEM_CERTS"] == "1"


def test_a_stand_in_for_uv_that_does_not_run_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = tmp_path / "uv"
    stand_in.write_text("#!/bin/sh\nexit 127\n")
    stand_in.chmod(0o755)
    monkeypatch.setenv("TRAINYARD_UV", str(stand_in))
    assert find_uv(tmp_path) != str(stand_in)


# -- the scripts of old ------------------------------------------------------------------------------------------------

OLD_PARAMETERS = {
    "dev-start": ["SkipBuild"],
    "dev-stop": [],
    "dev-status": ["Watch"],
    "dev-train-local": ["Script", "ModelName", "NumEpochs", "Framework"],
    "dev-train-k8s": ["Script", "ModelName", "NumEpochs", "Framework", "Image", "Watch"],
    "build": ["Target", "Tag", "Push", "Load", "Archive"],
}


@pytest.mark.parametrize("name", OLD_PARAMETERS)
def test_an_old_script_keeps_its_parameters_and_only_calls_the_cli(name: str) -> None:
    text = (ROOT / f"{name}.ps1").read_text()
    declared = re.search(r"^param\((.*)\)$", text, flags=re.MULTILINE)
    found = re.findall(r"\[(?:switch|string|int)\]\$(\w+)", declared.group(1)) if declared else []
    assert found == OLD_PARAMETERS[name]
    assert len(text.splitlines()) <= 6
    called = re.findall(r'& "\$PSScriptRoot/trainyard\.ps1" (\w+)', text)
    assert len(called) == 1


def test_every_old_script_calls_a_verb_that_exists() -> None:
    from trainyard.cli.main import VERBS

    for name in OLD_PARAMETERS:
        verb = re.findall(r'trainyard\.ps1" (\w+)', (ROOT / f"{name}.ps1").read_text())[0]
        assert verb in VERBS, f"{name}.ps1 calls {verb}"


def test_the_justfile_stays_small_and_its_checks_are_those_of_ci() -> None:
    recipes = re.findall(r"^([a-z]+)[^:=\n]*:$", (ROOT / "justfile").read_text(), flags=re.MULTILINE)
    assert 0 < len(recipes) <= 12
    ci = (ROOT / ".ci/run").read_text()
    for command in re.findall(r"^check:\n((?:    .*\n)+)", (ROOT / "justfile").read_text(), flags=re.MULTILINE)[
        0
    ].split("\n"):
        assert command.strip() in ci
