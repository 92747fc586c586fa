"""The trainers that need no torch pass every clause; so does one that is started by a command of its own."""

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


# the first with the minute that a check takes by default
@pytest.mark.parametrize(("name", "away"), [("trainer-template", 60), ("trainer-sklearn", 5)])
def test_a_trainer_of_ours_passes_every_clause(name: str, away: float, services: Services, tmp_path: Path) -> None:
    folder = ROOT / name
    subject = find_subject(
        folder,
        Settings(),
        task=None,
        model=None,
        python=environment(folder / "requirements.txt"),
        assignments={},
        say=print,
    )
    verdicts, seen = check(Stage(subject, services, Timing(away=away), tmp_path), CLAUSES, 2, print)
    assert {one.clause.id: f"{one.word}: {one.text}" for one in verdicts if not one.good} == {}
    not_owed = {one.clause.id for one in verdicts if one.word == "n/a"}
    assert not_owed <= {"callbacks.nan"}, "neither trainer can be made to diverge; all else is judged"
    assert len(seen) == 22
