"""`trainyard new-trainer`: what it makes is listed and trained by a running backend, and a wrong name makes nothing."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract.running import ROOT
from tests.real.backend import Backend
from tests.real.shell import Shell
from trainyard.cli import trainer_copy
from trainyard.cli.trainer_copy import copy_trainer
from trainyard.contract.manifest import read_manifest
from trainyard.errors import Conflict, InvalidInput, NotAvailable, NotFound, TrainyardError
from trainyard.executors.local.recipes import lock_of
from trainyard.jobs.trainers import Catalog
from trainyard.settings import Settings, load_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Trainers live in a folder of their own here, empty at first: the template comes from the checkout."""
    folder = tmp_path / "trainers"
    folder.mkdir()
    return load_settings(_env_file=None, data_dir=tmp_path / "data", trainers_dir=folder)


def listed(settings: Settings) -> list[str]:
    return sorted(path.name for path in settings.trainers_dir.iterdir())


def test_a_new_trainer_is_listed_by_a_running_backend_and_its_training_succeeds(
    make_backend: Callable[..., Backend], tmp_path: Path
) -> None:
    trainers = tmp_path / "trainers"
    trainers.mkdir()
    backend = make_backend(trainers_dir=str(trainers)).start().with_sample()
    assert backend.ask("GET", "/v1/trainers")["items"] == []

    shell = Shell(backend, tmp_path)
    said = shell.run("new-trainer", "my-first")
    folder = trainers / "trainer-my-first"
    assert said.out.strip() == str(folder)
    assert [line.split()[:2] for line in said.err.splitlines()[1:]] == [
        ["edit", str(folder / "train.py")],
        ["trainyard", "train"],
        ["trainyard", "check"],
    ]
    (found,) = backend.ask("GET", "/v1/trainers")["items"]
    assert (found["framework"], found["usable"]) == ("my-first", True)
    assert found["manifest"]["title"] == "My first"
    assert re.search(r"^my-first .* Apache-2\.0 .* My first", shell.run("trainers").out, re.MULTILINE)
    assert "licence: Apache-2.0" in shell.run("trainers", "my-first").out

    job = backend.submit(framework="my-first", params={"epochs": 2})
    ended = backend.wait_end(job, seconds=240)
    assert (ended["state"], ended["framework"]) == ("SUCCEEDED", "my-first"), backend.log_text(job)
    assert len(backend.curve(job, "val/accuracy")) == 2
    assert {"checkpoint", "sample"} <= {event["type"] for event in backend.events(job)}


def test_its_files_bear_its_name_and_its_lock_belongs_to_its_requirements(settings: Settings) -> None:
    made = copy_trainer(settings, "template", "mine")
    assert made.folder == settings.trainers_dir / "trainer-mine"
    manifest = read_manifest(made.folder / "trainer.toml")
    assert (manifest.framework, manifest.title) == ("mine", "Mine")
    assert "trainer-template" in manifest.description
    assert (made.folder / "README.md").read_text().startswith("# trainer-mine\n")
    assert 'title="trainer-mine"' in (made.folder / "Dockerfile").read_text()
    assert lock_of(made.folder / "requirements.txt") == made.folder / "requirements.lock"
    (trainer,) = Catalog(settings.trainers_dir).all()
    assert (trainer.framework, trainer.problem) == ("mine", "")


def test_all_but_its_names_is_the_template(settings: Settings) -> None:
    folder = copy_trainer(settings, "template", "mine").folder
    origin = ROOT / "trainer-template"
    named = {"trainer.toml", "README.md", "Dockerfile"}
    for path in folder.iterdir():
        if path.name not in named:
            assert path.read_bytes() == (origin / path.name).read_bytes(), path.name
    copied, original = (tomllib.loads((place / "trainer.toml").read_text()) for place in (folder, origin))
    assert {name for name in original if copied[name] != original[name]} == {"framework", "title", "description"}


def test_what_a_person_or_a_run_made_in_the_source_is_not_copied(settings: Settings) -> None:
    source = copy_trainer(settings, "template", "worked-with").folder
    for name in (".venvs/0123/bin/python", "__pycache__/train.pyc", "old.pyc", ".venv.lock", ".env", ".git/HEAD"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("x")
    (source / ".venv").symlink_to(".venvs/0123")
    before = {path.name for path in copy_trainer(settings, "template", "fresh").folder.iterdir()}
    after = {path.name for path in copy_trainer(settings, "worked-with", "copied").folder.iterdir()}
    assert after == before


def test_a_copy_of_a_trainer_under_another_licence_takes_it_along_and_it_is_said(
    make_backend: Callable[..., Backend], tmp_path: Path
) -> None:
    (tmp_path / "trainers").mkdir()
    shell = Shell(make_backend(trainers_dir=str(tmp_path / "trainers")), tmp_path)  # no backend runs: none is needed
    said = shell.run("new-trainer", "birds", "--from", "ultralytics")
    folder = tmp_path / "trainers" / "trainer-birds"
    assert (folder / "LICENSE").read_bytes() == (ROOT / "trainer-ultralytics" / "LICENSE").read_bytes()
    assert read_manifest(folder / "trainer.toml").license == "AGPL-3.0"
    assert "under AGPL-3.0: so is this" in said.err


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("template", "called so itself"),
        ("trainer-mine", "write 'mine'"),
        ("Mine", "Small letters"),
        ("../mine", "Small letters"),
        ("mi ne", "Small letters"),
        ("-mine", "no hyphen first"),
        ("", "Small letters"),
        ("m" * 42, "at most 41"),
        ("mine\n", "Small letters"),
    ],
)
def test_a_name_that_cannot_be_is_refused_in_words_and_nothing_is_made(
    settings: Settings, name: str, words: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        copy_trainer(settings, "template", name)
    assert words in str(refused.value)
    assert listed(settings) == []


def test_a_name_that_is_taken_is_refused_and_the_folder_is_left_as_it_is(settings: Settings) -> None:
    taken = settings.trainers_dir / "trainer-mine"
    taken.mkdir()
    (taken / "notes").write_text("keep")
    with pytest.raises(Conflict, match="There is a trainer-mine already"):
        copy_trainer(settings, "template", "mine")
    assert [path.name for path in taken.iterdir()] == ["notes"]


@pytest.mark.parametrize("source", ["nowhere", "../../etc", ""])
def test_a_source_that_is_not_there_is_named_with_those_that_are(settings: Settings, source: str) -> None:
    with pytest.raises(NotFound, match=r"There are: .*sklearn, template, .*ultralytics"):
        copy_trainer(settings, source, "mine")
    assert listed(settings) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("framework = ", "not valid TOML"),
        ('"framework" = "odd"\ntitle = "Odd"\n', "in a line of its own"),
    ],
)
def test_a_source_that_cannot_be_read_is_not_copied(settings: Settings, text: str, words: str) -> None:
    source = copy_trainer(settings, "template", "odd").folder / "trainer.toml"
    whole = source.read_text()
    source.write_text(text if "not valid" in words else text + whole.split("\n", 2)[2])
    with pytest.raises(InvalidInput, match=words):
        copy_trainer(settings, "odd", "mine")
    assert listed(settings) == ["trainer-odd"]


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_copy_that_is_broken_off_leaves_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    def broken(*_: Any) -> None:
        raise failure

    monkeypatch.setattr(trainer_copy, "_rename", broken)
    with pytest.raises((NotAvailable, KeyboardInterrupt)) as ended:
        copy_trainer(settings, "template", "mine")
    assert listed(settings) == []
    if isinstance(ended.value, TrainyardError):
        assert "No space left" in ended.value.message
