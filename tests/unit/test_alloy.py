"""deploy/alloy/config.alloy, played through with the labels that our pods really have and a backend's lines."""

import io
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.unit.k8s_made import DIGEST, RUN, built, settings, spec, trainer
from trainyard.api.logs import JsonLines

CONFIG = Path(__file__).parents[2] / "deploy" / "alloy" / "config.alloy"
LABELS = {"job_id", "framework", "tier"}
TOKEN = re.compile(r'\s+|//[^\n]*|"((?:[^"\\]|\\.)*)"|([A-Za-z_][\w.]*)|([{}\[\]()=,])')


@dataclass
class Block:
    """`loki.process "training" { … }`: its arguments and the blocks in it, in their order."""

    name: str
    label: str = ""
    given: dict[str, Any] = field(default_factory=dict)
    blocks: list["Block"] = field(default_factory=list)

    def all(self, name: str) -> list["Block"]:
        return [block for block in self.blocks if block.name == name]


class Parser:
    """As much of Alloy's syntax as the file uses; fails on anything else."""

    def __init__(self, text: str) -> None:
        self.tokens = list(self._tokens(text))

    def _tokens(self, text: str) -> Iterator[tuple[str, str]]:
        at = 0
        while at < len(text):
            found = TOKEN.match(text, at)
            assert found, f"not Alloy: {text[at : at + 40]!r}"
            at = found.end()
            for kind, value in zip(("text", "name", "mark"), found.groups(), strict=True):
                if value is not None:
                    yield kind, value

    def take(self, wanted: str | None = None) -> tuple[str, str]:
        kind, value = self.tokens.pop(0)
        assert wanted in (None, value), f"{wanted!r} should stand where {value!r} stands"
        return kind, value

    def body(self, block: Block, end: tuple[str, str] | None) -> Block:
        while self.tokens and self.tokens[0] != end:
            kind, name = self.take()
            assert kind == "name", name
            if self.tokens[0] == ("mark", "="):
                self.take()
                assert name not in block.given, f"{name} twice"
                block.given[name] = self.value()
                continue
            inner = Block(name)
            if self.tokens[0][0] == "text":
                inner.label = self.take()[1]
            self.take("{")
            block.blocks.append(self.body(inner, ("mark", "}")))
            self.take("}")
        return block

    def value(self) -> Any:
        kind, value = self.take()
        if kind == "text":
            return value
        if kind == "name":
            return self.called(value)
        return self.items("]") if value == "[" else dict(self.pairs())

    def called(self, name: str) -> str:
        if self.tokens[0] != ("mark", "("):
            return name
        self.take("(")
        (argument,) = self.items(")")
        return f"{name}({argument})"

    def items(self, end: str) -> list[Any]:
        found: list[Any] = []
        while self.tokens[0] != ("mark", end):
            found.append(self.value())
            if self.tokens[0] == ("mark", ","):
                self.take()
        self.take(end)
        return found

    def pairs(self) -> Iterator[tuple[str, Any]]:
        while self.tokens[0] != ("mark", "}"):
            _, name = self.take()
            self.take("=")
            yield name, self.value()
            self.take(",")  # between lines Alloy wants one after the last, too
        self.take("}")


TOP = Parser(CONFIG.read_text()).body(Block("file"), None)


def component(name: str, label: str) -> Block:
    (found,) = [block for block in TOP.all(name) if block.label == label]
    return found


def relabelled(which: str, target: dict[str, str]) -> dict[str, str]:
    """What discovery.relabel makes of a target: rules of the default action, with the default regular expression."""
    for rule in component("discovery.relabel", which).all("rule"):
        assert set(rule.given) <= {"source_labels", "target_label", "replacement"}, rule.given
        value = ";".join(target.get(name, "") for name in rule.given.get("source_labels", []))
        target = target | {rule.given["target_label"]: rule.given.get("replacement", value)}
    return {name: value for name, value in target.items() if value and not name.startswith("__")}


def processed(which: str, labels: dict[str, str], line: str) -> tuple[dict[str, str], dict[str, str]]:
    """A line's labels and structured metadata, as loki.process's stages would make them, in their order."""
    labels = labels | {"instance": "ns/pod:trainer", "job": "loki.source.kubernetes"}  # the source's own
    extracted: dict[str, Any] = dict(labels)
    metadata: dict[str, str] = {}
    for stage in component("loki.process", which).blocks:
        values = stage.given.get("values") or stage.given["expressions"]
        match stage.name:
            case "stage.json":
                extracted |= {name: json.loads(line).get(source or name) for name, source in values.items()}
            case "stage.labels":
                labels |= {n: extracted[s or n] for n, s in values.items() if extracted.get(s or n)}
            case "stage.structured_metadata":
                metadata |= {n: extracted[s or n] for n, s in values.items() if extracted.get(s or n)}
                labels = {name: value for name, value in labels.items() if name not in values}
            case "stage.label_keep":
                labels = {name: value for name, value in labels.items() if name in values}
            case other:
                raise AssertionError(f"this test does not know {other}")
    return labels, metadata


def pod_labels(tmp_path: Path, tier: str) -> dict[str, str]:
    trainer(tmp_path)
    given = settings(tmp_path, k8s_image=DIGEST)
    return built(given, spec(), tier=tier).job["spec"]["template"]["metadata"]["labels"]


def discovered(labels: dict[str, str]) -> dict[str, str]:
    """A pod's target, named as Kubernetes' service discovery does."""
    found = {f"__meta_kubernetes_pod_label_{re.sub(r'[^a-zA-Z0-9_]', '_', name)}": v for name, v in labels.items()}
    return found | {"__meta_kubernetes_pod_name": "training-x-abcde", "__meta_kubernetes_namespace": "trainyard"}


def selected(which: str, labels: dict[str, str]) -> bool:
    (selectors,) = component("discovery.kubernetes", which).all("selectors")
    wanted = dict(each.split("=") for each in selectors.given["label"].split(","))
    return wanted.items() <= labels.items()


@pytest.mark.parametrize("tier", ["k8s", "image"])
def test_a_pods_lines_have_our_three_labels_and_the_trace_id_beside_them(tmp_path: Path, tier: str) -> None:
    labels = pod_labels(tmp_path, tier)
    assert selected("training", labels)
    assert not selected("backend", labels)
    found, metadata = processed("training", relabelled("training", discovered(labels)), "epoch 1 of 3")
    assert found == {"job_id": RUN.job_id, "framework": "x", "tier": tier}
    assert metadata == {"trace_id": RUN.trace_id, "pod": "training-x-abcde"}


def printed(**about: str) -> str:
    """A line of the backend."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonLines())
    record = logging.LogRecord("trainyard.x", logging.WARNING, __file__, 1, "a message", (), None)
    record.__dict__ |= about
    handler.emit(record)
    return out.getvalue()


def test_a_line_of_the_backend_has_its_level_and_the_job_that_it_is_about() -> None:
    target = relabelled("backend", discovered({}))
    found, metadata = processed("backend", target, printed(job_id="job-1", trace_id="f00d", framework="timm"))
    assert found == {"tier": "backend", "job_id": "job-1", "framework": "timm"}
    assert metadata == {"level": "warning", "trace_id": "f00d", "pod": "training-x-abcde"}
    found, metadata = processed("backend", target, printed())
    assert found == {"tier": "backend"}  # a stream has at least one label
    assert metadata == {"level": "warning", "pod": "training-x-abcde"}


def test_no_pipeline_sends_other_labels() -> None:
    pipelines = TOP.all("loki.process")
    assert [block.label for block in pipelines] == ["training", "backend"]
    for block in pipelines:
        assert block.blocks[-1].name == "stage.label_keep"
        assert set(block.blocks[-1].given["values"]) == LABELS


def test_every_component_that_is_named_is_there() -> None:
    made = {f"{block.name}.{block.label}" for block in TOP.blocks}
    named = re.findall(r"= \[?([a-z]+\.[a-z]+\.[a-z]+)\.(?:targets|output|receiver)\]?$", CONFIG.read_text(), re.M)
    assert len(named) == 8
    assert set(named) <= made
    assert {block.name for block in TOP.blocks} == {
        "discovery.kubernetes", "discovery.relabel", "loki.source.kubernetes", "loki.process", "loki.write",
    }  # fmt: skip


def test_it_holds_no_address_and_says_what_became_of_promtail() -> None:
    text = CONFIG.read_text()
    assert "://" not in text
    assert "Promtail ended in March 2026" in text
    assert "Not run here" in text
