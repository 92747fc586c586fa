"""The documents tell the truth: commands, options, paths, links, settings. Run as a program it writes docs/settings.md.

python -m tests.unit.test_docs
"""

import ast
import re
import shlex
import tomllib
from importlib import import_module
from itertools import zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import typer

from trainyard import __version__
from trainyard.api.routes import callbacks
from trainyard.cli.main import VERBS
from trainyard.cli.suites import SUITES
from trainyard.contract.environment import JobFacts, Platform, environment, script_extras
from trainyard.contract.vocabulary import Reason, State
from trainyard.jobs.states import ALLOWED

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "trainyard"
README, KOREAN, ARCHITECTURE = ROOT / "README.md", ROOT / "README.ko.md", ROOT / "ARCHITECTURE.md"
CONTRIBUTING, CHANGELOG, SETTINGS = ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "docs" / "settings.md"
OURS = [README, KOREAN, ARCHITECTURE, CONTRIBUTING, CHANGELOG, SETTINGS]
GUIDE = ROOT / "docs" / "plugin-guide.md"  # what it shows is run: tests/integration/test_plugin_guide_runs.py
DOCUMENTS = [*OURS, GUIDE, *sorted(ROOT.glob("trainer-*/README.md"))]
each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def blocks(path: Path) -> list[tuple[str, str]]:
    """Each code block as (language, text)."""
    return FENCE.findall(path.read_text())


def prose(path: Path) -> str:
    return FENCE.sub("", path.read_text())


def inline(path: Path) -> list[str]:
    """What stands between single backticks."""
    return CODE.findall(prose(path))


# -- commands ---------------------------------------------------------------------------------------------------------


def commands(path: Path) -> list[list[str]]:
    """Every call of trainyard that a document shows, as words after the program's name."""
    lines = [line for language, text in blocks(path) if language in ("", "sh") for line in text.splitlines()]
    calls = [re.match(r"(?:\./)?trainyard (?=[a-z-])(.*)", text.strip()) for text in [*lines, *inline(path)]]
    return [shlex.split(call[1], comments=True) for call in calls if call]


def options_of(command: Any) -> set[str]:
    return {name for parameter in command.params for name in parameter.opts} | {"--help", "-h"}


def problem_with(words: list[str]) -> str | None:
    verb, *rest = words
    if verb not in VERBS:
        return "" if verb in ("--help", "--version") else f"there is no verb {verb}"
    command: Any = typer.main.get_command(import_module(f"trainyard.cli.{VERBS[verb][0]}").app)
    if hasattr(command, "commands") and rest:
        if rest[0] not in command.commands:
            return f"{verb} has no {rest[0]}"
        command = command.commands[rest.pop(0)]
    if command.context_settings.get("ignore_unknown_options"):
        return None  # `test` hands the rest to pytest
    unknown = {word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)} - options_of(command)
    return f"{verb} has no {', '.join(sorted(unknown))}" if unknown else None


@each_document
def test_every_command_shown_exists_with_its_options(path: Path) -> None:
    problems = [f"{' '.join(words)}: {problem}" for words in commands(path) if (problem := problem_with(words))]
    assert not problems


def test_the_check_of_commands_finds_what_is_wrong() -> None:
    assert len(commands(README)) >= 20
    assert problem_with(["frobnicate"]) == "there is no verb frobnicate"
    assert problem_with(["up", "--detached"]) == "up has no --detached"
    assert problem_with(["datasets", "drop"]) == "datasets has no drop"
    assert problem_with(["datasets", "add", "x", "--id", "y"]) is None


def test_every_verb_is_shown_in_the_readme() -> None:
    assert {words[0] for words in commands(README)} >= set(VERBS)


def test_hints_in_the_code_name_verbs_that_exist() -> None:
    """`trainyard …` in errors and help texts."""
    for path in sorted(SOURCE.rglob("*.py")):
        named = set(re.findall(r"`(?:\./)?trainyard ([a-z][a-z-]*)", path.read_text()))
        assert named <= set(VERBS), f"{path.relative_to(ROOT)} names {named - set(VERBS)}"


def test_every_recipe_of_just_that_is_named_exists() -> None:
    recipes = set(re.findall(r"^([a-z][a-z-]*)(?: [^:=]*)?:", (ROOT / "justfile").read_text(), re.MULTILINE))
    shown = [line for language, text in blocks(CONTRIBUTING) if language == "sh" for line in text.splitlines()]
    named = {text.split()[1] for text in [*shown, *inline(CONTRIBUTING)] if text.startswith("just ")}
    assert named
    assert named <= recipes


def test_old_scripts_named_in_the_readme_are_there_with_their_parameters() -> None:
    rows = [line for line in README.read_text().splitlines() if ".ps1`" in line and line.startswith("|")]
    assert len(rows) == 6
    for row in rows:
        old = row.split("|")[1]
        script = (ROOT / CODE.findall(old)[0]).read_text()
        for parameter in re.findall(r"-([A-Z]\w+)", old):
            assert f"${parameter}" in script, f"{row}: {parameter}"


# -- paths and links --------------------------------------------------------------------------------------------------

FILE = re.compile(r"\.?[\w-]+(?:[/.][\w.-]+)*/?")
SUFFIXES = (".py", ".md", ".toml", ".lock", ".ps1", ".txt", ".yaml")
SHORT = [
    "utils.py",
    "common.py",
    "train.py",
    "predict.py",
    "job.py",
    "trainer.toml",
    "requirements.txt",
]  # in a trainer
PLACES = (ROOT, SOURCE)
MADE_LATER = (".trainyard/", "predictions/", "trainer-mine", "venv-", "trainer-ultralytics/.venv", ".venv")


def paths(path: Path) -> list[str]:
    """What looks like a path of this checkout: not a route, not a storage key, not something that is made later."""
    words = [word for text in inline(path) for word in text.split()]
    named = [word for word in words if FILE.fullmatch(word) and ("/" in word or word.endswith(SUFFIXES))]
    return [word for word in named if word not in SHORT and not word.startswith(MADE_LATER) and word != "data.yaml"]


@pytest.mark.parametrize("path", [*OURS[:4], GUIDE], ids=lambda path: path.name)
def test_every_path_named_exists(path: Path) -> None:
    missing = [name for name in paths(path) if not any((place / name).exists() for place in PLACES)]
    assert not missing


def test_the_check_of_paths_sees_them() -> None:
    found = paths(ARCHITECTURE)
    assert len(found) >= 60
    assert {"jobs/states.py", "executors/local/shim/", "trainer-template/utils.py"} <= set(found)


@each_document
def test_links_lead_somewhere(path: Path) -> None:
    for target in LINK.findall(prose(path)):
        if not urlsplit(target).scheme:
            assert (path.parent / target.partition("#")[0]).exists(), target


@each_document
def test_every_page_is_short(path: Path) -> None:
    limits = {GUIDE: 200, README: 170, KOREAN: 170}
    assert len(path.read_text().splitlines()) <= limits.get(path, 150)


# -- README -----------------------------------------------------------------------------------------------------------


def test_the_readme_runs_by_line_20() -> None:
    text = README.read_text()
    (language, first), *_ = blocks(README)
    assert language == "sh"
    assert [line.partition("#")[0].strip() for line in first.splitlines()] == ["./trainyard demo", "./trainyard test"]
    end = text[: text.index(first) + len(first)].count("\n") + 1
    assert end <= 20


def without_comments(text: str) -> list[str]:
    return [line.partition("#")[0].rstrip() for line in text.splitlines()]


def test_the_korean_readme_has_the_same_code_and_headings() -> None:
    for english, korean in zip_longest(blocks(README), blocks(KOREAN)):
        assert english[0] == korean[0]
        assert without_comments(english[1]) == without_comments(korean[1])
    assert [len(mark) for mark in headings(README)] == [len(mark) for mark in headings(KOREAN)]


def test_the_korean_readme_shows_the_same_commands_rows_and_links() -> None:
    assert commands(README) == commands(KOREAN)
    assert first_cells(README) == first_cells(KOREAN)
    links = [set(LINK.findall(prose(path))) for path in (README, KOREAN)]
    assert links[0] - {"README.ko.md"} == links[1] - {"README.md"}


def headings(path: Path) -> list[str]:
    return re.findall(r"^#+(?= )", prose(path), re.MULTILINE)


def first_cells(path: Path) -> list[list[str]]:
    """The code in the first cell of each table row: the same in every language."""
    rows = re.findall(r"^\|([^|]*)\|", prose(path), re.MULTILINE)
    return [CODE.findall(cell) for cell in rows]


def test_the_example_script_reads_only_what_train_sets() -> None:
    (script,) = (text for language, text in blocks(README) if language == "python")
    ast.parse(script)
    facts = JobFacts("local-1", "t", 1, "default", "detect", "ultralytics", "yolo11n", "cats-dogs", {"epochs": 3})
    platform = Platform("", "", "minio", "", "", 10, 4, "", "", "")
    given = environment(facts, platform) | script_extras(facts, platform)
    read = re.findall(r'os\.getenv\("(\w+)"', script)
    assert read == ["NUM_EPOCHS", "JOB_ID", "MODEL_NAME"]
    assert set(read) <= set(given)


def test_licences_are_what_the_readme_says() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
    declared = {
        path.parent.name: tomllib.loads(path.read_text())["license"] for path in ROOT.glob("trainer-*/trainer.toml")
    }
    assert {name for name, licence in declared.items() if licence == "AGPL-3.0"} == {"trainer-ultralytics"}
    assert "Affero" in (ROOT / "trainer-ultralytics" / "LICENSE").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["license"] == "Apache-2.0"


# -- ARCHITECTURE -----------------------------------------------------------------------------------------------------


def test_the_architecture_is_one_page_with_its_tables() -> None:
    text = ARCHITECTURE.read_text()
    assert len(text.splitlines()) <= 130
    change = text.partition("## To change X, open Y")[2].partition("\n## ")[0]
    assert len([line for line in change.splitlines() if line.startswith("|")]) - 2 >= 15
    old = text.partition("## Old names")[2].partition("\n## ")[0]
    for name in ("api_server", "training_manager", "_SERVICE_URL", "CALLBACK_URL", "INTERNAL_AUTH_TOKEN"):
        assert name in old


def test_the_state_diagram_shows_the_states_there_are() -> None:
    diagram = ARCHITECTURE.read_text().partition("## States")[2].partition("\nThe table")[0]
    assert set(re.findall(r"[A-Z]{6,}", diagram)) == set(State)
    assert State.QUEUED in ALLOWED[State.RUNNING]  # the arrow back
    assert State.SUCCEEDED in ALLOWED[State.QUEUED]  # the note below the arrows
    assert State.SUCCEEDED not in ALLOWED[State.PENDING]
    assert len(set(Reason)) > 10


def test_the_routes_named_exist() -> None:
    calls = {getattr(route, "path", "").rpartition("/")[2] for route in callbacks.router.routes}
    row = next(line for line in ARCHITECTURE.read_text().splitlines() if line.startswith("| `CALLBACK_URL`"))
    assert set(re.findall(r"/(\w+)`", row)) == calls


def test_the_suites_are_those_that_are_run() -> None:
    assert set(re.findall(r"^\| `tests/(\w+)`", CONTRIBUTING.read_text(), re.MULTILINE)) == set(SUITES)


def test_the_changelog_has_this_version_in_the_users_words() -> None:
    text = CHANGELOG.read_text()
    newest = re.findall(r"^## (.+)$", text, re.MULTILINE)[0]
    assert __version__ in newest or newest == "Unreleased"
    entries = re.findall(r"^- (.+)$", text, re.MULTILINE)
    assert len(entries) >= 5
    for entry in entries:
        assert not re.search(r"\.py\b|refactor|src/", entry), f"not a user's words: {entry}"
