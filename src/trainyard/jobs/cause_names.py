"""The words for causes: all there are, so that whoever shows them has a word of his own for each."""

from typing import Literal

CauseName = Literal[
    "",  # no more is known than the reason
    # of a job that has not ended
    "waiting",
    "preparing",
    "running",
    "stuck",
    "stopping",
    # a setting was refused: `parameter` names it, or it is none of the trainer's parameters
    "parameter",
    "setting",
    # found in a trainer's own words by jobs/causes.py
    "gpu_memory",
    "shared_memory",
    "loader_killed",
    "memory",
    "missing_module",
    "wrong_version",
    "missing_library",
    "syntax",
    "undefined_name",
    "nan",
    "labels",
    "dataset_missing",
    "checkpoint_missing",
    "storage_refused",
    "dataset_broken",
    "dataset_task",
    "dataset_layout",
    "picture",
    "checkpoint_fit",
    "disk_full",
    "gpu_driver",
    "no_gpu",
    "too_many_files",
    "permission",
    "file_missing",
    "interrupted",
    "storage_key",
    "storage_away",
    "mlflow_away",
    "hub_away",
    "peers",
    "port_taken",
    "network",
]
