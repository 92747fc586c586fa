"""Jobs for tests of pure functions."""

from dataclasses import fields
from typing import Any

from trainyard.contract.resources import Resources
from trainyard.contract.vocabulary import Execution, State, Task
from trainyard.jobs.decide import Limits
from trainyard.jobs.model import Job

NOW = 1_800_000_000.0
LIMITS = Limits(silence=90, stuck=1800, launch=3600, run=7 * 86_400, relaunches=3, since=NOW - 86_400)


def a_job(**given: Any) -> Job:
    values: dict[str, Any] = {field.name: None for field in fields(Job)}
    values |= {
        "id": "job-20261121-101112-abcd",
        "project_id": "default",
        "name": "a job",
        "tags": [],
        "notes": "",
        "execution": Execution.LOCAL,
        "framework": "sklearn",
        "task": Task.CLASSIFY,
        "model": "sgd",
        "params": {},
        "priority": 0,
        "attached": False,
        "callbacks": True,
        "resources": Resources(),
        "keep_epochs": 0,
        "state": State.RUNNING,
        "attempt": 1,
        "message": "",
        "evidence": {},
        "trace_id": "f00d",
        "claim": 1,
        "created_at": NOW - 100,
        "queued_at": NOW - 99,
        "launched_at": NOW - 98,
        "started_at": NOW - 97,
        "seen_at": NOW - 1,
        "seq": 3,
        "phase": "training",
    }
    return Job(**(values | given))
