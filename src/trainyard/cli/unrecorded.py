"""Without a backend a plain script still runs, and nobody writes anything down."""

import os
import sys
from pathlib import Path

from trainyard.cli.console import err
from trainyard.cli.request import DEFAULT_EPOCHS, DEFAULT_FRAMEWORK, DEFAULT_MODEL, Wanted
from trainyard.cli.terminal import run_in_terminal
from trainyard.contract.environment import spell
from trainyard.contract.keys import new_job_id, new_trace_id
from trainyard.contract.manifest import variable_of
from trainyard.settings import Settings


def run_unrecorded(settings: Settings, script: Path, wanted: Wanted) -> int:
    """Run it in the foreground as it is; its exit code."""
    python = find_python(settings, wanted.framework)
    err().print(
        f"[yellow]The backend isn't running at {settings.backend_url}: the script runs, and nothing is recorded.[/]\n"
        f"[dim]`trainyard up` starts it. Python: {python}[/]"
    )
    env = os.environ | variables(wanted)
    env["PATH"] = f"{Path(python).parent}{os.pathsep}{env.get('PATH', os.defpath)}"
    return run_in_terminal([python, str(script)], script.parent, env)


def variables(wanted: Wanted) -> dict[str, str]:
    """Those of the contract that need no backend."""
    params = {"epochs": DEFAULT_EPOCHS} | wanted.all_params
    model = wanted.model or (DEFAULT_MODEL if wanted.framework == DEFAULT_FRAMEWORK else None)
    given = {"MODEL_NAME": model, "DATASET_ID": wanted.dataset, "TASK_TYPE": wanted.task}
    return {
        "JOB_ID": new_job_id("local"),
        "TRACE_ID": new_trace_id(),
        "FRAMEWORK": wanted.framework,
        "NUM_EPOCHS": spell(params["epochs"]),
        **{variable_of(name): spell(value) for name, value in params.items()},
        **{name: value for name, value in given.items() if value is not None},
    }


def find_python(settings: Settings, framework: str) -> str:
    """The trainer's own, if its environment has been made; else the system's."""
    folders = (
        settings.trainers_dir / f"venv-{framework}",
        settings.trainers_dir / f"trainer-{framework}" / ".venv",
        settings.envs_dir / framework / ".venv",
    )
    inside = ("Scripts", "python.exe") if sys.platform == "win32" else ("bin", "python")
    for folder in folders:
        if (python := folder.joinpath(*inside)).exists():
            return str(python)
    name = "python.exe" if sys.platform == "win32" else "bin/python3"
    below = Path(sys.base_prefix) / name
    return str(below) if below.exists() else sys.executable
