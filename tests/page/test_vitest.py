"""The page's own tests, which run in node: one test here for each of theirs, so that they are counted and named."""

import functools
import json
import tempfile
from pathlib import Path

import pytest

from tests.page.frontend import FRONTEND, run


@functools.cache
def results() -> dict[str, str]:
    """`file > test` → what went wrong; empty: nothing."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        done = run("test", "--reporter=json", f"--outputFile={report}")
        assert report.exists(), done.stdout + done.stderr
        told = json.loads(report.read_text())
    found: dict[str, str] = {}
    for file in told["testResults"]:
        name = str(Path(file["name"]).relative_to(FRONTEND / "src"))
        for case in file["assertionResults"]:
            wrong = "" if case["status"] == "passed" else "\n".join(case["failureMessages"]) or case["status"]
            found[f"{name} > {case['fullName']}"] = wrong
        if not file["assertionResults"]:
            found[name] = file.get("message") or "holds no test"
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.parametrize("case", sorted(results()))


def test_in_node(case: str) -> None:
    assert not results()[case], results()[case]
