"""Points inside a backend at which a test can kill it or hold it: it imports this first, and looks for files there.

`NAME.crash` in its folder kills it at that point, once. `NAME.hold` holds it there, which `NAME.reached` tells.
"""

import os
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from trainyard.executors.kubernetes import sending
from trainyard.executors.local import executor
from trainyard.jobs.launch import Launcher
from trainyard.jobs.reconcile import Reconciler

POINTS: dict[str, tuple[Any, str]] = {
    "stored": (Reconciler, "_dispatch"),  # the row is there, and nothing else
    "claimed": (executor.LocalExecutor, "submit"),  # it has its turn and its slot
    "prepared": (executor.LocalExecutor, "_start_shim"),  # its run folder is ready
    "born": (executor, "_wait_for_shim"),  # its shim was started, and has not said who it is
    "job_made": (sending, "_make_owned"),  # its Job is in the cluster, suspended, and nothing that it needs
    "launched": (Launcher, "_note_launch"),  # it runs, and nobody noted that
}


def _stop_at(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    crash, hold, reached = (Path(f"{name}.{what}") for what in ("crash", "hold", "reached"))

    @wraps(function)
    def stopping(*args: Any) -> Any:
        something_to_do = name != "stored" or args[1]
        if something_to_do and crash.exists():
            crash.unlink()
            os._exit(9)
        while something_to_do and hold.exists():
            reached.touch()
            time.sleep(0.01)
        return function(*args)

    return stopping


for name, (owner, method) in POINTS.items():
    setattr(owner, method, _stop_at(name, getattr(owner, method)))
