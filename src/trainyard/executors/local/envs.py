"""The Python of each trainer: an environment made from its locked requirements, once, and found in milliseconds."""

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from trainyard.executors.base import LaunchFailed
from trainyard.executors.local.env_folders import STAMP, forget_old, show
from trainyard.executors.local.installing import Installed, Stopped, cannot_be_solved, run_uv
from trainyard.executors.local.recipes import Recipe, stamp_of
from trainyard.settings import Settings
from trainyard.uv import find_uv

Say = Callable[[str], None]
COPIED = (
    "It has copies of its own of all files, because uv's cache is on another disk: with UV_CACHE_DIR on this one, "
    "environments share them"
)


@dataclass(frozen=True, slots=True)
class Environment:
    """Where a trainer's Python is, or will be once it is made."""

    folder: Path | None  # None: the system's
    python: Path
    recipe: Recipe | None = None  # None: nothing to install, it is used as it is

    @property
    def is_ready(self) -> bool:
        """Milliseconds: what it is to be against the stamp that its complete installation left."""
        if self.folder is None or self.recipe is None:
            return self.python.exists()
        try:
            stamp = json.loads((self.folder / STAMP).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return stamp == self.recipe.stamp and self.python.exists()


def find_environment(settings: Settings, framework: str) -> Environment:
    """The environment that a trainer's runs use, made or not. Pure but for looking at the disk."""
    trainer = settings.trainers_dir / f"trainer-{framework}"
    by_hand = settings.trainers_dir / f"venv-{framework}"
    requirements = trainer / "requirements.txt"
    if python_of(by_hand).exists():
        return Environment(by_hand, python_of(by_hand))
    if not requirements.exists():
        return Environment(None, system_python())
    home = trainer if os.access(trainer, os.W_OK) else settings.envs_dir / framework
    recipe = Recipe(requirements, stamp_of(requirements), home / ".venv")
    if not recipe.link.is_symlink():  # one from before there were several
        single = Environment(recipe.link, python_of(recipe.link), recipe)
        if single.is_ready:
            return single
    return Environment(recipe.folder, python_of(recipe.folder), recipe)


def make_environment(
    settings: Settings, framework: str, say: Say, is_cancelled: Callable[[], bool] = lambda: False
) -> Environment:
    """The environment, made first if it must be; minutes, then, with a line through `say` each second. One caller
    makes it, others wait. Raises LaunchFailed, and Stopped once `is_cancelled`."""
    env = find_environment(settings, framework)
    if env.folder is None or env.recipe is None:
        return env
    if env.is_ready:
        show(env.folder, env.recipe.link)
        return env
    uv = find_uv(settings.data_dir)
    if uv is None:
        say(
            f"uv is not installed, so trainer-{framework} gets no environment of its own: it runs with the system's "
            "Python and what is installed there. `pip install uv` changes that."
        )
        return Environment(None, system_python())
    with _only_one(env.recipe.link, framework, say, is_cancelled):
        if not env.is_ready and env.recipe.is_current:
            _make(uv, env.recipe, framework, say, is_cancelled)
    if not env.recipe.is_current:  # edited while it was made
        return make_environment(settings, framework, say, is_cancelled)
    return env


def _make(uv: str, recipe: Recipe, framework: str, say: Say, is_cancelled: Callable[[], bool]) -> None:
    title = f"Making the environment of trainer-{framework}"
    folder = recipe.folder
    if recipe.warning:
        say(recipe.warning)
    say(title)
    # --clear: what an interrupted installation left behind may be half a package
    run_uv(uv, ["venv", "--clear", "--python", str(system_python()), str(folder)], title, say, is_cancelled)
    began = time.monotonic()
    installed = _install(uv, recipe, title, say, is_cancelled)
    if not recipe.is_current:
        return  # nobody knows which of the two was installed
    (folder / STAMP).write_text(json.dumps(recipe.stamp), encoding="utf-8")
    hint = f". {COPIED}" if installed.copied else ""
    say(f"The environment of trainer-{framework} is ready, after {time.monotonic() - began:.0f} s{hint}")
    show(folder, recipe.link)
    forget_old(folder)


def _install(uv: str, recipe: Recipe, title: str, say: Say, is_cancelled: Callable[[], bool]) -> Installed:
    install = ["pip", "install", "--python", str(python_of(recipe.folder))]
    if recipe.lock is not None:
        locked = [*install, "--require-hashes", "-r", str(recipe.lock)]
        try:
            return run_uv(uv, locked, title, say, is_cancelled)
        except LaunchFailed as failure:
            if not cannot_be_solved(failure):
                raise  # a hash that differs above all
        # the lock is for every system and Python, but somebody's newer Python may have wheels of newer versions only
        say(f"{title}: requirements.lock has not all for this system and Python, so it installs requirements.txt")
    return run_uv(uv, [*install, "-r", str(recipe.requirements)], title, say, is_cancelled)


class _only_one:
    """Holds the trainer's lock; says once who is waited for, and goes on looking whether the run was cancelled."""

    def __init__(self, link: Path, framework: str, say: Say, is_cancelled: Callable[[], bool]) -> None:
        link.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(f"{link}.lock")  # beside it: another installation may use the same trainer
        self._framework, self._say, self._is_cancelled = framework, say, is_cancelled

    def __enter__(self) -> None:
        said = False
        while True:
            try:
                self._lock.acquire(timeout=0.5)
            except Timeout:
                if self._is_cancelled():
                    raise Stopped from None
                if not said:
                    self._say(f"Waiting: another job is making the environment of trainer-{self._framework}")
                    said = True
            else:
                return

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def python_of(folder: Path) -> Path:
    """The interpreter of a virtual environment."""
    return folder / "Scripts" / "python.exe" if sys.platform == "win32" else folder / "bin" / "python"


def system_python() -> Path:
    """The interpreter below our own environment."""
    name = "python.exe" if sys.platform == "win32" else f"bin/python{sys.version_info.major}.{sys.version_info.minor}"
    base = Path(sys.base_prefix) / name
    return base if base.exists() else Path(sys.executable)
