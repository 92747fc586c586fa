"""Each trainer's environment: made from uv's warm cache, found again, its size alone and shared, its imports.

The peer of the imports is the bare interpreter. All folders lie on the disk of uv's cache and are removed at the end.
"""

import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.real.installation import ROOT
from trainyard.contract.manifest import read_manifest
from trainyard.executors.local.envs import Environment, find_environment, make_environment
from trainyard.executors.local.variables import base_environment
from trainyard.settings import Settings, load_settings
from trainyard.uv import find_uv, uv_environment

FOUND, IMPORTS = 20, 5
HEAD = "trainer       made s  found ms  alone MB  unshared MB  first import s  later s  bare python s"
ROW = "{:8.1f}{:10.2f}{:10.0f}{:13.1f}{:16.2f}{:9.2f}{:15.3f}"
COPIED = ("trainer.toml", "requirements.txt", "requirements.lock")


@dataclass
class Figures:
    """Of one environment, in seconds, and its files as inode → bytes on disk."""

    framework: str
    made: float
    found: float
    files: dict[int, int]
    unshared: int  # bytes that neither uv's cache nor another environment has
    first_import: float
    later_import: float
    bare: float


def disk_of_uvs_cache(settings: Settings) -> Path:
    uv = find_uv(settings.data_dir)
    assert uv, "no uv: ./trainyard installs it"
    asked = subprocess.run([uv, "cache", "dir"], env=uv_environment(), capture_output=True, text=True, check=True)
    folder = Path(asked.stdout.strip())
    folder.mkdir(parents=True, exist_ok=True)
    return folder.parent


def timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def make(settings: Settings, framework: str) -> Environment:
    said: list[str] = []
    env = make_environment(settings, framework, said.append)
    assert not [line for line in said if "without the lock" in line or "has not all" in line], said
    return env


def sizes(folder: Path) -> tuple[dict[int, int], int]:
    files = [path.lstat() for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    unshared = sum(file.st_blocks * 512 for file in files if file.st_nlink == 1)
    return {file.st_ino: file.st_blocks * 512 for file in files}, unshared


def importing(env: Environment, home: Path, modules: list[str]) -> Callable[[], object]:
    variables = base_environment() | {"HOME": str(home), "CUDA_VISIBLE_DEVICES": ""}
    program = "; ".join(f"import {name}" for name in modules) or "pass"
    argv = [env.python, "-c", program]
    return lambda: subprocess.run(argv, env=variables, cwd=home, check=True, capture_output=True)


def measure(settings: Settings, framework: str) -> Figures:
    env = make(settings, framework)  # downloads what the cache lacks
    assert env.folder is not None
    shutil.rmtree(env.folder)
    seconds = timed(lambda: make(settings, framework))
    found = statistics.median(timed(lambda: find_environment(settings, framework).is_ready) for _ in range(FOUND))
    files, unshared = sizes(env.folder)
    home = settings.data_dir / f"home-{framework}"
    home.mkdir(parents=True)
    modules = read_manifest(settings.trainers_dir / f"trainer-{framework}" / "trainer.toml").preload
    act, bare = importing(env, home, modules), importing(env, home, [])
    first = timed(act)
    later = statistics.median(timed(act) for _ in range(IMPORTS))
    return Figures(
        framework, seconds, found, files, unshared, first, later, statistics.median(timed(bare) for _ in range(IMPORTS))
    )


def main() -> None:
    parent = disk_of_uvs_cache(load_settings())
    with tempfile.TemporaryDirectory(prefix="ty-bench-", dir=parent) as folder:
        settings = load_settings(_env_file=None, data_dir=Path(folder) / "data", trainers_dir=Path(folder))
        measured: list[Figures] = []
        print(HEAD, flush=True)
        for path in sorted(ROOT.glob("trainer-*/requirements.txt")):
            (settings.trainers_dir / path.parent.name).mkdir()
            for name in COPIED:
                shutil.copy(path.with_name(name), settings.trainers_dir / path.parent.name)
            made = measure(settings, path.parent.name.removeprefix("trainer-"))
            measured.append(made)
            cells = (made.made, made.found * 1000, sum(made.files.values()) / 1e6, made.unshared / 1e6)
            cells += (made.first_import, made.later_import, made.bare)
            print(f"{made.framework:12}" + ROW.format(*cells), flush=True)
        alone = sum(sum(made.files.values()) for made in measured)
        together: dict[int, int] = {}
        for made in measured:
            together |= made.files
        print(
            f"all of them: {alone / 1e6:,.0f} MB counted one by one, {sum(together.values()) / 1e6:,.0f} MB on the disk"
        )


if __name__ == "__main__":
    main()
