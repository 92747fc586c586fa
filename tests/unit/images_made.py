"""A small trainer to build an image of, and builders that only say what they are told: programs of a few lines."""

import shutil
from pathlib import Path

from trainyard.images.builders import Builder
from trainyard.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]
DIGEST = "sha256:" + "5" * 64


def settings_for(folder: Path, **given: object) -> Settings:
    return load_settings(_env_file=None, data_dir=folder / "data", trainers_dir=folder, **given)


def make_trainer(folder: Path, name: str = "mine") -> Path:
    """With everything a folder gathers that must not be in an image."""
    trainer = folder / f"trainer-{name}"
    (trainer / "layers").mkdir(parents=True)
    for file in ("Dockerfile", "requirements.txt", "requirements.lock", "trainer.toml"):
        shutil.copy(ROOT / "trainer-template" / file, trainer / file)
    for file in ("train.py", "predict.py", "layers/deep.py"):
        (trainer / file).write_text("print('hello')\n")
    for file in (
        ".env",
        "digits.zip",
        "best.pt",
        "photo.jpg",
        ".venv/bin/python",
        "__pycache__/train.pyc",
        "secret.key",
    ):
        (trainer / file).parent.mkdir(parents=True, exist_ok=True)
        (trainer / file).write_text("not for anybody else")
    (trainer / ".gitignore").write_text("*.key\n")
    return trainer


def program(folder: Path, name: str, script: str) -> Path:
    """An executable in a folder of its own for the PATH; what it is called with goes to NAME.log beside it."""
    folder.mkdir(exist_ok=True)
    made = folder / name
    made.write_text(f'#!/bin/sh\necho "$@" >> {folder}/{name}.log\n{script}\n')
    made.chmod(0o755)
    return made


def builder(folder: Path, name: str, script: str) -> Builder:
    return Builder(name, str(program(folder, name, script)))


def called(made: Builder) -> list[str]:
    log = Path(f"{made.program}.log")
    return log.read_text().splitlines() if log.exists() else []
