"""Datasets that are missing, broken or meant for another task."""

from trainyard.conformance.evidence import Evidence, Seen
from trainyard.conformance.services import BROKEN, MISSING
from trainyard.conformance.verdict import Clause, Fail, NotJudged, Pass, Result

FAILS = "done failed with error{type, message, traceback}; 0 success, 2 bad configuration, anything else a failure."


def _fails(run: Evidence, words: tuple[str, ...], expected: str, do: str) -> Result:
    if run.code != 0 and not any("/datasets/" in one.path for one in run.requests):
        return NotJudged(f"it never asked for its dataset: {run.end}")
    said = str(run.fault.get("message") or "") or run.output
    named = any(word in said.lower() for word in words)
    if run.status != "succeeded" and run.code is not None and named:
        return Pass(f"it failed: {' '.join(said.split())[:90]}")
    return Fail(f"{run.end}; it said: {' '.join(said.split())[:120] or 'nothing'}", expected, do)


def _missing(seen: Seen) -> Result:
    expected, do = f"it fails and names {MISSING}", "Catch the 404 and say which dataset is not in the storage."
    return _fails(seen["dataset-missing"], (MISSING,), expected, do)


def _broken(seen: Seen) -> Result:
    expected, do = "it fails and says that the zip is broken", "Catch what unpacking raises; name the dataset and why."
    return _fails(seen["dataset-broken"], (BROKEN, "zip"), expected, do)


def _other_task(seen: Seen) -> Result:
    expected = "it fails and says what its dataset should look like"
    do = "Look at the layout (class folders, or images with labels) before training, and say which one is needed."
    return _fails(seen["dataset-other-task"], _LAYOUTS, expected, do)


_LAYOUTS = ("class", "folder", "box", "label", "detect", "yolo", "layout", "data.yaml")

CLAUSES = (
    Clause("datasets.missing", "names a dataset that is not there", FAILS, ("dataset-missing",), _missing),
    Clause("datasets.broken", "says that a zip is broken", FAILS, ("dataset-broken",), _broken),
    Clause("datasets.other-task", "says which datasets it takes", FAILS, ("dataset-other-task",), _other_task),
)
