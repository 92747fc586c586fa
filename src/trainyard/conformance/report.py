"""What a check found, for machines and for later: JSON, JUnit, and each run's calls beside its output."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainyard.conformance.evidence import Evidence
from trainyard.conformance.subject import Subject
from trainyard.conformance.verdict import Fail, NotApplicable, NotJudged, Verdict

WORDS = ("pass", "fail", "n/a", "not judged")


def count(verdicts: list[Verdict]) -> dict[str, int]:
    return {word: sum(verdict.word == word for verdict in verdicts) for word in WORDS}


def as_document(subject: Subject, verdicts: list[Verdict], seconds: float, folder: Path | None) -> dict[str, Any]:
    """Everything, as one JSON document."""
    return {
        "trainer": subject.framework,
        "task": subject.task,
        "model": subject.model,
        "seconds": round(seconds, 1),
        "folder": str(folder) if folder else None,
        "summary": count(verdicts),
        "clauses": [_clause(verdict) for verdict in verdicts],
    }


def _clause(verdict: Verdict) -> dict[str, Any]:
    result, clause = verdict.result, verdict.clause
    row = {"id": clause.id, "title": clause.title, "promise": clause.promise, "scenarios": list(clause.needs)}
    row |= {"result": verdict.word, "seen": verdict.text}
    return row | ({"expected": result.expected, "do": result.do} if isinstance(result, Fail) else {})


def write_junit(path: Path, subject: Subject, verdicts: list[Verdict], seconds: float) -> None:
    """One test case a clause: failures fail, what was not judged is an error, what does not apply is skipped."""
    numbers = count(verdicts)
    facts = {"tests": len(verdicts), "failures": numbers["fail"], "errors": numbers["not judged"]}
    facts |= {"skipped": numbers["n/a"]}
    suite = ET.Element("testsuite", {name: str(value) for name, value in facts.items()})
    suite.set("name", f"trainyard check {subject.framework}")
    suite.set("time", f"{seconds:.1f}")
    for verdict in verdicts:
        case = ET.SubElement(suite, "testcase", classname=f"check.{subject.framework}", name=verdict.clause.id)
        match verdict.result:
            case Fail(seen, expected, do):
                failure = ET.SubElement(case, "failure", message=_printable(seen))
                failure.text = _printable(f"{verdict.clause.title}\nexpected: {expected}\ndo: {do}")
            case NotJudged(why):
                ET.SubElement(case, "error", message=_printable(why))
            case NotApplicable(why):
                ET.SubElement(case, "skipped", message=_printable(why))
            case _:
                pass
    ET.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


def _printable(text: str) -> str:
    """XML takes no control characters, and a trainer's words may hold some."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "�" for letter in text)


def write_calls(seen: Mapping[str, Evidence]) -> None:
    """callbacks.json in each run's folder: every call that arrived, without its token."""
    for run in seen.values():
        calls = [{"call": call.kind, "at": round(call.at, 3), **call.body} for call in run.arrived]
        document = {"calls": calls, "refused": list(run.problems), "moments": dict(run.moments)}
        (run.folder / "callbacks.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
