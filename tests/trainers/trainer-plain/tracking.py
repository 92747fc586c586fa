"""MLflow over its REST API: a run job-{id} with params, metrics and its end. Called by an Outbox, which repeats."""

import os
import urllib.error
import urllib.parse

from outbox import ask, plain
from settings import TRACE


class Tracking:
    def __init__(self, url, job):
        self.url, self.job, self.run_id = url.rstrip("/"), job, None

    def write(self, entry):
        """entry: the time, and what there is of params, metrics with their step, and the end's status."""
        if not self.run_id:
            self.run_id = self._find_or_make_run(entry["time"])
        now, step = entry["time"], entry.get("step", 0)
        metrics = plain(entry.get("metrics", {})).items()
        values = [{"key": name, "value": value, "timestamp": now, "step": step} for name, value in metrics]
        params = [{"key": name, "value": str(value)} for name, value in entry.get("params", {}).items()]
        self._ask("runs/log-batch", {"run_id": self.run_id, "metrics": values, "params": params})
        if "end" in entry:
            self._ask("runs/update", {"run_id": self.run_id, "status": entry["end"], "end_time": now})

    def _find_or_make_run(self, now):
        experiment = self._experiment(os.getenv("MLFLOW_EXPERIMENT_NAME") or "project-default")
        mine = {"experiment_ids": [experiment], "filter": f"tags.job_id = '{self.job.id}'", "max_results": 1}
        runs = self._ask("runs/search", mine).get("runs", [])  # an earlier attempt's
        if not runs:
            tags = [{"key": "job_id", "value": self.job.id}, {"key": "trace_id", "value": TRACE}]
            new = {"experiment_id": experiment, "run_name": f"job-{self.job.id}", "start_time": now, "tags": tags}
            runs = [self._ask("runs/create", new)["run"]]
        run_id = runs[0]["info"]["run_id"]
        self.job.event("mlflow_run", run_id=run_id, experiment_id=experiment)
        return run_id

    def _experiment(self, name):
        known = "experiments/get-by-name?" + urllib.parse.urlencode({"experiment_name": name})
        try:
            return self._ask(known)["experiment"]["experiment_id"]
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
        try:
            return self._ask("experiments/create", {"name": name})["experiment_id"]
        except urllib.error.HTTPError as error:
            if error.code != 400:
                raise
            return self._ask(known)["experiment"]["experiment_id"]  # another run was faster

    def _ask(self, path, body=None):
        return ask(f"{self.url}/api/2.0/mlflow/{path}", body)
