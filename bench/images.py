"""A trainer's image: built without a cache, after an edit of its code, and its imports inside of it.

The peer of the edit is the same Dockerfile with its code before its packages, as many are written. Images are removed
at the end. Without names: sklearn; the torch ones are gigabytes: python -m bench.images ultralytics
"""

import os
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from tests.real.installation import ROOT
from trainyard.contract.manifest import read_manifest
from trainyard.images.build import build
from trainyard.images.builders import Builder, find_builder
from trainyard.images.plan import Plan, plan
from trainyard.settings import Settings, load_settings

EDITS = 5
HEAD = "trainer       first s  edited s (of 5)  code first: edited s  imports s  size"


def timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


class Bench:
    """One trainer's copy, and the names its images get."""

    def __init__(self, settings: Settings, builder: Builder, framework: str) -> None:
        self.settings, self.builder, self.framework = settings, builder, framework
        self.folder = settings.trainers_dir / f"trainer-{framework}"
        ignored = shutil.ignore_patterns(".venv*", "__pycache__")
        shutil.copytree(ROOT / self.folder.name, self.folder, symlinks=True, ignore=ignored)
        self.image = f"localhost/bench-{framework}-{secrets.token_hex(3)}:dev"
        self.tags: set[str] = {self.image}

    def planned(self, *options: str) -> Plan:
        own = os.environ.get("TRAINYARD_BUILD_OPTIONS", "").split()
        made = plan(self.settings, self.builder, self.framework, self.image, options=[*own, *options])
        self.tags.add(made.code_image)
        return made

    def edited(self) -> float:
        with (self.folder / "train.py").open("a") as script:
            script.write(f"\n# {secrets.token_hex(8)}\n")
        made = self.planned()
        return timed(lambda: build(made, quiet))

    def code_first(self) -> None:
        """The packages' step after the code's: each edit makes it anew."""
        text = (self.folder / "Dockerfile").read_text()
        (copy,) = [line for line in text.splitlines() if line.startswith("COPY requirements")]
        (self.folder / "Dockerfile").write_text(text.replace(copy, "COPY . ."))

    def imports(self) -> float:
        modules = read_manifest(self.folder / "trainer.toml").preload
        program = "; ".join(f"import {name}" for name in modules) or "pass"
        with self._container() as run:
            return timed(lambda: subprocess.run([*run, "python", "-c", program], check=True))

    @contextmanager
    def _container(self) -> Generator[list[str]]:
        name = self.builder.program
        if self.builder.name != "buildah":
            yield [name, "run", "--rm", "--entrypoint", "", self.image]
            return
        made = subprocess.run([name, "from", "--pull-never", self.image], check=True, capture_output=True, text=True)
        container = made.stdout.strip()
        try:
            yield [name, "run", "--isolation", "chroot", "--network", "host", container, "--"]
        finally:
            subprocess.run([name, "rm", container], check=True, capture_output=True)

    def size(self) -> str:
        asked = [self.builder.program, "images", "--format", "{{.Size}}", self.image]
        return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()

    def remove(self) -> None:
        remove = ["rmi"] if self.builder.name == "buildah" else ["image", "rm"]
        for tag in self.tags:
            subprocess.run([self.builder.program, *remove, tag], check=False, capture_output=True)


def quiet(line: str) -> None:
    """A builder's lines are no figures."""


def measure(bench: Bench) -> str:
    made = bench.planned("--no-cache")
    first = timed(lambda: build(made, quiet))
    build(bench.planned(), quiet)  # a build without a cache leaves none that is used
    edits = [bench.edited() for _ in range(EDITS)]
    imports, size = bench.imports(), bench.size()
    bench.code_first()
    peer = bench.edited()
    spread = f"{statistics.median(edits):.1f} ({min(edits):.1f} to {max(edits):.1f})"
    return f"{bench.framework:12}{first:9.1f}  {spread:>16}{peer:23.1f}{imports:11.1f}  {size}"


def main() -> None:
    builder = find_builder(os.environ.get("TRAINYARD_BUILDER", ""))
    print(f"{builder.name}, {os.cpu_count()} cores\n{HEAD}", flush=True)
    for framework in sys.argv[1:] or ["sklearn"]:
        with tempfile.TemporaryDirectory(prefix="ty-bench-") as folder:
            settings = load_settings(_env_file=None, data_dir=Path(folder) / "data", trainers_dir=Path(folder))
            bench = Bench(settings, builder, framework)
            try:
                print(measure(bench), flush=True)
            finally:
                bench.remove()


if __name__ == "__main__":
    main()
