"""docs/settings.md is the table that the code has. Run as a program it writes that table anew.

python -m tests.unit.test_docs_settings
"""

import re
from enum import Enum
from pathlib import Path
from typing import Literal, get_origin

import pytest

from tests.unit.test_docs import DOCUMENTS, ROOT, SETTINGS
from trainyard.settings import Settings, checkout, load_settings

BY_MACHINE = {  # defaults that are found out at start-up
    "data_dir": "`.trainyard` in the clone, else in the home folder",
    "trainers_dir": "the clone, else the current folder",
    "slots": "half the CPUs",
}


def spelled(name: str) -> str:
    """A setting's default as the table shows it."""
    if name in BY_MACHINE:
        return BY_MACHINE[name]
    default = Settings.model_fields[name].default
    if default in ("", None):
        return "empty"
    return f"`{default.value if isinstance(default, Enum) else default}`"


def variables(name: str) -> str:
    alias = Settings.model_fields[name].validation_alias
    names = getattr(alias, "choices", None) or [f"TRAINYARD_{name.upper()}"]
    return " or ".join(f"`{each}`" for each in names)


def table() -> str:
    fields = Settings.model_fields.items()
    rows = [f"| {variables(name)} | {spelled(name)} | {field.description} |" for name, field in fields]
    return "\n".join(["| Variable | Default | Meaning |", "|---|---|---|", *rows]) + "\n"


def with_table(text: str) -> str:
    """The page with the table as the code has it."""
    before, _, rest = text.partition("| Variable |")
    return before + table() + rest[rest.index("\n\n") + 1 :]


def test_the_table_of_settings_is_true() -> None:
    text = SETTINGS.read_text()
    assert text == with_table(text), "python -m tests.unit.test_docs_settings writes it anew"
    assert text.count("\n| `") == len(Settings.model_fields)
    assert text.count("| Variable |") == 1


def test_every_setting_has_a_meaning() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert (field.default_factory is not None) == (name in BY_MACHINE), name
        assert "|" not in field.description


def test_defaults_found_at_start_up_are_as_described(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in BY_MACHINE:
        monkeypatch.delenv(f"TRAINYARD_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)  # no .env
    monkeypatch.setattr("os.cpu_count", lambda: 6)
    settings = Settings()
    assert checkout() == ROOT
    assert (settings.data_dir, settings.trainers_dir, settings.slots) == (ROOT / ".trainyard", ROOT, 3)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_each_variable_of_the_table_is_read(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # no .env
    default = Settings.model_fields[name].default
    chosen = isinstance(default, Enum) or get_origin(Settings.model_fields[name].annotation) is Literal
    value = str(default) if chosen else "7"  # which fits numbers, texts and paths
    for variable in re.findall(r"\w+", variables(name).replace(" or ", " ")):
        monkeypatch.setenv(variable, value)
        assert name in load_settings().model_fields_set
        monkeypatch.delenv(variable)
        assert name not in load_settings().model_fields_set


def test_the_settings_name_no_host() -> None:
    text = SETTINGS.read_text()
    assert "://" not in text
    assert set(re.findall(r"\b\d+\.\d+\.\d+\.\d+\b", text)) <= {"127.0.0.1"}


def test_settings_named_elsewhere_exist() -> None:
    beyond = {"TRAINYARD_PYTHON", "TRAINYARD_DEBUG"}  # the start script's and the command line's own
    known = set(re.findall(r"TRAINYARD_[A-Z0-9_]+", table())) | beyond
    for path in DOCUMENTS:
        named = set(re.findall(r"TRAINYARD_[A-Z0-9_]*[A-Z0-9]", path.read_text()))
        assert named <= known, f"{path.name} names {named - known}"


if __name__ == "__main__":
    SETTINGS.write_text(with_table(SETTINGS.read_text()))
