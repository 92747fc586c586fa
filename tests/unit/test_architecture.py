"""The house rules that a machine can hold: import direction, sizes, no cycles, nothing of this machine in the files."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "trainyard"

# who may import whom: a layer sees itself and everything below it
LAYERS = [
    {"cli", "api", "stack", "conformance"},
    {"jobs", "callbacks", "predictions", "datasets", "weights", "webhooks", "identity"},
    {"executors", "images", "events", "logs", "storage", "tracking", "db"},
    {"contract", "settings", "errors", "uv"},
]
CLI_MAY_IMPORT = {"cli", "stack", "conformance", "contract", "settings", "errors"}
# what would be sent to a cluster is shown without a backend, by the functions that build it; images are built here; a
# database is copied whether or not a backend runs, and restored only while none does
BEYOND_HTTP = {
    "db.py": {"db"},
    "dry_run.py": {"executors", "jobs"},
    "away.py": {"executors"},
    "build.py": {"images"},
    "cluster.py": {"images"},
}


def python_files() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def room(path: Path) -> str:
    relative = path.relative_to(SOURCE)
    return relative.parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("trainyard"):
            parts = node.module.split(".")
            if len(parts) > 1:
                yield parts[1], node.lineno
            else:
                yield from ((alias.name, node.lineno) for alias in node.names if (SOURCE / alias.name).exists())


def layer_of(name: str) -> int:
    return next((number for number, layer in enumerate(LAYERS) if name in layer), 0)


@pytest.mark.parametrize("path", python_files(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_one_way(path: Path) -> None:
    here = room(path)
    upward = [f"{name} (line {line})" for name, line in imports(path) if layer_of(name) < layer_of(here)]
    assert not upward, f"{here} may not import {', '.join(upward)}"
    if here == "cli":
        beyond = {name for name, _ in imports(path)} - CLI_MAY_IMPORT - BEYOND_HTTP.get(path.name, set())
        assert not beyond, f"the CLI reaches {beyond} through HTTP only"
    if here == "executors":
        assert "jobs" not in {name for name, _ in imports(path)}


def modules(path: Path) -> Iterator[str]:
    """The modules of ours that a file imports when it is loaded."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("trainyard"):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if file_of(inner) else node.module


def file_of(module: str) -> Path | None:
    base = ROOT / "src" / Path(*module.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.exists()), None)


def test_there_are_no_import_cycles() -> None:
    graph: dict[Path, set[Path]] = {}
    for path in python_files():
        graph[path] = {found for name in modules(path) if (found := file_of(name)) and found != path}
    done: set[Path] = set()

    def visit(path: Path, trail: list[Path]) -> None:
        assert path not in trail, " → ".join(str(p.relative_to(SOURCE)) for p in [*trail[trail.index(path) :], path])
        if path not in done:
            for following in graph.get(path, ()):
                visit(following, [*trail, path])
            done.add(path)

    for path in graph:
        visit(path, [])


SIZED = [*python_files(), *sorted(ROOT.glob("trainer-*/*.py")), *sorted((ROOT / "bench").glob("*.py"))]
SIZED += sorted((ROOT / "tests").rglob("*.py"))
SIZED = [path for path in SIZED if path.parent.name != "versions"]  # migrations are written by Alembic


@pytest.mark.parametrize("path", SIZED, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_small_rooms(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 500, "over 500 lines: split it by what it is about"
    long = [
        f"{node.name} ({(node.end_lineno or 0) - node.lineno + 1} lines)"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and (node.end_lineno or 0) - node.lineno > 60
    ]
    assert not long, f"longer than a screen: {', '.join(long)}"


@pytest.mark.parametrize("path", python_files(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_every_module_says_what_it_is(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring, "begin the module with one line that says what it is for"


def test_there_are_no_drawers() -> None:
    assert not [path for path in python_files() if path.stem in ("utils", "common", "helpers", "misc")]


def test_states_are_written_in_one_place_only() -> None:
    writers = [
        path
        for path in python_files()
        if re.search(r"jobs\.update\(\)[^\n]*\n?[^\n]*state=|\"state\": then", path.read_text())
    ]
    assert [path.relative_to(SOURCE).as_posix() for path in writers] == ["jobs/transition.py"]


def test_lock_files_name_no_host() -> None:
    locks = [path for path in tracked_files() if path.suffix == ".lock" or path.name == "package-lock.json"]
    assert len(locks) >= 2
    for path in locks:
        text = re.sub(r'"funding": (\{[^}]*\}|\[[^\]]*\])', "", path.read_text())  # whom to thank, not where to load
        assert not re.search(r"https?://|--index-url|--find-links|resolved", text), path.name


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    # spelled in pieces, so that this file does not find itself
    marks = ["/" + "work/", "/" + "root/", "/" + "opt/wheels", "pypi" + ".org", "python" + "hosted", "npm" + "js.org"]
    for path in tracked_files():
        if path.suffix in (".png", ".jpg", ".zip", ".xz"):
            continue
        text = path.read_text(errors="replace")
        found = [mark for mark in marks if mark in text]
        assert not found, f"{path.relative_to(ROOT)} names {found}"


def test_trainers_know_nothing_of_trainyard_and_of_each_other() -> None:
    for path in sorted(ROOT.glob("trainer-*/*.py")):
        assert not re.search(r"^\s*(?:from|import)\s+trainyard\b", path.read_text(), re.MULTILINE), path
