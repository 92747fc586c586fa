"""docs/plugin-guide.md is the contract: its tables are the code's, its examples are what the models take."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ConfigDict

from trainyard.contract import keys
from trainyard.contract.callbacks import Answer, Done, Event, Heartbeat
from trainyard.contract.environment import JobFacts, Platform, environment
from trainyard.contract.manifest import CORE_VARIABLES, Manifest, Parameter, Predict, Sample, TaskSupport
from trainyard.contract.resources import Needs
from trainyard.predictions.answers import read_answer

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "plugin-guide.md"
TEXT = GUIDE.read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading."""
    section = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def set_by_the_platform(storage: str) -> set[str]:
    params: dict[str, Any] = {**dict.fromkeys(CORE_VARIABLES, 1), "dropout": 0.1}
    facts = JobFacts("j", "t", 1, "p", "classify", "mine", "small", "d", params, resume_from="k", keep_epochs=2)
    return set(environment(facts, Platform("", "", storage, "", "", 10, 4, "", "", "")))


def test_the_variables_are_those_that_the_platform_sets() -> None:
    shown = {name for cells in rows("In: variables") for name in re.findall(r"`([A-Z0-9_*]+)`", cells[0])}
    real = set_by_the_platform("minio") | set_by_the_platform("r2")
    assert shown - {"PARAM_*"} == real - {"PARAM_DROPOUT"}
    assert "PARAM_*" in shown


def test_the_keys_are_those_of_the_store() -> None:
    shown = {cells[0].strip("`") for cells in rows("Out: objects")}
    job = "{JOB_ID}"
    assert shown == {
        keys.dataset_key("{DATASET_ID}"),
        keys.checkpoint_key(job, "last"),
        keys.checkpoint_key(job, "best"),
        keys.checkpoint_key(job, "epoch-{n}"),
        f"{keys.sample_prefix(job)}epoch-{{n}}/{{k}}.jpg",
        keys.weights_key("{name}"),
    }
    assert keys.receipt_mark("{TRACE_ID}") + "{json}" in TEXT


class _Question(BaseModel):
    """What a warm predictor is asked."""

    model_config = ConfigDict(extra="forbid")

    id: str
    input: list[str]
    confidence: float | None


def model_for(body: dict[str, Any]) -> type[BaseModel] | None:
    """Which model an example is for; None: an answer of predict.py."""
    known: dict[str, type[BaseModel]] = {
        "phase": Heartbeat, "type": Event, "status": Done, "state": Answer, "input": _Question,
    }  # fmt: skip
    return next((model for name, model in known.items() if name in body), None)


def examples() -> list[dict[str, Any]]:
    return [json.loads(text) for language, text in BLOCKS if language == "json"]


@pytest.mark.parametrize("body", examples(), ids=lambda body: next(iter(set(body) - {"attempt", "seq"})))
def test_every_json_example_is_taken_and_has_no_field_too_many(body: dict[str, Any]) -> None:
    model = model_for(body)
    if model is None:
        assert len(read_answer(body, ["predictions/a.jpg"], "it").predictions) == body["count"] == 1
        return
    model.model_validate(body)
    assert set(body) <= set(model.model_fields)


def test_each_call_and_answer_has_its_example() -> None:
    assert {model_for(body) for body in examples()} == {Heartbeat, Event, Done, Answer, _Question, None}


def test_the_manifest_of_the_guide_is_one_and_every_field_there_is_stands_in_the_guide() -> None:
    (text,) = (text for language, text in BLOCKS if language == "toml")
    manifest = Manifest.model_validate(tomllib.loads(text))
    assert manifest.command
    assert manifest.predict.command
    section = TEXT.partition("\n## trainer.toml\n")[2].partition("\n## ")[0]
    told = {"description": "title", "help_ko": "help", "core": "type", "model_pattern": "models"}  # beside these
    for model in (Manifest, Predict, Needs, TaskSupport, Parameter, Sample):
        for name in model.model_fields:
            assert re.search(rf"\b{told.get(name, name)}\b", section), f"{model.__name__}.{name}"
    for kind in get_args(Parameter.model_fields["type"].annotation):
        assert kind in section


def test_events_that_the_contract_knows_are_named() -> None:
    named = (Event.__doc__ or "").partition(": ")[2].partition(", or a trainer's own")[0]
    names = named.split(", ")
    assert len(names) >= 7
    for name in names:
        assert f"`{name}`" in TEXT, name


def test_the_guide_is_a_page_and_the_trainers_it_names_are_there() -> None:
    assert len(TEXT.splitlines()) <= 200
    for name in re.findall(r"`(tests/[\w/-]+)`", TEXT):
        assert (ROOT / name / "trainer.toml").is_file(), name


def test_every_kind_of_block_is_checked_somewhere() -> None:
    assert {language for language, _ in BLOCKS} == {"sh", "toml", "json", "python"}
