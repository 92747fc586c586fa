"""Six files are the same in every trainer, and small; each folder holds what a trainer needs."""

import ast
from pathlib import Path

import pytest

from tests.contract.running import ROOT
from trainyard.contract.manifest import read_manifest, variable_of

ORIGIN = ROOT / "trainer-template"
TRAINERS = sorted(path for path in ROOT.glob("trainer-*") if path.is_dir())
FUNCTIONS = {
    "check_required_env",
    "download_checkpoint",
    "download_dataset",
    "get_env_float",
    "get_env_int",
    "get_storage_client",
    "notify_status",
    "send_validation_result",
    "upload_checkpoint",
}
COPIES = ("utils.py", "job.py", "samples.py", "pictures.py", "predictor.py", "surroundings.py")
FILES = ("train.py", "predict.py", "utils.py", "job.py", "trainer.toml")
FILES += ("requirements.txt", "Dockerfile", ".env.example", "README.md")

each_trainer = pytest.mark.parametrize("trainer", TRAINERS, ids=lambda path: path.name)


@each_trainer
@pytest.mark.parametrize("name", COPIES)
def test_the_copies_are_identical(trainer: Path, name: str) -> None:
    assert (trainer / name).read_bytes() == (ORIGIN / name).read_bytes(), f"copy it anew from trainer-template/{name}"


def test_utils_offers_nine_functions_in_at_most_200_lines() -> None:
    text = (ORIGIN / "utils.py").read_text()
    assert 150 <= len(text.splitlines()) <= 200
    defined = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    assert {name for name in defined if not name.startswith("_")} == FUNCTIONS


def test_the_template_is_under_a_hundred_lines() -> None:
    assert len((ORIGIN / "train.py").read_text().splitlines()) < 100


@each_trainer
def test_a_trainer_has_its_files_and_needs_nothing_of_trainyard(trainer: Path) -> None:
    assert [name for name in FILES if not (trainer / name).is_file()] == []
    for path in trainer.glob("*.py"):
        tree = list(ast.walk(ast.parse(path.read_text())))
        modules = {alias.name for node in tree if isinstance(node, ast.Import) for alias in node.names}
        modules |= {node.module or "" for node in tree if isinstance(node, ast.ImportFrom)}
        assert not {name for name in modules if name.split(".")[0] == "trainyard"}, path


@each_trainer
def test_a_manifest_loads_and_its_scripts_are_there(trainer: Path) -> None:
    manifest = read_manifest(trainer / "trainer.toml")
    assert trainer.name == f"trainer-{manifest.framework}"
    for name in [manifest.entrypoint, *(sample.script for sample in manifest.samples.values())]:
        assert (trainer / name).is_file()


@each_trainer
def test_every_parameter_is_read_and_shown_in_the_dotenv(trainer: Path) -> None:
    script, example = (trainer / "train.py").read_text(), (trainer / ".env.example").read_text()
    for name in read_manifest(trainer / "trainer.toml").params:
        assert f'"{variable_of(name)}"' in script
        assert f"{variable_of(name)}=" in example


@each_trainer
def test_requirements_are_pinned(trainer: Path) -> None:
    lines = (trainer / "requirements.txt").read_text().split()
    assert lines
    assert [line for line in lines if "==" not in line] == []
