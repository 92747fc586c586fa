"""predict.py: asked once, or kept warm and asked again."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.contract import pictures
from tests.contract.conftest import MakeStarter, Storage
from tests.contract.running import JOB, Run, Starter

CHECKPOINT = f"checkpoints/job-{JOB}/best.pt"


@pytest.fixture(params=["trainer-template", "trainer-sklearn"])
def predict(request: pytest.FixtureRequest, starter: MakeStarter, storage: Storage) -> Starter:
    """Starts the predict.py of a trainer that has learnt the shapes."""
    starter(request.param)(EPOCHS=8).succeeds()
    for kind, name in enumerate(("box", "ball")):
        storage.client.put_object(Bucket=storage.bucket, Key=f"inputs/{name}.png", Body=pictures.one_scene(kind))
    made = starter(request.param, "predict.py")
    for name in ("BACKEND_BASE_URL", "CALLBACK_TOKEN", "DATASET_ID"):
        made.variables.pop(name, None)
    made.variables["CHECKPOINT"] = CHECKPOINT
    return made


def labels(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["input"], one["label"]) for one in answer["predictions"]]


def test_asked_once_it_answers_with_the_last_line(predict: Starter) -> None:
    run = predict(INPUT="inputs/ball.png, inputs/box.png")
    assert run.end(60) == 0, run.stderr
    (line,) = run.stdout.splitlines()
    answer = json.loads(line)
    assert labels(answer) == [("inputs/ball.png", "ball"), ("inputs/box.png", "box")]
    assert answer["count"] == 2
    for one in answer["predictions"]:
        assert one["confidence"] == max(one["scores"].values())
        assert sum(one["scores"].values()) == pytest.approx(1, abs=0.001)


def test_what_it_is_less_sure_of_is_left_out(predict: Starter) -> None:
    run = predict(INPUT="inputs/ball.png", CONFIDENCE="1")
    assert run.end(60) == 0
    assert json.loads(run.stdout)["count"] == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"CHECKPOINT": None}, "CHECKPOINT is not set"),
        ({"INPUT": None}, "INPUT is not set"),
        ({"CONFIDENCE": "2"}, "CONFIDENCE=2 is not valid: it should be a number from 0 to 1"),
    ],
)
def test_a_bad_variable_is_named(predict: Starter, changes: dict[str, str | None], said: str) -> None:
    run = predict(**{"INPUT": "inputs/ball.png"} | changes)
    assert run.end(60) == 2
    assert run.stderr.startswith(said)


def test_a_checkpoint_that_is_not_there_is_named_in_a_line(predict: Starter) -> None:
    run = predict(INPUT="inputs/ball.png", CHECKPOINT="checkpoints/job-none/best.pt")
    assert run.end(60) == 1
    (line,) = run.stderr.splitlines()
    assert "checkpoints/job-none/best.pt: it is not there" in line


@contextmanager
def serving(predict: Starter) -> Iterator[tuple[Run, Any]]:
    run = predict(stdin=subprocess.PIPE, PREDICT_SERVE=1)

    def ask(**request: Any) -> dict[str, Any]:
        assert run.process.stdin
        run.process.stdin.write(json.dumps(request).encode() + b"\n")
        run.process.stdin.flush()
        return run.next_line()

    assert run.next_line() == {"ready": True}
    yield run, ask
    assert run.process.stdin
    run.process.stdin.close()
    assert run.end(60) == 0, run.stderr


def test_kept_warm_it_answers_line_by_line_until_stdin_ends(predict: Starter) -> None:
    with serving(predict) as (_, ask):
        first = ask(id="a", input=["inputs/ball.png"], confidence=0.1)
        assert (first["id"], labels(first)) == ("a", [("inputs/ball.png", "ball")])
        wrong = ask(id="b", input=["inputs/none.png"], confidence=None)
        assert (wrong["id"], wrong["error"]["type"]) == ("b", "FileNotFoundError")
        assert "inputs/none.png" in wrong["error"]["message"]
        both = ask(id="c", input=["inputs/box.png", "inputs/ball.png"], confidence=None)
        assert [label for _, label in labels(both)] == ["box", "ball"]
        assert 0 <= both["seconds"] < 5


def test_a_signal_ends_it_and_leaves_nothing(predict: Starter) -> None:
    run = predict(stdin=subprocess.PIPE, PREDICT_SERVE=1)
    assert run.next_line() == {"ready": True}
    run.stop()
    assert run.end(60) == 143
