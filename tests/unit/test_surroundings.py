"""Which code a run is said to have started with: of its bundle, its folder or its image; and never a failure."""

from pathlib import Path

import pytest

from tests.unit.jobs_made import a_job
from trainyard.contract.vocabulary import Execution
from trainyard.executors.bundle import bundle_folder
from trainyard.images.record import Built, keep_built
from trainyard.jobs.surroundings import code_of
from trainyard.settings import Settings, load_settings

BUILT = Built("here/trainer-sklearn:code-1", "here/trainer-sklearn:1", "c" * 64, "", "2026-11-21T10:00:00Z")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    folder = tmp_path / "trainers" / "trainer-sklearn"
    folder.mkdir(parents=True)
    (folder / "train.py").write_text("print(1)\n")
    return load_settings(_env_file=None, data_dir=tmp_path / "data", trainers_dir=tmp_path / "trainers")


def test_a_local_run_has_the_hash_that_its_folder_would_travel_with(settings: Settings) -> None:
    folder = settings.trainers_dir / "trainer-sklearn"
    before = code_of(settings, a_job()).hash
    assert before == bundle_folder(folder).hash
    (folder / "train.py").write_text("print(2)\n")
    assert code_of(settings, a_job()).hash != before


def test_a_script_of_elsewhere_has_one_of_its_own(settings: Settings, tmp_path: Path) -> None:
    script = tmp_path / "mine" / "mine.py"
    script.parent.mkdir()
    script.write_text("print(3)\n")
    mine = code_of(settings, a_job(script=str(script))).hash
    assert mine is not None
    assert mine != code_of(settings, a_job()).hash


def test_a_bundle_is_known_already(settings: Settings) -> None:
    assert code_of(settings, a_job(execution=Execution.K8S, code_hash="b" * 64, framework="gone")).hash == "b" * 64


@pytest.mark.parametrize("image", [BUILT.pinned, BUILT.tag])
def test_an_image_that_was_delivered_has_the_hash_of_what_is_in_it(settings: Settings, image: str) -> None:
    keep_built(settings, "sklearn", BUILT)
    assert code_of(settings, a_job(execution=Execution.IMAGE, image=image)).hash == BUILT.code_hash
    assert code_of(settings, a_job(execution=Execution.IMAGE, image="here/another:1")).hash is None
    assert code_of(settings, a_job(execution=Execution.IMAGE, image=None)).hash is None


def test_what_cannot_be_read_is_unknown_and_fails_nothing(settings: Settings) -> None:
    assert code_of(settings, a_job(framework="gone")).hash is None
    assert code_of(settings, a_job(script="/nowhere/script.py")).hash is None
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    (settings.data_dir / "images.json").write_text("{ half")
    assert code_of(settings, a_job(execution=Execution.IMAGE, image=BUILT.tag)).hash is None
