"""Every trainer of ours passes every clause, those with torch on their smallest models."""

from pathlib import Path

import pytest

from tests.contract.conftest import environment
from tests.contract.running import ROOT
from trainyard.conformance.clauses import CLAUSES
from trainyard.conformance.kit import check
from trainyard.conformance.run import Stage
from trainyard.conformance.services import Services
from trainyard.conformance.subject import find_subject
from trainyard.conformance.timing import Timing
from trainyard.settings import Settings

CASES = [  # the first is away for the minute that a check takes by default
    ("template", None, {}, 60),
    ("sklearn", None, {}, 5),
    ("timm", "test_resnet", {"image_size": "32"}, 15),
    ("huggingface", "resnet-tiny", {"image_size": "32"}, 15),
    ("ultralytics", "yolo11n", {"image_size": "32"}, 15),
]


@pytest.mark.timeout(900)  # 22 starts, each imports torch; two at a time
@pytest.mark.parametrize(("name", "model", "small", "away"), CASES, ids=[case[0] for case in CASES])
def test_a_trainer_of_ours_passes_every_clause(
    name: str, model: str | None, small: dict[str, str], away: float, services: Services, tmp_path: Path
) -> None:
    folder = ROOT / f"trainer-{name}"
    python = environment(folder / "requirements.txt")
    subject = find_subject(folder, Settings(), task=None, model=model, python=python, assignments=small, say=print)
    verdicts, seen = check(Stage(subject, services, Timing(away=away), tmp_path), CLAUSES, 2, print)
    assert {one.clause.id: f"{one.word}: {one.text}" for one in verdicts if not one.good} == {}
    not_owed = {one.clause.id for one in verdicts if one.word == "n/a"}
    assert not_owed <= {"callbacks.nan"}, "not every trainer can be made to diverge; all else is judged"
    assert len(seen) == 22
