"""One suite of tests: a folder, a budget of seconds, a pytest run, and what came of it."""

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import xml.etree.ElementTree as ET
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

# in the order they run, quick ones first; the seconds are budgets on two cores, together below .ci/run's limit
SUITES = {
    "unit": 150,
    "page": 120,
    "contract": 700,
    "conformance": 900,
    "integration": 800,
    "faults": 600,
    "browser": 480,
    "kubernetes": 900,
    "e2e": 420,
}
# a module makes a suite's surroundings `ready`, outside the suite's budget, and runs its pytest `within` them
SURROUNDINGS = {"kubernetes": "tests.real.testkube"}
# suites whose files don't mind each other run on two cores at once; a file's tests stay together, with what they share
SIDE_BY_SIDE = {"contract", "integration"}
READY_SECONDS = 1200  # the first time on a machine a cluster's programs may have to be built
MARGIN = 2  # a slower or busier machine is not a failure


@dataclass(slots=True)
class Outcome:
    """What a suite's run came to. `note` says what pytest could not."""

    suite: str
    passed: int = 0
    failed: int = 0
    skipped: list[str] = field(default_factory=list[str])
    seconds: float = 0
    note: str = ""

    @property
    def count(self) -> int:
        return self.passed + self.failed + len(self.skipped)


def minimums(root: Path) -> dict[str, int]:
    """How many tests each suite holds at least, as committed."""
    return dict(tomllib.loads((root / "tests" / "minimums.toml").read_text())["minimums"])


def run_suite(root: Path, suite: str, arguments: list[str]) -> Outcome:
    """Run one folder. A run over its budget is ended and counts as failed."""
    began, outcome = time.monotonic(), Outcome(suite)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        argv = [sys.executable, "-m", "pytest", str(root / "tests" / suite), f"--junit-xml={report}", *arguments]
        if suite in SIDE_BY_SIDE and (os.cpu_count() or 1) > 1:
            # a short base for temporary files: each worker adds a folder of its own, and trainers make sockets below it
            argv += ["-n", "2", "--dist", "loadfile", f"--basetemp={Path(folder) / 't'}"]
        if suite in SURROUNDINGS:
            surroundings = [sys.executable, "-m", SURROUNDINGS[suite]]
            if _within([*surroundings, "ready"], root, READY_SECONDS) != 0:
                return Outcome(suite, failed=1, seconds=time.monotonic() - began, note="could not be made ready")
            argv = [*surroundings, "within", *argv]
        code = _within(argv, root, SUITES[suite] * MARGIN)
        if report.exists():
            _count(outcome, report)
        if code is None:
            outcome.failed += 1
            outcome.note = f"ended after {SUITES[suite] * MARGIN} s, its budget"
        elif code not in (0, 1, 5) or (code == 1 and not outcome.failed):
            outcome.failed += 1
            outcome.note = f"pytest ended with code {code}"
        elif code == 5 and not arguments:
            outcome.note = "no tests"
    outcome.seconds = time.monotonic() - began
    return outcome


def _within(argv: list[str], root: Path, seconds: float) -> int | None:
    """The exit code, or None when the time was over. Ctrl+C goes to pytest, which prints what it has."""
    # one seed for all of a run's processes: they must collect the same tests in the same order
    seed = os.environ.get("PYTHONHASHSEED") or str(secrets.randbelow(2**32))
    env = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": seed}
    process = subprocess.Popen(argv, cwd=root, env=env)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)  # let fixtures end what they started
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)
        return None
    except KeyboardInterrupt:
        process.wait(30)
        raise
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _count(outcome: Outcome, report: Path) -> None:
    for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314 - pytest wrote it just now
        if case.find("failure") is not None or case.find("error") is not None:
            outcome.failed += 1
        elif (skip := case.find("skipped")) is not None:
            outcome.skipped.append(skip.get("message") or "no reason given")
        else:
            outcome.passed += 1
