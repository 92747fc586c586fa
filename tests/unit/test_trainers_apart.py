"""Trainers stand apart: ultralytics' licence binds its own folder only, and each environment is locked and shared."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from trainyard.executors.local.recipes import lock_of

ROOT = Path(__file__).parents[2]
TRAINERS = sorted(path.parent for path in ROOT.glob("trainer-*/trainer.toml"))
each_trainer = pytest.mark.parametrize("trainer", TRAINERS, ids=lambda path: path.name)
OURS = "Apache-2.0"
IN_WORDS = {"Apache-2.0": "Apache", "AGPL-3.0": "GNU Affero General Public License"}


def sources() -> list[Path]:
    """Every Python file but those of trainer-ultralytics itself."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    names = [name for name in listed.stdout.splitlines() if not name.startswith("trainer-ultralytics/")]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def imported(text: str) -> set[str]:
    """The packages a program imports, also by a name in a string: import_module("x.y"), __import__("x")."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
            found |= {str(given.value) for given in node.args if isinstance(given, ast.Constant)}
    return {name.split(".")[0] for name in found}


def test_only_its_own_trainer_imports_ultralytics() -> None:
    files = sources()
    assert len(files) > 150
    assert [path.relative_to(ROOT) for path in files if "ultralytics" in imported(path.read_text())] == []


def test_the_check_of_imports_sees_each_way_of_importing() -> None:
    for line in ("import ultralytics.nn", "from ultralytics import YOLO", "import_module('ultralytics')"):
        assert imported(f"def late():\n    {line}") == {"ultralytics"}
    for line in ("__import__('ultralytics')", "importlib.import_module('ultralytics.nn')"):
        assert imported(line) == {"ultralytics"}
    assert "ultralytics" in imported((ROOT / "trainer-ultralytics" / "train.py").read_text())


def test_only_its_own_trainer_requires_ultralytics() -> None:
    named = [ROOT / "pyproject.toml", *ROOT.glob("*.lock"), *ROOT.glob("src/**/*.lock"), *ROOT.glob("src/**/*.in")]
    named += [path for folder in TRAINERS for path in folder.glob("requirements.*")]
    requires = [path for path in named if re.search(r"^\W*ultralytics\b", path.read_text(), re.MULTILINE)]
    assert {path.parent.name for path in requires} == {"trainer-ultralytics"}


@each_trainer
def test_a_trainers_licence_is_the_same_wherever_it_is_said(trainer: Path) -> None:
    manifest = tomllib.loads((trainer / "trainer.toml").read_text())
    licence = manifest["license"]
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', (trainer / "Dockerfile").read_text()))
    assert labels == {"title": trainer.name, "licenses": licence}
    readme = (trainer / "README.md").read_text()
    others = {name for name in IN_WORDS if name in readme} - {licence, OURS}
    assert not others, f"its README names {others}, and it is under {licence}"
    own = trainer / "LICENSE"
    if licence == OURS:
        assert not own.exists(), "the LICENSE above it is its licence"
        return
    assert licence in readme
    assert "(LICENSE)" in readme
    assert IN_WORDS[licence] in own.read_text()
    assert licence in own.read_text()


def test_what_binds_to_agpl_says_agpl() -> None:
    """Whoever requires ultralytics runs as one program with it."""
    for trainer in TRAINERS:
        binds = re.search(r"^ultralytics\b", (trainer / "requirements.txt").read_text(), re.MULTILINE)
        licence = tomllib.loads((trainer / "trainer.toml").read_text())["license"]
        assert (licence == "AGPL-3.0") == bool(binds), trainer.name


# -- environments -----------------------------------------------------------------------------------------------------


def pins(path: Path) -> dict[str, set[str]]:
    """Each package and the versions it is pinned to: several where they depend on the Python."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9._-]+)==([^\s;\\]+)", path.read_text(), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


@each_trainer
def test_a_lock_belongs_to_the_requirements_beside_it(trainer: Path) -> None:
    requirements = trainer / "requirements.txt"
    lock = lock_of(requirements)
    assert lock, f"`just lock {trainer.name}` makes it anew"
    locked = pins(lock)
    for name, versions in pins(requirements).items():
        assert versions <= locked[name]
    for entry in re.split(r"\n(?=\S)", lock.read_text().strip())[1:]:
        assert "--hash=sha256:" in entry, entry


def test_trainers_pin_the_same_versions_of_what_they_share() -> None:
    """Then their environments are links to one copy. torch alone is some gigabytes."""
    shared: dict[str, set[str]] = {}
    for trainer in TRAINERS:
        for name, versions in pins(trainer / "requirements.txt").items():
            shared.setdefault(name, set()).update(versions)
    assert {name: sorted(versions) for name, versions in shared.items() if len(versions) > 1} == {}


def test_a_trainer_that_uses_torch_names_its_version() -> None:
    users = [trainer for trainer in TRAINERS if "torch" in pins(trainer / "requirements.lock")]
    assert users
    for trainer in users:
        assert {"torch", "torchvision"} <= pins(trainer / "requirements.txt").keys(), trainer.name


def test_locks_hold_one_version_of_what_is_large() -> None:
    """What torch brings with it is not pinned by hand: locks of different days could differ."""
    found: dict[str, dict[str, set[str]]] = {}
    for trainer in TRAINERS:
        for name, versions in pins(trainer / "requirements.lock").items():
            if name in ("torch", "torchvision", "triton") or name.startswith("nvidia-"):
                found.setdefault(name, {})[trainer.name] = versions
    differing = {name: by for name, by in found.items() if len({frozenset(one) for one in by.values()}) > 1}
    assert not differing, "`just lock` makes all of them anew, together"
