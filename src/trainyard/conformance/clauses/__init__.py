"""The contract clause by clause, by topic. Each is judged by a pure function from what was seen."""

from trainyard.conformance.clauses import (
    backend,
    callbacks,
    clean,
    datasets,
    ends,
    environment,
    mlflow,
    predict,
    signals,
    storage,
)
from trainyard.conformance.verdict import Clause

CLAUSES: tuple[Clause, ...] = (
    *environment.CLAUSES,
    *callbacks.CLAUSES,
    *backend.CLAUSES,
    *datasets.CLAUSES,
    *storage.CLAUSES,
    *mlflow.CLAUSES,
    *signals.CLAUSES,
    *ends.CLAUSES,
    *predict.CLAUSES,
    *clean.CLAUSES,
)
