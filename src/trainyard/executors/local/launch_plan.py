"""What a run starts: pure, from a spec and the settings. The shim does what stands there."""

from pathlib import Path
from typing import TypedDict

from trainyard.contract.manifest import read_manifest
from trainyard.executors.base import LaunchFailed, RunSpec
from trainyard.executors.local.variables import plan_variables
from trainyard.settings import Settings


class LaunchPlan(TypedDict):
    """plan.json. No secret may ever stand in it: those travel through the shim's environment."""

    argv: list[str]
    cwd: str
    variables: dict[str, str]
    trace_id: str
    grace: float
    log_limit: int


def make_plan(settings: Settings, spec: RunSpec, python: Path) -> LaunchPlan:
    """Raises LaunchFailed where there is no such trainer or script."""
    script = spec.script.absolute() if spec.script else _entrypoint(settings, spec.framework)
    if not script.is_file():
        raise LaunchFailed(
            f"There is no script {script}.", hint="Name an existing file, or check trainer.toml's entrypoint."
        )
    return LaunchPlan(
        argv=[str(python), str(script)],
        cwd=str(script.parent),
        variables=plan_variables(spec.gpus),
        trace_id=spec.run.trace_id,
        grace=settings.grace_seconds,
        log_limit=settings.log_limit_mb << 20,
    )


def _entrypoint(settings: Settings, framework: str) -> Path:
    folder = settings.trainers_dir / f"trainer-{framework}"
    try:
        return folder / read_manifest(folder / "trainer.toml").entrypoint
    except FileNotFoundError:
        raise LaunchFailed(
            f"There is no trainer {framework}: {folder / 'trainer.toml'} is missing.",
            hint="A copy of trainer-template is one; TRAINYARD_TRAINERS_DIR names the folder that holds them.",
        ) from None
    except ValueError as error:
        raise LaunchFailed(str(error), hint="Correct it and submit the job again.") from None
