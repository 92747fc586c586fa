"""Each clause finds the one trainer that breaks it, and no other clause blames that trainer."""

from concurrent.futures import Future
from pathlib import Path

import pytest

from tests.conformance.broken import BROKEN
from tests.conformance.conftest import judge_plain
from trainyard.conformance.clauses import CLAUSES
from trainyard.conformance.services import Services
from trainyard.conformance.verdict import Fail, Verdict


def told(verdicts: dict[str, Verdict]) -> dict[str, str]:
    return {name: f"{one.word}: {one.text}" for name, one in verdicts.items() if one.word in ("fail", "not judged")}


def test_a_sound_trainer_passes_every_clause(services: Services, tmp_path: Path) -> None:
    verdicts = judge_plain(services, tmp_path, None)
    assert {name: f"{one.word}: {one.text}" for name, one in verdicts.items() if one.word != "pass"} == {}


def test_there_is_a_broken_trainer_for_every_clause() -> None:
    assert list(BROKEN) == [clause.id for clause in CLAUSES]


@pytest.mark.parametrize("clause", BROKEN)
def test_a_trainer_that_breaks_one_clause_fails_that_clause_alone(
    clause: str, judged: dict[str, Future[dict[str, Verdict]]]
) -> None:
    verdicts = judged[clause].result()
    failed = {name for name, one in verdicts.items() if isinstance(one.result, Fail)}
    assert failed == {clause}, told(verdicts)
