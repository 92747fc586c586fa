"""Plays the scenarios that the wanted clauses need, a few at a time, and judges what was seen."""

import threading
import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path

from trainyard.conformance.clauses import CLAUSES
from trainyard.conformance.evidence import Evidence
from trainyard.conformance.run import Stage
from trainyard.conformance.scenarios import SCENARIOS, Scenario
from trainyard.conformance.services import Services
from trainyard.conformance.verdict import Clause, NotApplicable, Verdict
from trainyard.errors import InvalidInput

Say = Callable[[str], None]
NO_CALLBACKS = "trainer.toml says callbacks = false"


def wanted_clauses(ids: Iterable[str]) -> tuple[Clause, ...]:
    """Those of these ids, or all. Raises InvalidInput where there is none of that id."""
    known = {clause.id: clause for clause in CLAUSES}
    ids = list(ids)
    for name in ids:
        if name not in known:
            raise InvalidInput(f"There is no clause {name}.", hint=f"There are: {', '.join(known)}.", field="--clause")
    return tuple(known[name] for name in ids) or CLAUSES


def check(stage: Stage, clauses: Iterable[Clause], jobs: int, say: Say) -> tuple[list[Verdict], dict[str, Evidence]]:
    """Every clause's verdict, in order, and the evidence by scenario. Blocks for a minute or more."""
    clauses = list(clauses)
    owed = [clause for clause in clauses if stage.subject.manifest.callbacks or not clause.callbacks]
    seen = _play(stage, _needed(name for clause in owed for name in clause.needs), jobs, say)
    verdicts = [
        Verdict(clause, clause.judge(seen) if clause in owed else NotApplicable(NO_CALLBACKS)) for clause in clauses
    ]
    return verdicts, seen


@contextmanager
def running_services(folder: Path, mlflow_environment: Path) -> Generator[Services]:
    """Storage and MLflow, beginning to start; ended at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    services = Services(folder, mlflow_environment)
    try:
        yield services
    finally:
        services.close()


def _needed(names: Iterable[str]) -> list[Scenario]:
    """These scenarios and those that must come before them, in the order they are played."""
    wanted = set(names)
    for scenario in reversed(SCENARIOS):
        if scenario.id in wanted:
            wanted |= set(scenario.after)
    return [scenario for scenario in SCENARIOS if scenario.id in wanted]


def _play(stage: Stage, scenarios: list[Scenario], jobs: int, say: Say) -> dict[str, Evidence]:
    seen: dict[str, Evidence] = {}
    running: dict[Future[Evidence], Scenario] = {}
    waiting = sorted(scenarios, key=lambda scenario: not scenario.alone)
    pool, aside = ThreadPoolExecutor(jobs), ThreadPoolExecutor(max(1, sum(one.idle for one in scenarios)))
    ready = threading.Event()

    def play(scenario: Scenario) -> Evidence:
        began = time.monotonic()
        evidence = scenario.play(stage, seen)
        say(f"{scenario.id} took {time.monotonic() - began:.1f} s")
        return evidence

    try:
        while waiting or running:
            for scenario in [one for one in waiting if set(one.after) <= seen.keys()]:
                if not scenario.alone and not ready.is_set():
                    stage.services.storage()
                    stage.services.tracking()
                    ready.set()
                waiting.remove(scenario)
                running[(aside if scenario.idle else pool).submit(play, scenario)] = scenario
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                seen[running.pop(future).id] = future.result()
    finally:
        stage.stop()  # after all went well nothing runs any more
        for each in (pool, aside):
            each.shutdown(wait=True, cancel_futures=True)
    return {scenario.id: seen[scenario.id] for scenario in scenarios}
