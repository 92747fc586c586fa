"""What it writes to MLflow, and what it does when MLflow is away."""

import itertools
from collections.abc import Callable

from trainyard.conformance.evidence import Seen, Tracked
from trainyard.conformance.verdict import Clause, Fail, NotJudged, Pass, Result

RUN = "MLflow: run job-{id}, params, per-epoch metrics, tags job_id, trace_id."
AWAY = "Its failure never stops a training."


def _judged(judge: Callable[[Tracked, int], Result]) -> Callable[[Seen], Result]:
    def judge_run(seen: Seen) -> Result:
        run = seen["whole"]
        if run.tracked is None:
            return NotJudged(f"MLflow has no run of this job; {run.end}")
        return judge(run.tracked, run.epochs)

    return judge_run


def _run(seen: Seen) -> Result:
    run = seen["whole"]
    found, do = run.tracked, "Create the run in MLFLOW_EXPERIMENT_NAME with this name and both tags."
    if found is None:
        if run.code != 0:
            return NotJudged(f"the run did not succeed: {run.end}")
        return Fail("MLflow has no run of this job", f"a run job-{run.job_id}", do)
    wanted = {"job_id": run.job_id, "trace_id": run.trace_id}
    wrong = [name for name, value in wanted.items() if found.tags.get(name) != value]
    if not wrong and found.name == f"job-{run.job_id}":
        return Pass("its name and tags are right")
    seen_there = f"the tags {' and '.join(wrong)} are missing or wrong" if wrong else f"the run is called {found.name}"
    return Fail(seen_there, "run job-{id} with the tags job_id and trace_id", do)


def _params(found: Tracked, _: int) -> Result:
    if found.params:
        return Pass(f"{len(found.params)} params")
    return Fail("the run has no params", "the settings it trains with", "Log them before the first epoch.")


def _metrics(found: Tracked, epochs: int) -> Result:
    full = [name for name, steps in found.metrics.items() if len(set(steps)) >= epochs]
    if full:
        return Pass(f"{len(full)} metrics at {epochs} epochs")
    most = max((len(set(steps)) for steps in found.metrics.values()), default=0)
    return Fail(
        f"no metric has more than {most} of {epochs} epochs",
        "each epoch's metrics, with the epoch as step",
        "Log them.",
    )


def _bears(scenario: str) -> Callable[[Seen], Result]:
    def judge(seen: Seen) -> Result:
        run, usual = seen[scenario], seen["whole"]
        do = "Write to MLflow from a thread, with a timeout; go on without it."
        if usual.code != 0:
            return NotJudged(f"the run does not succeed with MLflow either: {usual.end}")
        if not run.succeeded:
            return Fail(run.end, "the training succeeds without MLflow", do)
        times = [call.at for call in run.epoch_calls()]
        pace = [call.at for call in usual.epoch_calls()]
        limit = run.timing.pace + 3 * max((b - a for a, b in itertools.pairwise(pace)), default=0.0)
        gap = max((b - a for a, b in itertools.pairwise(times)), default=0.0)
        if gap <= limit:
            return Pass(f"epochs at most {gap:.1f} s apart")
        return Fail(f"{gap:.1f} s between two epochs", f"epochs keep their pace (below {limit:.0f} s)", do)

    return judge


CLAUSES = (
    Clause("mlflow.run", "keeps a run with its tags", RUN, ("whole",), _run),
    Clause("mlflow.params", "logs its params", RUN, ("whole",), _judged(_params)),
    Clause("mlflow.metrics", "logs each epoch's metrics", RUN, ("whole",), _judged(_metrics)),
    Clause("mlflow.away", "trains on without MLflow", AWAY, ("whole", "mlflow-away"), _bears("mlflow-away")),
    Clause("mlflow.hangs", "waits for no MLflow that hangs", AWAY, ("whole", "mlflow-hangs"), _bears("mlflow-hangs")),
)
