"""Clauses judge what was seen and nothing else: the same evidence gives the same verdict, without any service."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from trainyard.conformance.clauses import CLAUSES
from trainyard.conformance.evidence import Announced, Evidence
from trainyard.conformance.gate import Request
from trainyard.conformance.recorder import Call
from trainyard.conformance.report import count
from trainyard.conformance.scenarios import SCENARIOS
from trainyard.conformance.services import PICTURES
from trainyard.conformance.timing import Timing
from trainyard.conformance.traces import changes, snapshot, strays
from trainyard.conformance.verdict import Fail, NotApplicable, NotJudged, Pass, Result, Verdict

JUDGES = {clause.id: clause.judge for clause in CLAUSES}


def call(kind: str, seq: int, at: float, **body: Any) -> Call:
    return Call(kind, "job-1", "token", {"attempt": 1, "seq": seq, **body}, at)


def event(name: str, seq: int, at: float, **data: Any) -> Call:
    return call("event", seq, at, type=name, data=data)


def run(scenario: str, *calls: Call, code: int | None = 0, **changes: Any) -> Evidence:
    empty = Evidence(scenario, Path(), "1", "trace", 1, 2, code=code)
    return replace(empty, arrived=calls, taken=calls, **changes)


def whole(*between: Call, **changes: Any) -> dict[str, Evidence]:
    calls = (event("running", 1, 0.0), *between, call("done", 90, 9.0, status="succeeded"))
    return {"whole": run("whole", *calls, **changes)}


def judge(clause: str, seen: dict[str, Evidence]) -> Result:
    return JUDGES[clause](seen)


def test_every_clause_needs_scenarios_that_there_are() -> None:
    there = {scenario.id for scenario in SCENARIOS}
    assert all(set(clause.needs) <= there for clause in CLAUSES)
    assert {name for clause in CLAUSES for name in clause.needs} == there, "a scenario that nobody judges"
    assert len({clause.id for clause in CLAUSES}) == len(CLAUSES)


def test_silence_is_measured_between_calls_up_to_done() -> None:
    steady = [call("heartbeat", seq, seq / 2) for seq in range(2, 18)]
    held = {"requests": (Request("GET", "/check/datasets/a.zip", 5.0),)}
    assert isinstance(judge("callbacks.timer", whole(*steady, **held)), Pass)
    silent = judge("callbacks.timer", whole(*steady[:8], **held))
    assert isinstance(silent, Fail)
    assert "silent for 4.5 s" in silent.seen
    others = [event("mlflow_run", seq, seq / 2) for seq in range(2, 18)]
    assert isinstance(judge("callbacks.timer", whole(*others, **held)), Fail), "no heartbeat among them"


def test_a_call_may_come_twice_but_no_number_may_come_late() -> None:
    twice = [call("heartbeat", 2, 1.0), call("heartbeat", 2, 2.0), call("heartbeat", 3, 3.0)]
    assert isinstance(judge("callbacks.order", whole(*twice)), Pass)
    late = judge("callbacks.order", whole(call("heartbeat", 3, 1.0), call("heartbeat", 2, 2.0)))
    assert isinstance(late, Fail)
    assert late.seen == "seq 2 came after 3"


def test_a_checkpoint_that_was_not_there_when_it_was_announced_fails() -> None:
    key = "checkpoints/job-1/best.pt"
    complete = whole(announced=(Announced(key, 10),), stored={key: 10})
    early = whole(announced=(Announced(key, None), Announced(key, 10)), stored={key: 10})
    assert isinstance(judge("storage.announced", complete), Pass)
    assert isinstance(judge("storage.announced", early), Fail)
    assert isinstance(judge("storage.announced", whole(stored={key: 10})), Fail), "it was never announced"


def epochs(scenario: str, *losses: float, first: int = 1, speed: float = 9.0, **changes: Any) -> Evidence:
    """A run that told these epochs, each with a last.pt, and how fast it was."""
    told = [
        call("heartbeat", seq, 1.0, epoch=seq, metrics={"val/loss": loss, "images/s": speed + seq, "lr": 1 / seq})
        for seq, loss in enumerate(losses, first)
    ]
    saved = [event("checkpoint", 100 + one.seq, 1.0, key="checkpoints/job-1/last.pt", epoch=one.seq) for one in told]
    return run(scenario, *told, *saved, **changes)


READ = {"requests": (Request("GET", "/check/checkpoints/job-1/last.pt", 5.0),)}
PARENT = epochs("interrupt", 0.9, 0.6, 0.5)


@pytest.mark.parametrize(
    ("resumed", "expected"),
    [
        (epochs("resume", 0.45, first=4, **READ), Pass),
        (epochs("resume", 0.45, first=4), Fail),  # it never read the checkpoint
        (epochs("resume", 0.6, first=2, **READ), Fail),  # it read another than the last
        (epochs("resume", 0.45, **READ), Pass),  # a fresh schedule from its weights
        (epochs("resume", 0.9, speed=30, **READ), Fail),  # read and ignored, on a machine that was faster
        (epochs("resume", 0.85, **READ), Fail),  # the same with other random numbers
        (run("resume", call("done", 9, 1.0, status="failed"), code=1, **READ), Fail),
        (replace(epochs("resume"), unable="the interrupted run left no last.pt"), NotJudged),
    ],
)
def test_a_resumed_run_has_to_show_what_the_checkpoint_had_learnt(resumed: Evidence, expected: type[Result]) -> None:
    assert isinstance(judge("storage.resume", {"interrupt": PARENT, "resume": resumed}), expected)


def test_a_parent_that_learnt_nothing_proves_no_fresh_schedule() -> None:
    seen = {"interrupt": epochs("interrupt", 0.9, 0.9), "resume": epochs("resume", 0.9, **READ)}
    assert isinstance(judge("storage.resume", seen), NotJudged)


@pytest.mark.parametrize(("after", "code", "good"), [(2, 0, True), (12, 0, False), (0, 143, False)])
def test_after_a_401_it_trains_on_and_calls_no_more(after: int, code: int, good: bool) -> None:
    calls = [call("heartbeat", seq, float(seq)) for seq in range(1, 2 + after)]
    stored = {"checkpoints/job-1/last.pt": 10}
    seen = {"refused": run("refused", *calls, code=code, stored=stored, moments={"refused": 1.5})}
    assert isinstance(judge("backend.refused-token", seen), Pass) == good


SOUND = [{"input": key, "label": "box", "confidence": 0.5} for key in PICTURES]


@pytest.mark.parametrize(
    ("predictions", "task", "good"),
    [
        (SOUND, "classify", True),
        ([{**SOUND[0], "box": [1, 2, 3, 4.5], "more": 1}], "detect", True),
        ([], "detect", True),
        ([], "classify", False),
        ([{"foo": 1}], "classify", False),
        ([{**SOUND[0], "input": "another.png"}], "classify", False),
        ([{**SOUND[0], "confidence": 93}], "classify", False),
        ([{**SOUND[0], "label": 3}], "classify", False),
        ([{**SOUND[0], "box": [1, 2, 3]}], "detect", False),
    ],
)
def test_each_prediction_is_looked_at(predictions: list[dict[str, Any]], task: str, good: bool) -> None:
    answer = {"predictions": predictions, "count": len(predictions)}
    cold = run("predict", stdout=f"loading\n{json.dumps(answer)}\n", task=task)
    assert isinstance(judge("predict.cold", {"predict": cold}), Pass) == good
    warm = run("serve", answers=({"log": 1}, {"ready": True}, {"id": "question-1", **answer}), task=task)
    assert isinstance(judge("predict.warm", {"serve": warm}), Pass) == good


def test_files_in_its_home_s_caches_and_beside_its_temporary_folder_are_found(tmp_path: Path) -> None:
    own, home, shared = (tmp_path / name for name in ("own", "home", "shared"))
    for folder in (own, home / ".config", shared):
        folder.mkdir(parents=True)
    (home / ".config" / "before").touch()
    before = snapshot(own, [home])
    (own / "__pycache__").mkdir()
    (home / ".cache").mkdir()
    (home / ".config" / "settings.json").touch()
    (shared / "cache-job-1.bin").touch()
    (shared / "another").touch()
    found = changes(before, snapshot(own, [home]))
    assert found == (str(home / ".cache"), str(home / ".config" / "settings.json"))
    assert strays("job-1", [shared, tmp_path / "nowhere"]) == (str(shared / "cache-job-1.bin"),)


def test_patience_multiplies_what_is_waited_and_not_what_is_held_back() -> None:
    quick, patient = Timing(away=5), Timing(away=5).patient(3)
    assert (patient.silence, patient.grace, patient.pace, patient.start, patient.run) == (7.5, 90, 60, 360, 900)
    assert (patient.away, patient.hold, patient.beat, patient.slow) == (5, quick.hold, quick.beat, quick.slow)


def test_what_cannot_be_seen_is_not_judged_and_never_passes() -> None:
    nothing = {scenario.id: run(scenario.id, code=1) for scenario in SCENARIOS}
    lenient = {"clean.files", "clean.processes", "clean.secrets", "ends.failed-code", "callbacks.nan"}
    for clause in CLAUSES:
        result = clause.judge(nothing)
        assert clause.id in lenient or isinstance(result, Fail | NotJudged | NotApplicable), clause.id


def test_a_killed_run_s_leftovers_are_not_its_fault() -> None:
    left = {"left_files": ("a",)}
    assert isinstance(judge("clean.files", {"stop": run("stop", code=None, **left)}), Pass)
    assert isinstance(judge("clean.files", {"stop": run("stop", code=143, **left)}), Fail)


@pytest.mark.parametrize(
    ("status", "code", "good"),
    [("cancelled", 143, True), ("cancelled", 0, True), ("failed", 143, False), ("", -15, False)],
)
def test_a_cancel_is_told_by_done_and_the_exit_code(status: str, code: int, good: bool) -> None:
    calls = [call("done", 2, 1.0, status=status)] if status else []
    seen = {"stop-starting": run("stop-starting", *calls, code=code, moments={"stop": 0.0, "end": 1.0})}
    assert isinstance(judge("signals.starting", seen), Pass) == good


def test_a_second_done_is_one_too_many_and_a_repeated_one_is_not() -> None:
    calls = [event("running", 1, 0.0), call("done", 2, 1.0, status="failed"), call("done", 2, 1.5, status="failed")]
    assert isinstance(judge("ends.done-once", {"whole": run("whole", *calls)}), Pass)
    second = call("done", 3, 2.0, status="cancelled")
    assert isinstance(judge("ends.done-once", {"whole": run("whole", *calls, second)}), Fail)


def test_nan_as_text_passes_and_a_vanished_metric_fails() -> None:
    usual = whole(call("heartbeat", 2, 1.0, epoch=1, metrics={"loss": 0.5, "accuracy": 1.0}))
    as_text = run("nan", call("heartbeat", 1, 1.0, epoch=1, metrics={"loss": "NaN", "accuracy": 0.5}))
    vanished = run("nan", call("heartbeat", 1, 1.0, epoch=1, metrics={"accuracy": 0.5}))
    stable = run("nan", call("heartbeat", 1, 1.0, epoch=1, metrics={"loss": 3.0, "accuracy": 0.5}))
    assert isinstance(judge("callbacks.nan", usual | {"nan": as_text}), Pass)
    assert isinstance(judge("callbacks.nan", usual | {"nan": vanished}), Fail)
    assert isinstance(judge("callbacks.nan", usual | {"nan": stable}), NotApplicable)


def test_what_was_not_judged_makes_a_check_fail_too() -> None:
    verdicts = [
        Verdict(CLAUSES[0], NotJudged("why")),
        Verdict(CLAUSES[1], Pass()),
        Verdict(CLAUSES[2], NotApplicable("")),
    ]
    assert [verdict.good for verdict in verdicts] == [False, True, True]
    assert count(verdicts) == {"pass": 1, "fail": 0, "n/a": 1, "not judged": 1}
