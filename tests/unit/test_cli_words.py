"""What the CLI makes of what it is told: epochs as lines, columns that fit, options as a request."""

import pytest
from rich.text import Text

from trainyard.cli.epochs import Epochs, Metrics, epoch_line
from trainyard.cli.fit import Column, fitting
from trainyard.cli.request import Wanted, parse_assignments
from trainyard.cli.unrecorded import variables
from trainyard.errors import InvalidInput


def event(type: str, epoch: int | None = None, **metrics: float) -> dict[str, object]:
    return {"type": type, "data": {"epoch": epoch, "metrics": metrics} if metrics else {"epoch": epoch}}


def shown_of(*events: dict[str, object]) -> list[tuple[int, Metrics]]:
    shown: list[tuple[int, Metrics]] = []
    epochs = Epochs(lambda epoch, metrics: shown.append((epoch, metrics)))
    for one in events:
        epochs.take(one)
    epochs.finish()
    return shown


def test_an_epoch_is_shown_when_its_heartbeat_comes_and_timer_heartbeats_show_nothing() -> None:
    assert shown_of(event("heartbeat", 1), event("heartbeat", 1, loss=2.0), event("heartbeat", 1)) == [
        (1, {"loss": 2.0})
    ]


def test_a_validation_before_the_heartbeat_is_part_of_its_line() -> None:
    assert shown_of(event("validation", 1, score=0.5), event("heartbeat", 1, loss=2.0)) == [
        (1, {"score": 0.5, "loss": 2.0})
    ]


def test_a_validation_after_the_heartbeat_shows_only_what_is_new() -> None:
    assert shown_of(event("heartbeat", 1, loss=2.0, score=0.5), event("validation", 1, score=0.5)) == [
        (1, {"loss": 2.0, "score": 0.5})
    ]
    assert shown_of(event("heartbeat", 1, loss=2.0), event("validation", 1, score=0.5)) == [
        (1, {"loss": 2.0}),
        (1, {"score": 0.5}),
    ]


def test_a_validation_without_a_heartbeat_is_shown_at_the_end() -> None:
    assert shown_of(event("validation", 2, score=0.5)) == [(2, {"score": 0.5})]


def test_an_epoch_s_line_begins_with_the_metric_that_counts_and_ends_with_learning_rates() -> None:
    metrics: Metrics = {"lr": 0.01, "train/loss": 1.23456, "val/score": 0.5, "val/loss": "NaN"}
    line = epoch_line(3, 10, metrics, "val/score", None)
    assert line == "epoch  3/10  val/score 0.5  train/loss 1.235  val/loss NaN  lr 0.01"


@pytest.mark.parametrize("width", range(12, 70))
def test_an_epoch_s_line_never_breaks(width: int) -> None:
    line = epoch_line(3, 10, {"a/long/name": 0.123456, "another/one": 1e-9}, None, width)
    assert len(line) <= width
    assert line.startswith("epoch  3/10")


def test_the_least_important_columns_go_first_and_the_first_one_never() -> None:
    columns = [Column("job", ["x" * 20]), Column("name", [Text("y" * 10)], 2), Column(">epoch", ["3/3"], 1)]
    assert [column.title for column in fitting(columns, 80)] == ["job", "name", ">epoch"]
    assert [column.title for column in fitting(columns, 30)] == ["job", ">epoch"]
    assert [column.title for column in fitting(columns, 5)] == ["job"]


def test_assignments_are_taken_as_they_are_written() -> None:
    assert parse_assignments(["lr=0.1", "url=http://x/?a=b", "empty="]) == {
        "lr": "0.1",
        "url": "http://x/?a=b",
        "empty": "",
    }
    with pytest.raises(InvalidInput, match="lr"):
        parse_assignments(["lr"])
    with pytest.raises(InvalidInput, match="=3"):
        parse_assignments(["=3"])


def test_without_options_it_is_ten_epochs_of_the_default_trainer() -> None:
    assert Wanted("ultralytics").body()["params"] == {"epochs": 10}
    assert Wanted("ultralytics", epochs=3).body()["params"] == {"epochs": 3}
    assert Wanted("ultralytics", params={"epochs": "4"}).body()["params"] == {"epochs": "4"}
    assert Wanted("sklearn").body()["params"] == {}


def test_a_script_without_a_backend_gets_the_contract_s_variables_that_need_none() -> None:
    found = variables(Wanted("ultralytics", params={"learning_rate": "0.1", "width": "32"}))
    assert found.pop("JOB_ID").startswith("local-")
    assert len(found.pop("TRACE_ID")) == 16
    assert found == {
        "FRAMEWORK": "ultralytics",
        "MODEL_NAME": "yolo11n",
        "NUM_EPOCHS": "10",
        "EPOCHS": "10",
        "LEARNING_RATE": "0.1",
        "PARAM_WIDTH": "32",
    }
